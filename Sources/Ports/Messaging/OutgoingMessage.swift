package import Bytes

/// How loud a message is.
package enum MessageUrgency: String, Sendable, Hashable {
    /// To be read some time.
    case calm
    /// To be read today.
    case attention
    /// To be read now.
    case alarm
}

/// What is told, in words; each target gets as much of it as it takes.
package struct OutgoingMessage: Sendable, Hashable {
    /// One line; control characters and marks that turn the direction of writing do not reach a target.
    package var title: String
    /// Plain text of many lines.
    package var body: String
    /// A word for filters: `failed`.
    package var event: String
    package var urgency: MessageUrgency
    package var lab: String
    package var host: String
    package var when: Timestamp

    package init(
        title: String,
        body: String,
        event: String,
        urgency: MessageUrgency,
        lab: String,
        host: String,
        when: Timestamp
    ) {
        self.title = title
        self.body = body
        self.event = event
        self.urgency = urgency
        self.lab = lab
        self.host = host
        self.when = when
    }
}
