/// What a channel of notification may hear of.
package enum AlarmEvent: String, Sendable, Hashable, CaseIterable {
    /// A run of a workload failed or was incomplete, or a repository cannot be used.
    case failed
    /// A promise is broken: no copy in time, or one that takes too long to restore.
    case missed
    /// Stored bytes are not what they were.
    case damaged
    /// Retention waits for a word of the operator.
    case held
    /// Not wrong, and not as good as it should be.
    case amber
    /// What was told is over.
    case recovered
    /// A run ended well.
    case succeeded
    /// All is as it was; sent now and then, so that silence means something.
    case signOfLife = "sign-of-life"

    package var summary: String {
        switch self {
        case .failed: "a run failed or was incomplete, or a repository cannot be used"
        case .missed: "a promise is broken"
        case .damaged: "stored bytes are not what they were"
        case .held: "retention waits for your word"
        case .amber: "not wrong, and not as good as it should be"
        case .recovered: "what was told is over"
        case .succeeded: "a run ended well"
        case .signOfLife: "how the lab stands, once a week, so that silence means something"
        }
    }

    /// What a channel hears that does not say.
    package static let usual: [AlarmEvent] = [.failed, .missed, .damaged, .held, .recovered, .signOfLife]

    /// How loud it is: 0 for news, 1 for what wants attention, 2 for what cannot wait.
    package var loudness: Int {
        switch self {
        case .missed, .damaged: 2
        case .failed, .held: 1
        case .amber, .recovered, .succeeded, .signOfLife: 0
        }
    }
}
