import Bytes
import GRDB
import HostSystem

/// Opening: look, check, move aside, migrate, take over, and say what was found.
extension JournalCore {
    /// Opens the journal as it lies there; afterwards there is a connection, or `opening` says why not.
    mutating func open() {
        disconnect()
        reopenAt = time.monotonicNanoseconds() &+ JournalLimits.reopenNanoseconds
        do {
            let folder = try JournalFolder(path)
            self.folder = folder
            openPending(in: folder)
            guard try pending?.lock(milliseconds: patienceMilliseconds) ?? true else {
                throw JournalTrouble.passing("another process is opening it, for longer than we wait")
            }
            defer { pending?.unlock() }
            try openLocked(folder)
        } catch {
            disconnect()
            isTroubled = true
            switch JournalTrouble(error) {
            case .newer(let text):
                opening = Opening(state: .refused(text))
                reopenAt = .max
                tell("refused", text)
            case .damaged(let text), .passing(let text):
                opening = Opening(state: .unavailable(text))
                tell("unavailable", "cannot be used: \(text); backups go on without it")
            }
        }
    }

    private mutating func openPending(in folder: JournalFolder) {
        do throws(Errno) {
            pending = try PendingFile(in: folder.directory)
        } catch {
            pending = nil
            tell("emergency", "has no emergency file: \(error)")
        }
    }

    private mutating func openLocked(_ folder: JournalFolder) throws {
        var moved: String?
        while true {
            do {
                let (found, state) = try connect(folder)
                connection = found
                opening = Opening(state: moved.map { .movedAside($0) } ?? state)
                try settle(found)
                return
            } catch {
                disconnect()
                // A second damaged one was made by us this moment: the disk does not keep what it is given.
                guard case .damaged(let text) = JournalTrouble(error), moved == nil else { throw error }
                let aside = try folder.moveDatabaseAside(stamp: stamp)
                moved = aside
                tell("moved", "is damaged (\(text)); it lies in \(aside) now, and a new one is begun")
            }
        }
    }

    /// Takes over what waits and closes what is over; a disk that cannot be written leaves a journal that can be read.
    private mutating func settle(_ connection: Connection) throws {
        do {
            let (wasSetBack, taken, interrupted) = try transaction(connection) { database in
                (try noteSetBack(connection, database), try takeOver(database), try closeRuns(database))
            }
            opening.wasSetBack = wasSetBack
            opening.imported = taken.entries
            opening.interruptedRuns = interrupted
            emptyPending(after: taken)
            healed()
            if wasSetBack { tell("set back", "is an older copy of itself; it is to be rebuilt from the stores") }
        } catch {
            guard case .passing(let text) = JournalTrouble(error) else { throw error }
            if (error as? DatabaseError)?.resultCode == .SQLITE_READONLY, folder?.isDatabaseWritable == true {
                throw JournalTrouble.damaged("its header says that it is not to be written")
            }
            isTroubled = true
            tell("failing", "can be read and not written: \(text); backups go on without it")
        }
    }

    // MARK: The database

    private func connect(_ folder: JournalFolder) throws -> (Connection, Opening.State) {
        switch try folder.occupant() {
        case .nothing: try folder.createDatabase(stamp: stamp)
        case .file: break
        case .somethingElse: throw JournalTrouble.damaged("something that is no file has its name")
        }
        var configuration = Configuration()
        configuration.label = "journal"
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(Double(patienceMilliseconds) / 1_000)
        let queue = try DatabaseQueue(path: folder.databasePath, configuration: configuration)
        do {
            let (name, state) = try queue.writeWithoutTransaction { try examine($0, folder) }
            return (Connection(queue: queue, name: name, mark: try? GenerationMark(in: folder.directory)), state)
        } catch {
            try? queue.close()
            throw error
        }
    }

    /// Nothing is changed before it is clear that the file is ours, whole, and not newer than we are.
    private func examine(_ database: Database, _ folder: JournalFolder) throws -> (name: String, Opening.State) {
        let library = try number(database, "SELECT sqlite_version() AS value", isVersion: true)
        guard library >= JournalLimits.libraryVersionMin else {
            throw JournalTrouble.passing("the SQLite library is older than 3.37")
        }
        let application = try number(database, "PRAGMA application_id")
        let version = try number(database, "PRAGMA user_version")
        let isBlank = try application == 0 && version == 0 && JournalSchema.shape(database).isEmpty
        if !isBlank { try judge(application: application, version: version) }
        try setDurability(database)
        var state = Opening.State.opened
        if isBlank {
            try create(database)
            state = .fresh
        } else {
            let check = try Row.fetchOne(database, sql: "PRAGMA integrity_check(1)")
            guard check?.text("integrity_check") == "ok" else {
                throw JournalTrouble.damaged(check?.text("integrity_check") ?? "the integrity check gave no answer")
            }
            if version < settings.schema.version { state = .migrated(copy: try migrate(database, folder, version)) }
        }
        guard try JournalSchema.shape(database).isSuperset(of: try settings.schema.shape()) else {
            throw JournalTrouble.damaged("tables or columns are missing")
        }
        guard let name = try Meta.value("journal", in: database), name.utf8.count == 16, Hex.isHex(name.utf8) else {
            throw JournalTrouble.damaged("it has no name")
        }
        return (name, state)
    }

