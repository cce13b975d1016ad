import Bytes
import Outcome

/// A secret as lines: how many characters and which letters, then the characters in groups.
///
/// One that no keyboard has all characters of stands in hexadecimal.
struct PackedSecret {
    /// Characters on a line.
    private static let lineWidth = 24

    var letters: LetterCase
    /// What is printed, without blanks.
    var text: String

    init(_ secret: Secret) {
        (letters, text) = secret.withBytes { bytes in
            guard !bytes.isEmpty, bytes.allSatisfy({ (0x21...0x7e).contains($0) }) else {
                return (.hexadecimal, Hex.encode(Array(bytes)))
            }
            let text = String(decoding: bytes, as: UTF8.self)
            if text == LetterCase.small.folded(text) { return (.small, text) }
            return (text == LetterCase.capitals.folded(text) ? .capitals : .asPrinted, text)
        }
    }

    /// `64 characters, small letters`.
    var heading: String { "\(text.utf8.count) characters, \(letters.rawValue)" }

    /// The lines below the heading.
    var lines: [KitLine] { packedLines(.pass, text, width: Self.lineWidth) }

    /// What a heading says; nil where it is none.
    static func readHeading(_ value: String) -> (count: Int, letters: LetterCase)? {
        let words = value.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count == 3, words[1] == "characters,", let count = Int(words[0]), count >= 0,
            count <= KitLimits.secretBytes * 2, let letters = LetterCase(rawValue: String(words[2]))
        else { return nil }
        return (count, letters)
    }

    /// The secret that the characters stand for; nil where they stand for none.
    static func secret(_ text: String, _ letters: LetterCase) -> Secret? {
        guard letters == .hexadecimal else { return Secret(text.utf8) }
        return Hex.decode(text).map { Secret($0) }
    }
}

/// A text without blanks in lines of that many characters; an empty one needs none.
func packedLines(_ key: KitLine.Key, _ text: String, width: Int) -> [KitLine] {
    let characters = Array(text.utf8)
    return stride(from: 0, to: characters.count, by: width).map { start in
        let part = characters[start..<min(start + width, characters.count)]
        return KitLine(key, String(decoding: part, as: UTF8.self))
    }
}

/// Base 32 with the usual alphabet and padding (RFC 4648 section 6), which `base32 -d` of every Debian reads.
enum Base32 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var (group, held): (UInt32, UInt32) = (0, 0)
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            held += 8
            while held >= 5 {
                held -= 5
                text.append(alphabet[Int(group >> held & 31)])
            }
            group &= 1 << held - 1
        }
        if held > 0 { text.append(alphabet[Int(group << (5 - held) & 31)]) }
        while text.count % 8 != 0 { text.append(UInt8(ascii: "=")) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for other characters, for wrong padding, and for bits behind the last byte that are not zero.
    static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var (group, held): (UInt32, UInt32) = (0, 0)
        let body = text.utf8.prefix { $0 != UInt8(ascii: "=") }
        for character in body {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            group = group << 5 | UInt32(value)
            held += 5
            guard held >= 8 else { continue }
            held -= 8
            bytes.append(UInt8(truncatingIfNeeded: group >> held))
            group &= 1 << held - 1
        }
        return encode(bytes) == text ? bytes : nil
    }
}
