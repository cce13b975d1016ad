package import Bytes

/// The newest steps of one kind for one workload in one repository.
package struct NewestStep: Sendable, Hashable {
    package var workload: String?
    package var repository: String?
    /// The newest by its start, however it ended, or that is still running.
    package var attempted: StepRecord
    /// The newest that ended `ok`.
    package var succeeded: StepRecord?

    package init(
        workload: String?,
        repository: String?,
        attempted: StepRecord,
        succeeded: StepRecord? = nil
    ) {
        self.workload = workload
        self.repository = repository
        self.attempted = attempted
        self.succeeded = succeeded
    }
}

/// The newest evidence of one kind for one workload in one repository.
package struct NewestEvidence: Sendable, Hashable {
    package var workload: String?
    package var repository: String?
    package var newest: EvidenceRecord
    package var newestPassed: EvidenceRecord?

    package init(
        workload: String?,
        repository: String?,
        newest: EvidenceRecord,
        newestPassed: EvidenceRecord? = nil
    ) {
        self.workload = workload
        self.repository = repository
        self.newest = newest
        self.newestPassed = newestPassed
    }
}

/// How long the successful steps of a kind took at most.
package struct LongestDuration: Sendable, Hashable {
    package var workload: String?
    package var longest: Duration
    /// How many steps were looked at.
    package var steps: Int

    package init(
        workload: String?,
        longest: Duration,
        steps: Int
    ) {
        self.workload = workload
        self.longest = longest
        self.steps = steps
    }
}

/// A named fact and its age.
package struct JournalFact: Sendable, Hashable {
    package var key: String
    package var value: String
    package var when: Timestamp

    package init(
        key: String,
        value: String,
        when: Timestamp
    ) {
        self.key = key
        self.value = value
        self.when = when
    }
}

/// A message that is to be tried now.
package struct DueMessage: Sendable, Hashable {
    package var message: OutboxMessage
    package var attempts: Int
    package var lastTried: Timestamp?
    package var lastError: String?

    package init(
        message: OutboxMessage,
        attempts: Int,
        lastTried: Timestamp? = nil,
        lastError: String? = nil
    ) {
        self.message = message
        self.attempts = attempts
        self.lastTried = lastTried
        self.lastError = lastError
    }
}

/// What the opening of a journal found.
package struct Opening: Sendable, Hashable {
    /// What became of the database.
    package enum State: Sendable, Hashable {
        /// There was none.
        case fresh
        case opened
        /// An older schema was brought up to date; `copy` is what it was before.
        case migrated(copy: String)
        /// It was damaged, or none of ours; it lies under this path and a new one was begun.
        case movedAside(String)
        /// A newer program wrote it: nothing is read or written until that program is back. The text says so.
        case refused(String)
        /// It cannot be used now; entries go to the emergency file, and it is tried again.
        case unavailable(String)
    }

    package var state: State
    /// Runs of processes that are gone, which were `running` until now.
    package var interruptedRuns = 0
    /// Entries taken over from the emergency file.
    package var imported = 0
    /// The database is older than this folder remembers: somebody put back a copy of it.
    package var wasSetBack = false

    package init(state: State) { self.state = state }
}