    private func judge(application: Int64, version: Int64) throws(JournalTrouble) {
        guard application == JournalSchema.applicationID else {
            throw .damaged("it is a database of another program (application \(application))")
        }
        guard (1...Int64(JournalLimits.schemaVersionMax)).contains(version) else {
            throw .damaged("schema \(version) was never written")
        }
        guard version <= settings.schema.version else {
            throw .newer(
                """
                was written by a newer holdfast (schema \(version), this one knows \(settings.schema.version)); nothing of it is \
                changed, and backups go on without it. Next: run the newer holdfast again, or move journal.sqlite away to begin anew
                """
            )
        }
    }

    /// Never WAL: the library's version decides whether that is safe, and this does not depend on it (M-02).
    private func setDurability(_ database: Database) throws {
        try database.execute(
            sql: """
                PRAGMA synchronous = EXTRA; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;
                PRAGMA cell_size_check = ON
                """
        )
        let mode = try Row.fetchOne(database, sql: "PRAGMA journal_mode = DELETE")?.text("journal_mode")
        guard mode == "delete" else {
            throw JournalTrouble.passing("it cannot be taken out of journal mode \(mode ?? "unknown")")
        }
        guard try number(database, "PRAGMA synchronous") == 3 else {
            throw JournalTrouble.passing("the SQLite library does not write as durably as it has to")
        }
    }

    private func create(_ database: Database) throws {
        try database.inTransaction(.exclusive) {
            try settings.schema.migrate(database, from: 0)
            try Meta.set("journal", Hex.encode(entropy.bytes(8)), in: database)
            try Meta.set("needs-rebuild", "1", in: database)
            return .commit
        }
    }

    /// Keeps a copy, then brings the tables up to date in one transaction.
    private func migrate(_ database: Database, _ folder: JournalFolder, _ version: Int64) throws -> String {
        let copy = try folder.createCopy(version: version, stamp: stamp)
        do {
            try database.execute(sql: "VACUUM INTO ?", arguments: [copy])
            try folder.finishCopy(copy)
            try database.inTransaction(.exclusive) {
                try settings.schema.migrate(database, from: Int(version))
                return .commit
            }
        } catch {
            folder.removeCopy(copy)
            // The original is whole; a step that fails is our mistake and no reason to move anything aside.
            throw JournalTrouble.passing(
                "schema \(version) cannot be brought up to date: \(JournalTrouble(error).text)"
            )
        }
        return copy
    }

    private func number(_ database: Database, _ sql: String, isVersion: Bool = false) throws -> Int64 {
        guard let value = try Row.fetchOne(database, sql: sql)?.databaseValues.first else { return -1 }
        switch value.storage {
        case .int64(let number): return number
        case .string(let text) where isVersion:
            return text.split(separator: ".").prefix(3).reduce(0) { $0 * 1_000 + (Int64($1) ?? 0) }
        default: return -1
        }
    }

    // MARK: What opening changes

    /// Whether the file in place is behind what the folder remembers; it is then to be rebuilt.
    private func noteSetBack(_ connection: Connection, _ database: Database) throws -> Bool {
        guard let mark = connection.mark?.read() else { return false }
        let generation = Int64(try Meta.value("generation", in: database) ?? "") ?? 0
        // A new journal has no past, whatever an older one had.
        guard generation > 0, mark.journal != connection.name || mark.generation > generation else { return false }
        try Meta.set("needs-rebuild", "1", in: database)
        return true
    }

    /// Runs whose process is gone were interrupted; so were their steps.
    private func closeRuns(_ database: Database) throws -> Int {
        let running = try Row.fetchAll(database, sql: "SELECT id, process, started FROM run WHERE outcome = 'running'")
        let horizon = time.now().seconds - JournalLimits.unseenRunSeconds
        var interrupted = 0
        for row in running {
            switch ProcessTag.life(of: row.text("process")) {
            case .alive: continue
            case .unseen where (row.time("started")?.seconds ?? 0) > horizon: continue
            case .gone, .unseen: break
            }
            interrupted += 1
            let id: DatabaseValue = row["id"]
            try database.execute(sql: "UPDATE run SET outcome = 'interrupted' WHERE id = ?", arguments: [id])
            try database.execute(
                sql: "UPDATE step SET outcome = 'interrupted' WHERE run = ? AND outcome = 'running'",
                arguments: [id]
            )
        }
        return interrupted
    }
}
