import GRDB

/// The tables of the journal, as steps from nothing to the newest version.
///
/// 1. A step that was released is never edited: step n makes version n out of version n - 1.
/// 2. `user_version` is the number of steps done; it changes in the transaction of the step.
/// 3. Tables are STRICT, so that damage that changes a type is found.
/// 4. Moments are nanoseconds since 1970, durations nanoseconds.
package struct JournalSchema: Sendable {
    /// The statements of each step.
    package var steps: [String]

    package init(steps: [String]) { self.steps = steps }

    /// What this program reads and writes.
    package static let current = JournalSchema(steps: [first])

    /// `HOLD`, so that `file` and we can tell a journal from other databases.
    package static let applicationID: Int64 = 0x484F_4C44

    package var version: Int { steps.count }

    /// Runs the steps that are missing, all in the transaction that is open.
    func migrate(_ database: Database, from version: Int) throws {
        for step in steps[version...] { try database.execute(sql: step) }
        try database.execute(sql: "PRAGMA application_id = \(Self.applicationID); PRAGMA user_version = \(steps.count)")
    }

    /// The columns, indexes and their properties that a database has, each as one text.
    static func shape(_ database: Database) throws -> Set<String> {
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT m.type || ' ' || m.name || ' ' || coalesce(
                    p.name || ' ' || p.type || ' ' || p."notnull" || ' ' || p.pk, '') AS line
                FROM sqlite_master AS m LEFT JOIN pragma_table_info(m.name) AS p ON m.type = 'table'
                WHERE m.name NOT LIKE 'sqlite@_%' ESCAPE '@'
                """
        )
        return Set(rows.compactMap { $0.text("line") })
    }

    /// The shape that these steps give, made in memory.
    func shape() throws -> Set<String> {
        try DatabaseQueue().writeWithoutTransaction { database in
            try migrate(database, from: 0)
            return try Self.shape(database)
        }
    }

    private static let first = """
        CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE run (id TEXT NOT NULL PRIMARY KEY, host TEXT NOT NULL, kind TEXT NOT NULL,
            started INTEGER NOT NULL, ended INTEGER, outcome TEXT NOT NULL, started_by TEXT NOT NULL,
            summary TEXT NOT NULL, process TEXT) STRICT;
        CREATE INDEX run_started ON run (started);
        CREATE TABLE step (run TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, workload TEXT,
            repository TEXT, medium TEXT, started INTEGER NOT NULL, ended INTEGER, outcome TEXT NOT NULL,
            bytes INTEGER, files INTEGER, snapshot TEXT, text TEXT NOT NULL, PRIMARY KEY (run, number)) STRICT;
        CREATE INDEX step_newest ON step (kind, workload, repository, started DESC, outcome);
        CREATE INDEX step_started ON step (started);
        CREATE TABLE evidence (id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, workload TEXT, repository TEXT,
            snapshot TEXT, medium TEXT, at INTEGER NOT NULL, outcome TEXT NOT NULL, bytes INTEGER,
            nanoseconds INTEGER, detail TEXT NOT NULL) STRICT;
        CREATE INDEX evidence_newest ON evidence (kind, workload, repository, at DESC, outcome);
        CREATE INDEX evidence_at ON evidence (at);
        CREATE TABLE owed (id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, object TEXT NOT NULL,
            text TEXT NOT NULL, since INTEGER NOT NULL) STRICT;
        CREATE TABLE audit (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
            object TEXT NOT NULL) STRICT;
        CREATE INDEX audit_at ON audit (at);
        CREATE TABLE fact (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, at INTEGER NOT NULL)
            STRICT, WITHOUT ROWID;
        CREATE TABLE message (id TEXT NOT NULL PRIMARY KEY, channel TEXT NOT NULL, event TEXT NOT NULL,
            title TEXT NOT NULL, body TEXT NOT NULL, created INTEGER NOT NULL, due INTEGER,
            attempts INTEGER NOT NULL, tried INTEGER, error TEXT, done INTEGER NOT NULL) STRICT;
        CREATE INDEX message_due ON message (due) WHERE done = 0;
        CREATE INDEX message_created ON message (created);
        """
}
