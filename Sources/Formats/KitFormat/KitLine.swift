/// A numbered line of a kit: what it is about, and what it says.
struct KitLine: Sendable, Hashable {
    /// The keys, in the words that stand on the paper.
    enum Key: String, CaseIterable {
        case version = "holdfast kit"
        case lab, host, serial, made, program, holder, account
        case repository, medium, kind, location, disk, id, workloads, state
        case password, variable, secret
        /// Characters of the secret above.
        case pass
        case cost, salt, sealed, data
        /// The rest of the value above.
        case more
        case end

        /// Says how the lines of a secret below it are read.
        var isHeading: Bool { [.password, .variable, .secret].contains(self) }

        /// Printed in groups: blanks in it are for the eye.
        var isPacked: Bool { [.id, .pass, .salt, .data].contains(self) }
    }

    var key: Key
    /// Without blanks where it is packed.
    var value: String

    init(_ key: Key, _ value: String) {
        self.key = key
        self.value = value
    }

    /// As it is printed: `07 lab: home`, and the group that proves it.
    func text(number: Int, digits: Int) -> String {
        let head = "\(padded(number, to: digits)) \(key.rawValue): \(key.isPacked ? grouped(value) : value)"
        let blanks = String(repeating: " ", count: max(3, Self.checkColumn - head.unicodeScalars.count))
        return head + blanks + check(number)
    }

    func check(_ number: Int) -> String { KitCheck.group(number: number, key: key.rawValue, value: value) }

    /// Where the groups stand, one below the other as far as lines are that short.
    private static let checkColumn = 72
}

private func padded(_ number: Int, to digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}

/// In groups of four.
private func grouped(_ value: String) -> String {
    var text = ""
    for (index, character) in value.unicodeScalars.enumerated() {
        if index > 0, index % 4 == 0 { text += " " }
        text.unicodeScalars.append(character)
    }
    return text
}

/// How the letters of a packed value are printed, so that a person need not care about capitals where that cannot matter.
enum LetterCase: String, CaseIterable {
    case small = "small letters"
    case capitals = "capital letters"
    case asPrinted = "letters as printed"
    case hexadecimal = "in hexadecimal"

    /// What was typed, in the case that it is.
    func folded(_ text: String) -> String {
        switch self {
        case .small, .hexadecimal: mapASCII(text) { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
        case .capitals: mapASCII(text) { (0x61...0x7a).contains($0) ? $0 & 0xdf : $0 }
        case .asPrinted: text
        }
    }
}

private func mapASCII(_ text: String, _ change: (UInt8) -> UInt8) -> String {
    String(decoding: text.utf8.map(change), as: UTF8.self)
}

extension String {
    /// With small letters of ASCII.
    var asciiLowercased: String { LetterCase.small.folded(self) }
    /// With capital letters of ASCII.
    var asciiUppercased: String { LetterCase.capitals.folded(self) }
}
