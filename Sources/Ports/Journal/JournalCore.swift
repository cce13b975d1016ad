import Bytes
import GRDB
import HostSystem

/// What a journal is opened with; tests shorten the waits and move the schema.
package struct JournalSettings: Sendable {
    /// How long another process is waited for.
    package var busyMilliseconds = JournalLimits.busyMilliseconds
    package var schema = JournalSchema.current

    package init() {}
}

/// The journal behind its lock: everything in here blocks, and runs on a thread of the pool alone.
///
/// 1. Entries keep their order: what the database did not take is taken over before anything newer is written.
/// 2. Nothing throws. What fails ends in the emergency file, then in memory, then in a warning.
/// 3. One connection, a rollback journal, `synchronous=EXTRA`, no memory map (M-02).
struct JournalCore: Sendable {
    /// An open database.
    struct Connection: Sendable {
        var queue: DatabaseQueue
        /// The random name of this journal.
        var name: String
        var mark: GenerationMark?
    }

    let path: String
    let host: String
    let time: any TimeSource
    let entropy: any EntropySource
    let settings: JournalSettings
    let process = ProcessTag.current()

    var folder: JournalFolder?
    var pending: PendingFile?
    var connection: Connection?
    var opening = Opening(state: .unavailable("it was not opened yet"))
    /// Entries that neither the database nor the emergency file took.
    var held: [EntryRow] = []
    /// The last use failed: waits are short until one succeeds.
    var isTroubled = false
    /// The connection was made while the file could only be read, and stays so.
    var isStale = false
    /// Monotonic time before which opening is not tried again.
    var reopenAt: UInt64 = 0
    /// Reasons that were told already, until the database works again.
    private var told: Set<String> = []
    /// Sentences for the operator, taken by the caller after each call.
    private var warnings: [String] = []

    init(path: String, host: String, time: any TimeSource, entropy: any EntropySource, settings: JournalSettings) {
        self.path = path
        self.host = host
        self.time = time
        self.entropy = entropy
        self.settings = settings
    }

    var patienceMilliseconds: Int {
        isTroubled ? min(JournalLimits.busyTroubledMilliseconds, settings.busyMilliseconds) : settings.busyMilliseconds
    }

    var stamp: String { nameStamp(seconds: time.now().seconds) }

    // MARK: Telling

    /// Puts a sentence out, once for each topic until the database works again.
    mutating func tell(_ topic: String, _ sentence: String) {
        if told.insert(topic).inserted { warnings.append("journal \(path): \(sentence)") }
    }

    mutating func takeWarnings() -> [String] {
        defer { warnings = [] }
        return warnings
    }

    mutating func healed() {
        isTroubled = false
        told = []
    }

    /// Notes that a use of the database failed; a damaged one is given up, so that the next use begins with opening.
    mutating func note(_ trouble: JournalTrouble, _ doing: String) {
        isTroubled = true
        switch trouble {
        case .damaged(let text):
            tell("damaged", "\(doing) failed: \(text); it is opened anew, and moved aside if it is damaged")
            disconnect()
            reopenAt = 0
        case .newer(let text), .passing(let text):
            tell("failing", "\(doing) failed: \(text); backups go on without it")
        }
    }

    mutating func disconnect() {
        if let connection { try? connection.queue.close() }
        connection = nil
        isStale = false
    }

    /// Lets go of all files, so that a disk can be unmounted; the next use opens them again.
    mutating func close() {
        disconnect()
        pending = nil
        folder = nil
        reopenAt = 0
    }

    // MARK: Transactions

    /// Runs `body` in one transaction that counts the generation up; on the disk when this returns.
    func transaction<T>(_ connection: Connection, _ body: (Database) throws -> T) throws -> T {
        let (result, generation) = try connection.queue.writeWithoutTransaction { database -> (T, Int64) in
            try database.execute(sql: "PRAGMA busy_timeout = \(patienceMilliseconds)")
            var done: (T, Int64)?
            try database.inTransaction(.immediate) {
                let result = try body(database)
                let generation = (Int64(try Meta.value("generation", in: database) ?? "") ?? 0) + 1
                try Meta.set("generation", String(generation), in: database)
                done = (result, generation)
                return .commit
            }
            guard let done else { throw JournalTrouble.passing("a transaction ended without result") }
            return done
        }
        connection.mark?.write(journal: connection.name, generation: generation)
        return result
    }
}

/// What the journal knows of itself.
enum Meta {
    static func value(_ key: String, in database: Database) throws -> String? {
        try Row.fetchOne(database, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])?.text("value")
    }

    static func set(_ key: String, _ value: String, in database: Database) throws {
        try database.execute(
            sql: "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            arguments: [key, value]
        )
    }

    static func remove(_ key: String, in database: Database) throws {
        try database.execute(sql: "DELETE FROM meta WHERE key = ?", arguments: [key])
    }
}
