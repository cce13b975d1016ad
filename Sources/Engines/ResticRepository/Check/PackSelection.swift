import Bytes
import ResticFormat

/// Which packs level 3 reads.
struct PackSelection {
    var packs: [CheckedPack]
    /// The line that says so, in restic's words.
    var text: String

    /// Takes from `all` what `amount` asks for; nil when nothing is to be read.
    ///
    /// `bytes` gives a pack's size.
    init?(
        _ amount: ReadDataAmount,
        of all: [CheckedPack],
        isFiltered: Bool,
        entropy: any EntropySource,
        bytes: (CheckedPack) -> UInt64
    ) {
        let filtered = isFiltered ? "filtered " : ""
        switch amount {
        case .none:
            return nil
        case .all:
            packs = all
            text = "read all \(filtered)data"
        case .subset(let group, let count):
            packs = all.filter { Int($0.id.digest.firstByte) % count == group - 1 }
            text =
                "read group #\(group) of \(packs.count) \(filtered)data packs (out of total \(all.count) packs in \(count) groups"
        case .packs(let wanted):
            packs = all.filter { wanted.contains($0.id) }
            text = "read \(packs.count) \(filtered)packfiles"
        case .firstBytes(let bytes):
            packs = all.filter { bytes.contains($0.id.digest.firstByte) }
            text = "read \(packs.count) of \(all.count) \(filtered)packfiles, by the first byte of their names"
        case .percentage(let percent):
            packs = Self.draw(percent, of: all, entropy)
            text = "read \(Self.oneDigit(percent))% of \(filtered)packfiles"
        case .size(let wanted):
            let total = all.reduce(0) { $0 + bytes($1) }
            let taken = min(wanted, total)
            let percent = total == 0 ? 100 : Double(taken) / Double(total) * 100
            packs = Self.draw(percent, of: all, entropy)
            text = "read \(taken) bytes (\(Self.oneDigit(percent))%) of \(filtered)data packs"
        }
    }

    /// At least one pack, if there is any.
    private static func draw(_ percent: Double, of all: [CheckedPack], _ entropy: any EntropySource) -> [CheckedPack] {
        let count = min(all.count, max(all.isEmpty ? 0 : 1, Int(Double(all.count) * percent / 100)))
        var source = EntropyGenerator(entropy: entropy)
        return Array(all.shuffled(using: &source).prefix(count))
    }

    /// Rounded to one digit after the point: `6.4`.
    private static func oneDigit(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}

/// The injected entropy as a generator of the standard library.
private struct EntropyGenerator: RandomNumberGenerator {
    let entropy: any EntropySource

    mutating func next() -> UInt64 {
        entropy.bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
