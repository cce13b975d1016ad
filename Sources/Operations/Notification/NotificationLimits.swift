/// Bounds of notification, each with unit and reason (L5).
package enum NotificationLimits {
    /// Troubles that one message spells out; the others are counted.
    static let troublesShown = 20
    /// Workloads in a sign of life.
    static let workloadsShown = 100
    /// Messages that one channel is offered at one look, so that a run does not wait for a queue.
    static let messagesAtOnce = 5
    /// Nanoseconds after which a channel is offered no further message at one look.
    static let offerNanoseconds: UInt64 = 20_000_000_000
    /// Seconds that a check has to answer that a run begins.
    static let startSeconds = 10
    /// Seconds until the stores are looked at again where a channel has more to hear than the hour allowed.
    static let heldBackSeconds: Int64 = 900
    /// Messages that are read from the journal at one look.
    static let messagesRead = 200
    /// Seconds between attempts: the first, by how much it grows, and the longest.
    static let retrySeconds: Int64 = 60
    static let retryGrowth: Int64 = 4
    static let retrySecondsMax: Int64 = 6 * 3600
    /// Seconds after which a message is given up: news of three days ago are none.
    static let messageSeconds: Int64 = 3 * 86_400
    /// Nanoseconds between two tries to be the one who delivers, and how many there are.
    static let lockPauseNanoseconds: UInt64 = 200_000_000
    static let lockTries = 100
    /// Seconds between two signs to a check while nothing runs: twice a day, for a check that waits a day and some hours.
    package static let pingSeconds: Int64 = 12 * 3600
    /// Bytes of a template's result.
    static let templateBytes = 60 << 10
    /// Lines of a run's log that a check gets.
    static let logLines = 60
}
