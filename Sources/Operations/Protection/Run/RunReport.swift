package import Bytes
package import Outcome
package import Strategy

/// What a run did.
package struct RunReport: Sendable {
    /// A step and how it ended.
    package struct Line: Sendable {
        package var step: RunStep
        package var result: StepResult
        package var ended: Timestamp
        package var seconds: Double
    }

    package var started: Timestamp
    package var ended: Timestamp
    package var lines: [Line] = []
    package var workloads: [String: RunOutcome] = [:]
    /// What retention held back, and the digits that release it.
    package var held: [Removal] = []
    package var digits: String?
    package var snapshotsRemoved = 0

    package init(started: Timestamp) {
        self.started = started
        ended = started
    }

    /// Damage before failure before a refusal before what is partial: the worst of them.
    package var exitStatus: ExitStatus {
        var worst = ExitStatus.success
        for line in lines { worst = Self.worse(worst, Self.status(of: line.result)) }
        if !held.isEmpty { worst = Self.worse(worst, .refusedByGuard) }
        // What no step says by itself: a source that shrank.
        for outcome in workloads.values { worst = Self.worse(worst, Self.status(of: outcome)) }
        return worst
    }

    private static func status(of result: StepResult) -> ExitStatus {
        switch result {
        case .done, .nothing, .skipped: .success
        case .partial: .incomplete
        case .failed(let failure): failure.isDamage ? .damageFound : failure.exitStatus
        }
    }

    /// Of one that failed, its step says why.
    private static func status(of outcome: RunOutcome) -> ExitStatus {
        switch outcome {
        case .ok, .failed: .success
        case .partial, .interrupted: .incomplete
        }
    }

    private static func worse(_ left: ExitStatus, _ right: ExitStatus) -> ExitStatus {
        rank(left) >= rank(right) ? left : right
    }

    private static func rank(_ status: ExitStatus) -> Int {
        switch status {
        case .success: 0
        case .incomplete: 1
        case .refusedByGuard: 2
        case .damageFound: 5
        case .interrupted: 6
        case .locked: 3
        default: 4
        }
    }
}

extension ReportableFailure {
    /// What a repository holds is damaged, or lacks what it should hold.
    package var isDamage: Bool { ["E-DAMAGE", "E-MISSING", "E-VERIFY"].contains(codeName) }
}
