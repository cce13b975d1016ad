import Outcome

/// When a request to a server is made again, and when it is given up (L5).
///
/// Waits double from the first to the longest, each drawn between half and all of that, so that many machines do not come back at
/// once; a wait that the server asks for is kept within a bound. Pure: chance is passed in.
package struct RetryPolicy: Sendable, Hashable {
    package var firstWaitSeconds: Double
    package var longestWaitSeconds: Double
    /// From the first failure of a request; restic's.
    package var totalSeconds: Double
    /// From the beginning of a request, while the server never answered in this run: a wrong address is told soon.
    package var firstContactSeconds: Double
    /// Tries of one request beside the first; nil leaves it to the time.
    package var retriesMax: Int?
    /// Longest wait that a server may ask for (E-02).
    package var askedWaitSecondsMax: Int
    /// Tries beside the first when the server says what it must not: a second look, no more (E-06).
    package var wrongAnswerRetriesMax: Int

    package init(
        firstWaitSeconds: Double = 1,
        longestWaitSeconds: Double = 60,
        totalSeconds: Double = 900,
        firstContactSeconds: Double = 15,
        retriesMax: Int? = nil,
        askedWaitSecondsMax: Int = 300,
        wrongAnswerRetriesMax: Int = 1
    ) {
        self.firstWaitSeconds = firstWaitSeconds
        self.longestWaitSeconds = longestWaitSeconds
        self.totalSeconds = totalSeconds
        self.firstContactSeconds = firstContactSeconds
        self.retriesMax = retriesMax
        self.askedWaitSecondsMax = askedWaitSecondsMax
        self.wrongAnswerRetriesMax = wrongAnswerRetriesMax
    }

    /// What is known of a request that failed.
    package struct Attempt: Sendable, Hashable {
        /// Tries so far, at least 1.
        package var tries: Int
        /// Since the request was first made.
        package var elapsedSeconds: Double
        /// Since it first failed: a large object on a slow line may be on its way for longer than all tries together may take.
        package var failingSeconds: Double
        package var code: StorageCode
        /// Whether the server ever answered in this run.
        package var hasAnswered: Bool
        package var askedWaitSeconds: Int?

        package init(
            tries: Int,
            elapsedSeconds: Double,
            failingSeconds: Double,
            code: StorageCode,
            hasAnswered: Bool,
            askedWaitSeconds: Int? = nil
        ) {
            self.tries = tries
            self.elapsedSeconds = elapsedSeconds
            self.failingSeconds = failingSeconds
            self.code = code
            self.hasAnswered = hasAnswered
            self.askedWaitSeconds = askedWaitSeconds
        }

        /// A connection that was kept may be closed by the other side just when it is used again: the next one is made at once, and
        /// nobody needs to hear of it.
        package var isStaleConnection: Bool { tries == 1 && code == .unreachable && hasAnswered }
    }

    /// Seconds until the next try, or nil to give up; `chance` is in 0..<1.
    package func wait(after attempt: Attempt, chance: Double) -> Double? {
        guard attempt.code.retry == .later else { return nil }
        if let retriesMax, attempt.tries > retriesMax { return nil }
        if attempt.code == .answer, attempt.tries > wrongAnswerRetriesMax { return nil }
        if attempt.isStaleConnection { return 0 }
        let doubled = firstWaitSeconds * Double(1 << UInt64(min(attempt.tries - 1, 30)))
        var wait = min(doubled, longestWaitSeconds) * (0.5 + chance / 2)
        if let asked = attempt.askedWaitSeconds { wait = max(wait, Double(min(asked, askedWaitSecondsMax))) }
        let isFound = attempt.hasAnswered || attempt.code != .unreachable
        let isOver =
            attempt.failingSeconds + wait > totalSeconds
            || !isFound && attempt.elapsedSeconds + wait > firstContactSeconds
        return isOver ? nil : wait
    }
}
