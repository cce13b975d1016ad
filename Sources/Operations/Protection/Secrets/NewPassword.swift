import Bytes
import Outcome
import Sealing

/// A new password: 260 random bits in characters that are told apart on paper and found on every keyboard.
///
/// **Shape**: 13 groups of four of `2` to `9` and `A` to `Z` without `I` and `O`, joined by dashes; 64 bytes.
func makePassword(_ entropy: any EntropySource) -> Secret {
    let alphabet = Array("23456789ABCDEFGHJKLMNPQRSTUVWXYZ".utf8)
    var random = entropy.bytes(52)
    // All of it is there from the start, so that no copy is left behind by growing.
    var text = [UInt8](repeating: 0x2d, count: 64)
    defer {
        wipe(&random)
        wipe(&text)
    }
    for (index, byte) in random.enumerated() { text[index + index / 4] = alphabet[Int(byte & 31)] }
    return Secret(text)
}

/// Names for what replaces something without overwriting it: with the day, and with a number where that is taken.
struct DatedNames {
    /// How the parts are joined.
    enum Style {
        /// `restic-local 2026-11-22`, `restic-local 2026-11-22 (2)`.
        case item
        /// `host-os.2026-11-22`, `host-os.2026-11-22.2`.
        case file
    }

    /// Tries a day; whoever rotates more often has a script that has gone wild.
    static let most = 99

    private let base: String
    private let style: Style
    private let day: String

    /// The day and number that `name` itself ends in are taken off, so that names do not grow with each rotation.
    init(_ name: String, _ style: Style, day: String) {
        base =
            switch style {
            case .item: name.replacing(/\ \d{4}-\d\d-\d\d( \(\d+\))?$/, with: "")
            case .file: name.replacing(/\.\d{4}-\d\d-\d\d(\.\d+)?$/, with: "")
            }
        self.style = style
        self.day = day
    }

    /// In the order in which they are tried.
    var candidates: [String] {
        (1...Self.most).map { number in
            switch style {
            case .item: number == 1 ? "\(base) \(day)" : "\(base) \(day) (\(number))"
            case .file: number == 1 ? "\(base).\(day)" : "\(base).\(day).\(number)"
            }
        }
    }
}
