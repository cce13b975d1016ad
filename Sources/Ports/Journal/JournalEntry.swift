package import Bytes

/// One thing to be recorded.
///
/// No field may hold a password, a key or a token, nor an address that has one in it: the journal is a plain file, and
/// it is copied into support bundles (S-07). A channel of notification is named, never spelt out.
package enum JournalEntry: Sendable, Hashable {
    /// Begins a run or says more about it; the identifier decides which. A run that ended does not go back to running.
    case run(RunRecord)
    /// As `run`, by run and number.
    case step(StepRecord)
    case evidence(EvidenceRecord)
    /// Something that exists for a while and has to be removed, recorded before it is made.
    case owed(OwedCleanup)
    /// What was owed under this identifier is done.
    case settled(id: String)
    case audit(AuditRecord)
    /// A small named fact, as of a moment; an older one never replaces a newer one.
    case fact(key: String, value: String, when: Timestamp)
    /// Puts a message out for delivery; the same identifier again changes nothing, so that a flood is one message
    /// (M-11).
    case message(OutboxMessage)
    /// What an attempt at delivery gave: without `nextTry` and not done, it is not tried again and stays for the
    /// record.
    case messageTried(id: String, when: Timestamp, error: String?, nextTry: Timestamp?, done: Bool)
}

/// A thing that must not outlive its purpose: a rollback snapshot, a guest of a drill, a mount, an app that is stopped.
package struct OwedCleanup: Sendable, Hashable {
    package var id: String
    /// `guest`, `snapshot`, `mount`, `folder`, `command`.
    package var kind: String
    /// What to remove, in the words that the remover needs.
    package var object: String
    /// Why it is there.
    package var text: String
    package var since: Timestamp

    package init(id: String, kind: String, object: String, text: String = "", since: Timestamp) {
        self.id = id
        self.kind = kind
        self.object = object
        self.text = text
        self.since = since
    }
}

/// Who did what to which object.
package struct AuditRecord: Sendable, Hashable {
    package var who: String
    package var what: String
    package var object: String
    package var when: Timestamp

    package init(who: String, what: String, object: String, when: Timestamp) {
        self.who = who
        self.what = what
        self.object = object
        self.when = when
    }
}

/// A message that waits for delivery.
package struct OutboxMessage: Sendable, Hashable {
    /// Names the occasion: two messages about one occasion have one identifier.
    package var id: String
    /// The channel by its name in the declaration.
    package var channel: String
    /// `failed`, `missed`, `recovered`.
    package var event: String
    package var title: String
    package var body: String
    package var created: Timestamp

    package init(id: String, channel: String, event: String, title: String, body: String = "", created: Timestamp) {
        self.id = id
        self.channel = channel
        self.event = event
        self.title = title
        self.body = body
        self.created = created
    }
}
