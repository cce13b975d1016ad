package import Bytes

/// How a run or a step ended, or that it has not.
package enum JournalOutcome: String, Sendable, Hashable, CaseIterable {
    case running
    case ok
    /// Finished, and something of it is missing.
    case partial
    case failed
    /// A guard did not let it begin or go on.
    case refused
    /// Its process is gone and left no result; what it achieved is asked from the store.
    case interrupted
}

/// Who or what began a run.
package enum RunTrigger: String, Sendable, Hashable, CaseIterable {
    case schedule, hand
    case catchUp = "catch-up"
}

/// One execution of a job.
package struct RunRecord: Sendable, Hashable {
    /// `RunJournal.newID()`, or derived from what the store says when it is learned from there.
    package var id: String
    /// The verb: `run`, `verify`, `restore`, `init`.
    package var kind: String
    package var started: Timestamp
    package var ended: Timestamp?
    package var outcome: JournalOutcome
    package var trigger: RunTrigger
    package var summary: String

    package init(
        id: String,
        kind: String,
        started: Timestamp,
        ended: Timestamp? = nil,
        outcome: JournalOutcome,
        trigger: RunTrigger,
        summary: String = ""
    ) {
        self.id = id
        self.kind = kind
        self.started = started
        self.ended = ended
        self.outcome = outcome
        self.trigger = trigger
        self.summary = summary
    }
}

/// One thing that a run did, or tried.
package struct StepRecord: Sendable, Hashable {
    /// The run it belongs to.
    package var run: String
    /// Its place in the run, from 1; together with `run` it names the step.
    package var number: Int
    /// `backup`, `copy`, `readback`, `retention`, `verify`, `prune`.
    package var kind: String
    package var workload: String?
    package var repository: String?
    package var medium: String?
    package var started: Timestamp
    package var ended: Timestamp?
    package var outcome: JournalOutcome
    package var bytes: UInt64?
    package var files: UInt64?
    package var snapshot: String?
    /// A sentence for the operator.
    package var text: String

    package init(
        run: String,
        number: Int,
        kind: String,
        workload: String? = nil,
        repository: String? = nil,
        medium: String? = nil,
        started: Timestamp,
        ended: Timestamp? = nil,
        outcome: JournalOutcome,
        bytes: UInt64? = nil,
        files: UInt64? = nil,
        snapshot: String? = nil,
        text: String = ""
    ) {
        self.run = run
        self.number = number
        self.kind = kind
        self.workload = workload
        self.repository = repository
        self.medium = medium
        self.started = started
        self.ended = ended
        self.outcome = outcome
        self.bytes = bytes
        self.files = files
        self.snapshot = snapshot
        self.text = text
    }
}

/// What a verification or drill saw.
package enum EvidenceOutcome: String, Sendable, Hashable, CaseIterable {
    case passed, failed
    /// It could not look, so that it proves nothing either way.
    case inconclusive
}

/// What was observed, when, from which copy.
package struct EvidenceRecord: Sendable, Hashable {
    package var id: String
    /// `readback`, `verify`, `restore`, `compare`, `immutability`.
    package var kind: String
    package var workload: String?
    package var repository: String?
    package var snapshot: String?
    package var medium: String?
    package var when: Timestamp
    package var outcome: EvidenceOutcome
    package var bytes: UInt64?
    package var duration: Duration?
    /// A JSON document; one longer than `JournalLimits.detailBytesMax` is replaced by its length.
    package var detail: String

    package init(
        id: String,
        kind: String,
        workload: String? = nil,
        repository: String? = nil,
        snapshot: String? = nil,
        medium: String? = nil,
        when: Timestamp,
        outcome: EvidenceOutcome,
        bytes: UInt64? = nil,
        duration: Duration? = nil,
        detail: String = "{}"
    ) {
        self.id = id
        self.kind = kind
        self.workload = workload
        self.repository = repository
        self.snapshot = snapshot
        self.medium = medium
        self.when = when
        self.outcome = outcome
        self.bytes = bytes
        self.duration = duration
        self.detail = detail
    }
}
