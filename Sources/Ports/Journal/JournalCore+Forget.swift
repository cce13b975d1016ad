import Bytes
import GRDB

/// Bounded retention of what nobody asks for any more.
extension JournalCore {
    /// Removes rows from before the moment; returns how many.
    ///
    /// Of each kind, workload and repository the newest good and the newest other one stay, and whatever still runs or
    /// is owed.
    mutating func forget(before moment: Timestamp) -> Int {
        guard let connection = usable() else { return 0 }
        do {
            let count = try transaction(connection) { database in
                var count = 0
                for rule in Self.rules {
                    let cutoff = max(
                        JournalValue.nanoseconds(of: moment),
                        try oldestKept(rule.table, rule.column, database)
                    )
                    try database.execute(sql: rule.deletion, arguments: [cutoff])
                    count += database.changesCount
                }
                return count
            }
            healed()
            return count
        } catch {
            note(JournalTrouble(error), "forgetting")
            return 0
        }
    }

    /// The moment of the row behind which a table has more than it may.
    private func oldestKept(_ table: String, _ column: String, _ database: Database) throws -> Int64 {
        let row = try Row.fetchOne(
            database,
            sql: "SELECT \(column) AS at FROM \(table) ORDER BY \(column) DESC LIMIT 1 OFFSET ?",
            arguments: [JournalLimits.rowsKeptMax]
        )
        return row?.integer("at").map { $0 == .max ? $0 : $0 + 1 } ?? .min
    }

    private struct Rule {
        var table: String
        var column: String
        var deletion: String
    }

    /// Steps before runs: a run stays as long as one of its steps does.
    private static let rules = [
        Rule(
            table: "step",
            column: "started",
            deletion: """
                DELETE FROM step WHERE started < ? AND outcome <> 'running' AND rowid NOT IN (SELECT id FROM (
                    SELECT rowid AS id, row_number() OVER (PARTITION BY kind, workload, repository, outcome = 'ok',
                    outcome = 'running' ORDER BY started DESC, rowid DESC) AS place FROM step) WHERE place = 1)
                """
        ),
        Rule(
            table: "run",
            column: "started",
            deletion: """
                DELETE FROM run WHERE started < ? AND outcome <> 'running'
                AND NOT EXISTS (SELECT 1 FROM step WHERE step.run = run.id)
                AND rowid NOT IN (SELECT id FROM (SELECT rowid AS id, row_number() OVER (
                    PARTITION BY kind, outcome = 'ok', outcome = 'running' ORDER BY started DESC, rowid DESC) AS place FROM run)
                    WHERE place = 1)
                """
        ),
        Rule(
            table: "evidence",
            column: "at",
            deletion: """
                DELETE FROM evidence WHERE at < ? AND rowid NOT IN (SELECT id FROM (
                    SELECT rowid AS id, row_number() OVER (PARTITION BY kind, workload, repository, outcome
                    ORDER BY at DESC, rowid DESC) AS place FROM evidence) WHERE place = 1)
                """
        ),
        Rule(table: "audit", column: "at", deletion: "DELETE FROM audit WHERE at < ?"),
        Rule(table: "message", column: "created", deletion: "DELETE FROM message WHERE created < ?"),
    ]
}
