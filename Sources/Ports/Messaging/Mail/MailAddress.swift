/// One sender or recipient: what the server is told, and what stands in the message.
package struct MailAddress: Sendable, Hashable {
    /// `holdfast@example.org`, or a name alone where the server knows it.
    package var address: String
    /// Before it, for people; empty for none.
    package var name: String

    /// Nil for anything that could be more than one address, or another line, on the wire (S-09).
    ///
    /// Reads `a@b` and `Name <a@b>`; quoted local parts and characters beyond ASCII are refused.
    package init?(_ text: String) {
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return nil }
        var address = text[...]
        name = ""
        if text.hasSuffix(">"), let bracket = text.lastIndex(of: "<") {
            address = text[text.index(after: bracket)...].dropLast()
            name = MessageText.oneLine(
                text[..<bracket].filter { $0 != "\"" },
                bytesMax: MessagingLimits.labelBytes
            )
            while name.hasSuffix(" ") { name.removeLast() }
        }
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }), !address.hasPrefix("-"),
            address.utf8.count <= MessagingLimits.mailAddressBytes, parts[0].utf8.allSatisfy(MailAddress.isLocal),
            parts.count == 1 || parts[1].utf8.allSatisfy(MailAddress.isDomain)
        else { return nil }
        self.address = String(address)
    }

    /// Behind the @; `localhost` where there is none.
    var domain: String {
        address.firstIndex(of: "@").map { String(address[address.index(after: $0)...]) } ?? "localhost"
    }

    private static func isLocal(_ byte: UInt8) -> Bool {
        isDomain(byte) || "!#$%&'*+/=?^_`{|}~".utf8.contains(byte)
    }

    private static func isDomain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
