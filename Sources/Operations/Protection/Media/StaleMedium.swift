import Bytes
import Outcome
package import ResticRepository
import Strategy

/// The words for a repository that is an earlier state of itself: the medium is a clone, or a copy that was put away (B-10).
extension LabStore {
    /// Why nothing is written to it.
    package func stale(_ state: EarlierState) -> ProtectionFailure {
        ProtectionFailure(
            .mediumStale,
            operation: "open repository",
            object: "\(name) (\(path))",
            what: state.text,
            state: "nothing was written to it; what it holds can be restored, and the other media are not touched",
            next:
                "attach the right disk; if this one is meant: holdfast plan, then release it by the digits; or reseed it: holdfast media replace \(medium.name)"
        )
    }
}

extension EarlierState {
    /// In a sentence that stays the same as long as it lasts: digits stand for it.
    package var text: String {
        let stands = standsAt.map { "stands as it did on \(Self.clock($0))" } ?? "holds no snapshot"
        return
            "is stale or cloned: it \(stands), and what this machine wrote there until \(Self.clock(lost)) is missing (\(gone) snapshots)"
    }

    private static func clock(_ moment: Timestamp) -> String { minuteText(moment) }
}

/// `2026-03-02 12:00 UTC`.
func minuteText(_ moment: Timestamp) -> String {
    let time = CalendarTime(moment, offsetSeconds: 0)
    let parts = [time.month, time.day, time.secondOfDay / 3600, time.secondOfDay / 60 % 60].map { number in
        number < 10 ? "0\(number)" : "\(number)"
    }
    return "\(time.year)-\(parts[0])-\(parts[1]) \(parts[2]):\(parts[3]) UTC"
}
