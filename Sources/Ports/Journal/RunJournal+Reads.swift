package import Bytes
import GRDB

/// Questions; an unusable journal answers with nothing, and `isUsable` is false then.
extension RunJournal {
    /// The run with this identifier.
    package func run(_ id: String) async -> RunRecord? {
        await rows("SELECT * FROM run WHERE id = ?", [.text(id)]) { RunRecord($0) }.first
    }

    /// Runs that started then or later, newest first.
    package func runs(since moment: Timestamp, limit: Int) async -> [RunRecord] {
        await rows(
            "SELECT * FROM run WHERE started >= ? ORDER BY started DESC, id LIMIT ?",
            [.time(moment), bound(limit)]
        ) { RunRecord($0) }
    }

    /// The steps of a run by their numbers.
    package func steps(ofRun id: String) async -> [StepRecord] {
        await rows(
            "SELECT * FROM step WHERE run = ? ORDER BY number LIMIT ?",
            [.text(id), bound(JournalLimits.rowsReadMax)]
        ) { StepRecord($0) }
    }

    /// For each workload and repository the newest step of a kind, and the newest that was `ok`.
    ///
    /// **Cost**: some 0.3 s for a hundred thousand steps, out of an index; the rows alone that are returned are read.
    package func newestSteps(kind: String) async -> [NewestStep] {
        let attempted = await newestSteps(kind, "")
        let succeeded = Dictionary(
            await newestSteps(kind, "AND outcome = 'ok'").map { (PairKey($0.workload, $0.repository), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        return attempted.map { step in
            NewestStep(
                workload: step.workload,
                repository: step.repository,
                attempted: step,
                succeeded: succeeded[PairKey(step.workload, step.repository)]
            )
        }
    }

    private func newestSteps(_ kind: String, _ condition: String) async -> [StepRecord] {
        await rows(
            """
            SELECT step.* FROM step JOIN (SELECT rowid AS id, row_number() OVER (PARTITION BY workload, repository
                ORDER BY started DESC, rowid DESC) AS place FROM step WHERE kind = ? \(condition)) AS newest
            ON newest.id = step.rowid WHERE place = 1 ORDER BY workload, repository LIMIT ?
            """,
            [.text(kind), bound(JournalLimits.rowsReadMax)]
        ) { StepRecord($0) }
    }

    /// For each workload and repository the newest evidence of a kind, and the newest that passed.
    package func newestEvidence(kind: String) async -> [NewestEvidence] {
        let newest = await newestEvidence(kind, "")
        let passed = Dictionary(
            await newestEvidence(kind, "AND outcome = 'passed'").map { (PairKey($0.workload, $0.repository), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        return newest.map { evidence in
            NewestEvidence(
                workload: evidence.workload,
                repository: evidence.repository,
                newest: evidence,
                newestPassed: passed[PairKey(evidence.workload, evidence.repository)]
            )
        }
    }

    private func newestEvidence(_ kind: String, _ condition: String) async -> [EvidenceRecord] {
        await rows(
            """
            SELECT evidence.* FROM evidence JOIN (SELECT rowid AS id, row_number() OVER (PARTITION BY workload, repository
                ORDER BY at DESC, rowid DESC) AS place FROM evidence WHERE kind = ? \(condition)) AS newest
            ON newest.id = evidence.rowid WHERE place = 1 ORDER BY workload, repository LIMIT ?
            """,
            [.text(kind), bound(JournalLimits.rowsReadMax)]
        ) { EvidenceRecord($0) }
    }

    /// For each workload the longest of its last successful steps of a kind.
    package func longestDurations(kind: String, last: Int) async -> [LongestDuration] {
        await rows(
            """
            SELECT workload, max(ended - started) AS longest, count(*) AS steps FROM (
                SELECT workload, started, ended, row_number() OVER (PARTITION BY workload ORDER BY started DESC, rowid DESC)
                AS place FROM step WHERE kind = ? AND outcome = 'ok' AND ended >= started)
            WHERE place <= ? GROUP BY workload ORDER BY workload LIMIT ?
            """,
            [.text(kind), .integer(Int64(max(0, last))), bound(JournalLimits.rowsReadMax)]
        ) { row in
            guard let longest = row.integer("longest"), let steps = row.integer("steps") else { return nil }
            return LongestDuration(workload: row.text("workload"), longest: .nanoseconds(longest), steps: Int(steps))
        }
    }

    /// Everything that is to be removed, oldest first.
    package func owedCleanups() async -> [OwedCleanup] {
        await rows(
            "SELECT * FROM owed ORDER BY since, id LIMIT ?",
            [bound(JournalLimits.rowsReadMax)]
        ) { row in
            guard let id = row.text("id"), let kind = row.text("kind"), let object = row.text("object"),
                let text = row.text("text"), let since = row.time("since")
            else { return nil }
            return OwedCleanup(id: id, kind: kind, object: object, text: text, since: since)
        }
    }

    /// What was done, newest first.
    package func audit(limit: Int) async -> [AuditRecord] {
        await rows("SELECT * FROM audit ORDER BY number DESC LIMIT ?", [bound(limit)]) { row in
            guard let who = row.text("who"), let what = row.text("what"), let object = row.text("object"),
                let when = row.time("at")
            else { return nil }
            return AuditRecord(who: who, what: what, object: object, when: when)
        }
    }

    /// A fact by its name.
    package func fact(_ key: String) async -> JournalFact? {
        await rows("SELECT * FROM fact WHERE key = ?", [.text(key)]) { $0.fact }.first
    }

    /// The facts whose names begin so, by name: `declared/`.
    package func facts(prefix: String) async -> [JournalFact] {
        await rows(
            "SELECT * FROM fact WHERE substr(key, 1, ?) = ? ORDER BY key LIMIT ?",
            [.integer(Int64(prefix.unicodeScalars.count)), .text(prefix), bound(JournalLimits.rowsReadMax)]
        ) { $0.fact }
    }

    /// Messages whose time has come, the longest waiting first.
    package func dueMessages(now: Timestamp, limit: Int) async -> [DueMessage] {
        await rows(
            "SELECT * FROM message WHERE done = 0 AND due <= ? ORDER BY due, id LIMIT ?",
            [.time(now), bound(limit)]
        ) { DueMessage($0) }
    }

    /// What the connection runs with: `journal_mode`, `synchronous`, `mmap_size`, `user_version`, `application_id`,
    /// `library`.
    package func settings() async -> [String: String] {
        var found: [String: String] = [:]
        for name in ["journal_mode", "synchronous", "mmap_size", "user_version", "application_id"] {
            found[name] = await rows("PRAGMA \(name)", []) { row in
                row.databaseValues.first.map { String(describing: $0.storage.value ?? "") }
            }.first
        }
        found["library"] = await rows("SELECT sqlite_version() AS value", []) { $0.text("value") }.first
        return found
    }

    // MARK: Parts

    private func rows<T: Sendable>(
        _ sql: String,
        _ arguments: [JournalValue],
        _ decode: @escaping @Sendable (Row) -> T?
    ) async -> [T] {
        await use { core in
            core.read([]) { database in
                try Row.fetchAll(
                    database,
                    sql: sql,
                    arguments: StatementArguments(arguments.map(\.databaseValue))
                ).compactMap(decode)
            }
        }
    }

    private func bound(_ limit: Int) -> JournalValue { .integer(Int64(min(max(0, limit), JournalLimits.rowsReadMax))) }
}

/// A workload and a repository, either of which may be none.
private struct PairKey: Hashable {
    var workload: String?
    var repository: String?

    init(_ workload: String?, _ repository: String?) {
        self.workload = workload
        self.repository = repository
    }
}

extension Row {
    fileprivate var fact: JournalFact? {
        guard let key = text("key"), let value = text("value"), let when = time("at") else { return nil }
        return JournalFact(key: key, value: value, when: when)
    }
}
