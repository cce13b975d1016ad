import Bytes
import GRDB

/// Columns of a row, never trusted to have the type that was written (L3): GRDB's own decoding traps where these say
/// nil.
extension Row {
    func text(_ column: String) -> String? {
        let value: DatabaseValue = self[column]
        guard case .string(let text) = value.storage else { return nil }
        return text
    }

    func integer(_ column: String) -> Int64? {
        let value: DatabaseValue = self[column]
        guard case .int64(let number) = value.storage else { return nil }
        return number
    }

    func count(_ column: String) -> UInt64? { integer(column).flatMap { UInt64(exactly: $0) } }

    func time(_ column: String) -> Timestamp? {
        integer(column).map { number in
            let (seconds, rest) = number.quotientAndRemainder(dividingBy: 1_000_000_000)
            return rest < 0
                ? Timestamp(seconds: seconds - 1, nanoseconds: Int32(rest + 1_000_000_000))
                : Timestamp(seconds: seconds, nanoseconds: Int32(rest))
        }
    }
}

extension JournalValue {
    var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let number): number.databaseValue
        case .text(let text): text.databaseValue
        }
    }
}

extension RunRecord {
    /// Nil for a row that no version of ours writes.
    init?(_ row: Row) {
        guard let id = row.text("id"), let kind = row.text("kind"), let started = row.time("started"),
            let outcome = row.text("outcome").flatMap({ JournalOutcome(rawValue: $0) }),
            let trigger = row.text("started_by").flatMap({ RunTrigger(rawValue: $0) }),
            let summary = row.text("summary")
        else { return nil }
        self.init(
            id: id,
            kind: kind,
            started: started,
            ended: row.time("ended"),
            outcome: outcome,
            trigger: trigger,
            summary: summary
        )
    }
}

extension StepRecord {
    /// Nil for a row that no version of ours writes.
    init?(_ row: Row) {
        guard let run = row.text("run"), let number = row.integer("number"), let kind = row.text("kind"),
            let started = row.time("started"), let text = row.text("text"),
            let outcome = row.text("outcome").flatMap({ JournalOutcome(rawValue: $0) })
        else { return nil }
        self.init(
            run: run,
            number: Int(number),
            kind: kind,
            workload: row.text("workload"),
            repository: row.text("repository"),
            medium: row.text("medium"),
            started: started,
            ended: row.time("ended"),
            outcome: outcome,
            bytes: row.count("bytes"),
            files: row.count("files"),
            snapshot: row.text("snapshot"),
            text: text
        )
    }
}

extension EvidenceRecord {
    /// Nil for a row that no version of ours writes.
    init?(_ row: Row) {
        guard let id = row.text("id"), let kind = row.text("kind"), let when = row.time("at"),
            let outcome = row.text("outcome").flatMap({ EvidenceOutcome(rawValue: $0) }),
            let detail = row.text("detail")
        else { return nil }
        self.init(
            id: id,
            kind: kind,
            workload: row.text("workload"),
            repository: row.text("repository"),
            snapshot: row.text("snapshot"),
            medium: row.text("medium"),
            when: when,
            outcome: outcome,
            bytes: row.count("bytes"),
            duration: row.integer("nanoseconds").map { .nanoseconds($0) },
            detail: detail
        )
    }
}

extension DueMessage {
    /// Nil for a row that no version of ours writes.
    init?(_ row: Row) {
        guard let id = row.text("id"), let channel = row.text("channel"), let event = row.text("event"),
            let title = row.text("title"), let body = row.text("body"), let created = row.time("created"),
            let attempts = row.integer("attempts")
        else { return nil }
        self.init(
            message: OutboxMessage(
                id: id,
                channel: channel,
                event: event,
                title: title,
                body: body,
                created: created
            ),
            attempts: Int(attempts),
            lastTried: row.time("tried"),
            lastError: row.text("error")
        )
    }
}
