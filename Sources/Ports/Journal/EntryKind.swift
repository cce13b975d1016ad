/// The kinds of entries, as the emergency file names them, and what each does to the database.
///
/// 1. Each statement may be repeated: the same values again leave the same rows.
/// 2. A later version appends columns that may be null, and never moves one: lines of an older emergency file stay
///    readable.
enum EntryKind: String, Sendable, Hashable, CaseIterable {
    case run, step, evidence, owed, settled, audit, fact, message
    case messageTried = "message-tried"

    /// Values that a row of this kind has.
    var valueCount: Int { statement.utf8.count { $0 == 0x3f } }

    /// The statement, with one `?` for each value.
    var statement: String {
        switch self {
        case .run:
            insertion + """
                 ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, started = excluded.started, ended = excluded.ended,
                outcome = excluded.outcome, started_by = excluded.started_by, summary = excluded.summary,
                process = excluded.process
                WHERE excluded.outcome <> 'running' OR run.outcome IN ('running', 'interrupted')
                """
        case .step:
            insertion + """
                 ON CONFLICT (run, number) DO UPDATE SET kind = excluded.kind, workload = excluded.workload,
                repository = excluded.repository, medium = excluded.medium, started = excluded.started,
                ended = excluded.ended, outcome = excluded.outcome, bytes = excluded.bytes, files = excluded.files,
                snapshot = excluded.snapshot, text = excluded.text
                WHERE excluded.outcome <> 'running' OR step.outcome IN ('running', 'interrupted')
                """
        case .evidence, .message: insertion + " ON CONFLICT (id) DO NOTHING"
        case .owed:
            insertion + """
                 ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, object = excluded.object, text = excluded.text,
                since = excluded.since
                """
        case .settled: "DELETE FROM owed WHERE id = ?"
        case .audit: insertion
        case .fact:
            insertion + """
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value, at = excluded.at WHERE excluded.at >= fact.at
                """
        case .messageTried:
            """
            UPDATE message SET attempts = attempts + 1, tried = tried_.at, error = tried_.error, due = tried_.due,
            done = tried_.done
            FROM (SELECT ? AS id, ? AS at, ? AS error, ? AS due, ? AS done) AS tried_
            WHERE message.id = tried_.id AND (message.tried IS NULL OR message.tried < tried_.at)
            """
        }
    }

    /// What `rebuild` does: a row that is there already knows more than the store does.
    var learning: String { insertion + " ON CONFLICT DO NOTHING" }

    private var insertion: String {
        switch self {
        case .run:
            """
            INSERT INTO run (id, host, kind, started, ended, outcome, started_by, summary, process)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        case .step:
            """
            INSERT INTO step (run, number, kind, workload, repository, medium, started, ended, outcome, bytes, files,
            snapshot, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        case .evidence:
            """
            INSERT INTO evidence (id, kind, workload, repository, snapshot, medium, at, outcome, bytes, nanoseconds,
            detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        case .owed: "INSERT INTO owed (id, kind, object, text, since) VALUES (?, ?, ?, ?, ?)"
        case .audit: "INSERT INTO audit (at, who, what, object) VALUES (?, ?, ?, ?)"
        case .fact: "INSERT INTO fact (key, value, at) VALUES (?, ?, ?)"
        case .message:
            """
            INSERT INTO message (id, channel, event, title, body, created, due, attempts, done)
            SELECT id, channel, event, title, body, created, created, 0, 0
            FROM (SELECT ? AS id, ? AS channel, ? AS event, ? AS title, ? AS body, ? AS created) WHERE true
            """
        case .settled, .messageTried: preconditionFailure("\(rawValue) inserts nothing")
        }
    }
}
