/// An address of the web in its parts; what of it may be shown is `origin` alone, since the rest can be the secret (S-04).
struct WebAddress {
    /// `https://ntfy.example:8443`.
    let origin: String
    /// `user:password` as they stand before the host.
    let user: String?
    /// Empty, or from the first slash on.
    var path: String
    /// Without the question mark.
    var query: String?

    /// Nil for what is not http or https, has no host, or holds characters that no address has.
    init?(_ text: String) {
        guard let colon = text.range(of: "://"), text.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != 0x5c })
        else { return nil }
        let scheme = text[..<colon.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let rest = text[colon.upperBound...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let target = rest[authority.endIndex...]
        let at = authority.lastIndex(of: "@")
        let host = at.map { authority[authority.index(after: $0)...] } ?? authority
        guard WebAddress.isHost(host) else { return nil }
        origin = "\(scheme)://\(host.lowercased())"
        user = at.map { String(authority[..<$0]) }
        path = String(target.prefix { $0 != "?" })
        query = path.utf8.count < target.utf8.count ? String(target.dropFirst(path.count + 1)) : nil
    }

    /// As it goes to the server, without the user.
    var url: String { origin + (path.isEmpty ? "/" : path) + (query.map { "?" + $0 } ?? "") }

    /// For a text: the origin, or that there is none.
    static func origin(of text: String) -> String { WebAddress(text)?.origin ?? "an address that is none" }

    /// A name or a number, with or without a port.
    private static func isHost(_ text: Substring) -> Bool {
        var name = text
        var port: Substring = "0"
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return false }
            name = text[text.index(after: text.startIndex)..<end]
            let behind = text[text.index(after: end)...]
            guard behind.isEmpty || behind.hasPrefix(":") else { return false }
            if !behind.isEmpty { port = behind.dropFirst() }
            return !name.isEmpty && name.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." } && UInt16(port) != nil
        }
        if let colon = text.firstIndex(of: ":") {
            name = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        return !name.isEmpty && UInt16(port) != nil
            && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) }
    }
}

extension String {
    /// Where the first occurrence of `part` lies.
    fileprivate func range(of part: String) -> Range<Index>? {
        for index in indices where self[index...].hasPrefix(part) {
            return index..<self.index(index, offsetBy: part.count)
        }
        return nil
    }
}
