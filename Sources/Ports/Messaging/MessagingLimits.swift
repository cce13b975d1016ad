/// Bounds on one message and on the wait for whoever takes it (L5).
package enum MessagingLimits {
    /// Seconds for a connection.
    package static let connectSeconds = 10
    /// Seconds for one message, from the name's look-up to the answer's end.
    package static let deadlineSeconds = 30
    /// Bytes read of an answer; they are told from its head, and for pings from its first words.
    package static let answerBytes = 64 << 10
    /// Longest wait that a server may ask for: a day, after which nobody waits for a message.
    package static let retryAfterSeconds = 86_400
    /// Wait after a check has been pinged too often; its server counts by the minute.
    package static let pingPauseSeconds = 60

    /// Bytes of a title; a phone shows some fifty characters.
    package static let titleBytes = 250
    /// Bytes of lab, host and event where they are shown.
    package static let labelBytes = 60
    /// Bytes of a text; ntfy makes an attachment of a longer one (its `message-size-limit`).
    package static let ntfyTextBytes = 4096
    /// Bytes of the text as JSON; ntfy refuses documents of more than twice its limit, and title, tags and names take some.
    package static let ntfyQuotedBytes = 7000
    /// Bytes of a ping's text; older servers keep 10,000, hosted ones 100,000.
    package static let pingTextBytes = 10_000
    /// Bytes of a mail's text before it is encoded.
    package static let mailTextBytes = 256 << 10
    /// Bytes of a mail address (RFC 5321 4.5.3.1.3).
    package static let mailAddressBytes = 254

    /// What carries mail, opened when the first one is sent.
    package static let mailLibrary = "libcurl.so.4"
}
