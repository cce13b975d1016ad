package import Outcome
package import ResticRepository
package import Strategy

/// A part of a run.
package struct RunStep: Sendable, Hashable {
    /// What is done.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case open
        case before
        case after
        /// A command after a backup that a run before this one left undone.
        case owed
        case backUp = "backup"
        case copy
        case readBack = "read-back"
        case forget = "retention"
        case prune
        case verify
        /// Of objects in a bucket, whose locks are made longer.
        case lock
        case record
        /// Of a medium, whose name stands in place of a repository's.
        case mount
        case unmount
    }

    package var kind: Kind
    /// Nil for what concerns a repository as a whole.
    package var workload: String?
    package var repository: String

    package init(_ kind: Kind, workload: String? = nil, repository: String) {
        self.kind = kind
        self.workload = workload
        self.repository = repository
    }
}

/// How a part of a run ended.
package enum StepResult: Sendable {
    /// In a few words what it did.
    case done(String)
    /// It looked, and there was nothing to do.
    case nothing(String)
    /// It did something, and something is missing: in a few words what.
    case partial(String)
    /// It was not done, for a reason that needs no action.
    case skipped(String)
    case failed(any ReportableFailure)
}

/// Hears how a run goes; called from any task, and must return quickly.
package protocol RunObserver: Sendable {
    func began(_ item: RunPlan.Item)
    func began(_ step: RunStep)
    /// Where the running step is; polled by whoever shows it.
    func counting(_ counters: BackupCounters, of step: RunStep)
    func progressed(_ done: UInt64, of total: UInt64, unit: String, in step: RunStep)
    func finished(_ step: RunStep, _ result: StepResult, seconds: Double)
    /// A source that could not be read, and why.
    func unreadable(_ path: String, workload: String)
}
