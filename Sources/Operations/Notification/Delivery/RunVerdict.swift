import Messaging
import Outcome
import Protection
import Strategy

/// What a check hears at the end of a run.
///
/// Success means that the run was good and that no promise of the lab is broken: a good run of one workload must not hide another that has none.
struct RunVerdict: Sendable {
    var kind: PingTarget.Kind
    var text: String

    init(kind: PingTarget.Kind, text: String) {
        self.kind = kind
        self.text = text
    }

    /// Without a run: how the lab stands.
    init(_ status: LabStatus) {
        kind = status.isBreached || status.isDamaged ? .failure : .success
        text = Self.problems(of: status).joined(separator: "\n")
    }

    init(_ report: RunReport, _ status: LabStatus) {
        switch report.exitStatus {
        // What a guard refuses is told by name; the promises judge whether it is too much: a disk may be away for a while.
        case .success, .refusedByGuard: kind = status.isBreached || status.isDamaged ? .failure : .success
        // Neither good nor bad: it is noted, and a check that hears of nothing good in time raises the alarm.
        case .incomplete: kind = status.isBreached || status.isDamaged ? .failure : .log
        default: kind = .failure
        }
        let outcomes = report.workloads.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.rawValue)" }
        let lines = outcomes + report.lines.compactMap(Self.line) + Self.problems(of: status)
        text = lines.prefix(NotificationLimits.logLines).joined(separator: "\n")
    }

    private static func line(_ line: RunReport.Line) -> String? {
        let step = "\(line.step.kind.rawValue) \(line.step.workload.map { "\($0) " } ?? "")\(line.step.repository)"
        switch line.result {
        case .done(let text): return "\(step): \(text)"
        case .partial(let text): return "\(step): INCOMPLETE: \(text)"
        case .skipped(let text): return "\(step): \(text)"
        case .failed(let failure): return "\(step): FAILED: \(failure.object) \(failure.what)"
        case .nothing: return nil
        }
    }

    private static func problems(of status: LabStatus) -> [String] {
        status.problems.filter { $0.severity == .wrong }.map { "\($0.object) \($0.what)" }
    }
}
