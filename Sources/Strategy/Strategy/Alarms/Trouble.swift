package import Bytes

/// Something that is not as it was promised, as channels hear of it.
package struct Trouble: Sendable, Hashable {
    /// Names it as long as it lasts, whatever its numbers are meanwhile: two looks at one trouble have one name.
    package var id: String
    package var event: AlarmEvent
    package var object: String
    package var what: String
    /// What mends it.
    package var next: String

    package init(id: String, event: AlarmEvent, object: String, what: String, next: String) {
        self.id = id
        self.event = event
        self.object = object
        self.what = what
        self.next = next
    }
}

/// What a channel was told and is not over.
package struct ToldTrouble: Sendable, Hashable {
    package var id: String
    package var event: AlarmEvent
    package var object: String
    package var what: String
    package var since: Timestamp
    /// When it was told last.
    package var told: Timestamp
    /// The message that says so and that the channel has not taken yet; nil: it has.
    package var message: String?

    package init(
        id: String,
        event: AlarmEvent,
        object: String,
        what: String,
        since: Timestamp,
        told: Timestamp,
        message: String? = nil
    ) {
        self.id = id
        self.event = event
        self.object = object
        self.what = what
        self.since = since
        self.told = told
        self.message = message
    }
}

/// What is known of a channel.
package struct ChannelHistory: Sendable, Hashable {
    /// At most `StrategyLimits.rememberedTroubles`.
    package var told: [ToldTrouble] = []
    /// When messages of the last hour were made.
    package var sent: [Timestamp] = []
    /// There is more to say than the hour allows.
    package var isHeldBack = false
    package var signOfLife: Timestamp?
    /// When it last took a message.
    package var delivered: Timestamp?
    /// Since when it takes none; nil: it does, or was never asked.
    package var failingSince: Timestamp?
    /// Why not, in words.
    package var failure: String?

    package init() {}

    /// Without what was told by messages that are neither taken nor waiting: they are lost, and what they said is news.
    package func withoutLost(waiting: Set<String>) -> ChannelHistory {
        var history = self
        history.told = told.filter { $0.message.map(waiting.contains) ?? true }
        return history
    }

    /// With that message as the one by which the newest troubles are told.
    package func told(by message: String, at now: Timestamp) -> ChannelHistory {
        var history = self
        for index in history.told.indices where history.told[index].told == now {
            history.told[index].message = message
        }
        return history
    }

    /// The channel took them.
    package mutating func took(_ messages: [String]) {
        for index in told.indices where told[index].message.map(messages.contains) == true { told[index].message = nil }
    }
}

/// What one message says.
package struct Announcement: Sendable, Hashable {
    package var began: [Trouble] = []
    package var lasting: [Trouble] = []
    package var recovered: [ToldTrouble] = []
    /// Workloads whose run ended well.
    package var succeeded: [String] = []
    package var isSignOfLife = false

    package init() {}

    package var isEmpty: Bool {
        began.isEmpty && lasting.isEmpty && recovered.isEmpty && succeeded.isEmpty && !isSignOfLife
    }

    /// The loudest of what it says.
    package var event: AlarmEvent {
        let troubles = (began + lasting).map(\.event).sorted { $0.loudness > $1.loudness }
        if let first = troubles.first { return first }
        return !recovered.isEmpty ? .recovered : !succeeded.isEmpty ? .succeeded : .signOfLife
    }

    /// One name for what it says: the same news make one message, whoever finds them.
    package var words: [String] {
        began.map { "began \($0.id)" } + lasting.map { "lasting \($0.id)" } + recovered.map { "recovered \($0.id)" }
            + succeeded.map { "succeeded \($0)" } + (isSignOfLife ? ["sign of life"] : [])
    }
}
