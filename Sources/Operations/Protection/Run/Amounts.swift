import Bytes
package import Strategy

/// Bytes in a report's sentence: `1.5 MiB`.
package func amount(_ bytes: UInt64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    guard unit > 0 else { return "\(bytes) B" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
}

extension SourceSize {
    /// What shrank, in words: `shrank from 399 files to 12`, `shrank from 1.5 GiB to 2.0 KiB`.
    package func shrinkText(from earlier: SourceSize) -> String {
        // A source of as many files may have lost what was in them.
        guard !hasLostFiles(of: earlier) else { return "shrank from \(earlier.files) files to \(self.files)" }
        return "shrank from \(amount(earlier.bytes)) to \(amount(self.bytes))"
    }
}

/// The first sentence about damage, with its long names cut as people quote them; the journal has all of it.
package func briefDamage(_ text: String) -> String {
    let first = text.split(separator: "; ", maxSplits: 1, omittingEmptySubsequences: false)[0]
    let words = first.split(separator: " ", omittingEmptySubsequences: false).map { word in
        let digits = word.prefix { $0.isHexDigit }
        return digits.count >= 40 ? "\(digits.prefix(8))…\(word.dropFirst(digits.count))" : String(word)
    }
    let sentence = words.joined(separator: " ")
    return sentence.count > damageTextMax ? sentence.prefix(damageTextMax - 1) + "…" : sentence
}

/// Characters of a sentence about damage: two lines of a screen.
private let damageTextMax = 160

/// What a backup says of itself.
struct BackupText {
    let outcome: BackupOutcome

    init(_ outcome: BackupOutcome) { self.outcome = outcome }

    var done: String {
        let copy = outcome.copy
        return
            "\(copy.snapshot.short), \(outcome.size.files) files, \(amount(outcome.size.bytes)), \(amount(copy.addedBytes)) new"
    }

    var partial: String { "\(done); \(outcome.errorCount) sources could not be read" }
}
