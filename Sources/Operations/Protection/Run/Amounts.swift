import Bytes
import Strategy

/// Bytes in a report's sentence: `1.5 MiB`.
func amount(_ bytes: UInt64) -> String {
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
