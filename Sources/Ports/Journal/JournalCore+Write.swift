import Bytes
import GRDB
import HostSystem

/// Writing: the database, else the emergency file, else memory, else a warning.
extension JournalCore {
    /// Records rows in their order; never fails, see the parts.
    mutating func record(_ new: [EntryRow]) {
        let rows = held + new
        held = []
        guard !rows.isEmpty else { return }
        if store(rows) { return }
        guard !append(rows) else { return }
        held = rows.suffix(JournalLimits.heldEntriesMax)
        if held.count < rows.count {
            tell(
                "lost",
                "\(rows.count - held.count) entries are lost: neither it nor its emergency file can be written"
            )
        }
    }

    /// One transaction; a journal that turns out damaged is opened anew and tried once more.
    private mutating func store(_ rows: [EntryRow]) -> Bool {
        for _ in 0..<2 {
            guard let connection = usable() else { return false }
            do {
                let waiting = try lockedPending()
                defer { waiting?.unlock() }
                opening.imported += try transaction(connection) { database in
                    let imported = waiting == nil ? 0 : try takeOver(database)
                    for row in rows { try apply(row, to: database) }
                    return imported
                }
                if waiting != nil { emptyPending() }
                healed()
                return true
            } catch {
                let trouble = JournalTrouble(error)
                isStale = (error as? DatabaseError)?.resultCode == .SQLITE_READONLY
                note(trouble, "writing")
                guard case .damaged = trouble else { return false }
            }
        }
        return false
    }

    /// The connection; opened anew when there is none, or one that can only read, and it is time to try.
    mutating func usable() -> Connection? {
        if connection == nil || isStale, time.monotonicNanoseconds() >= reopenAt { open() }
        return connection
    }

    /// The emergency file under its lock where it has entries, so that nobody appends between taking over and emptying.
    private func lockedPending() throws -> PendingFile? {
        guard let pending, !pending.isEmpty else { return nil }
        guard try pending.lock(milliseconds: patienceMilliseconds) else {
            throw JournalTrouble.passing("another process holds the emergency file")
        }
        return pending
    }

    // MARK: The emergency file

    /// Appends; false when that failed too.
    private mutating func append(_ rows: [EntryRow]) -> Bool {
        do {
            if pending?.isNamed != true {
                let folder = try JournalFolder(path)
                self.folder = folder
                pending = try PendingFile(in: folder.directory)
            }
            guard let pending, try pending.lock(milliseconds: patienceMilliseconds) else {
                throw JournalTrouble.passing("another process holds the emergency file")
            }
            defer { pending.unlock() }
            try pending.append(rows, entropy: entropy)
            tell("pending", "entries are kept in \(path)/\(PendingFile.name.display) until it can be written")
            return true
        } catch {
            tell(
                "memory",
                "its emergency file cannot be written: \(JournalTrouble(error).text); entries stay in memory"
            )
            return false
        }
    }

    /// Applies what the emergency file holds, in the transaction that is open and under its lock; returns how many entries.
    func takeOver(_ database: Database) throws -> Int {
        guard let pending, !pending.isEmpty else { return 0 }
        let content = try pending.content()
        if !content.name.isEmpty, try Meta.value("imported", in: database) == content.name { return 0 }
        for row in content.rows { try apply(row, to: database) }
        if !content.name.isEmpty { try Meta.set("imported", content.name, in: database) }
        return content.rows.count
    }

    /// Empties the emergency file after its content was taken over, under its lock; what could not be read is kept aside first.
    mutating func emptyPending() {
        guard let pending, !pending.isEmpty else { return }
        do throws(Errno) {
            let content = try pending.content()
            if content.unreadableLines > 0, let folder {
                try folder.keepUnread(content.bytes, stamp: stamp, entropy: entropy)
                tell(
                    "unread",
                    "\(content.unreadableLines) lines of its emergency file could not be read; they are kept beside it"
                )
            }
            try pending.clear()
        } catch {
            // The database remembers that it has them.
            tell("emergency", "its emergency file cannot be emptied: \(error)")
        }
    }

    // MARK: Rows

    /// Applies one row; one that breaks a rule of the tables is left out, since it would block all that follow.
    private func apply(_ row: EntryRow, to database: Database) throws {
        do {
            try database.cachedStatement(sql: row.kind.statement)
                .execute(arguments: StatementArguments(row.values.map(\.databaseValue)))
        } catch let error as DatabaseError where [.SQLITE_CONSTRAINT, .SQLITE_MISMATCH].contains(error.resultCode) {
            return
        }
    }

    /// Inserts what the stores told and ends the need to rebuild, in one transaction.
    mutating func learn(_ rows: [EntryRow]) -> Bool {
        guard let connection = usable() else { return false }
        do {
            try transaction(connection) { database in
                for row in rows {
                    try database.cachedStatement(sql: row.kind.learning)
                        .execute(arguments: StatementArguments(row.values.map(\.databaseValue)))
                }
                try Meta.remove("needs-rebuild", in: database)
            }
            healed()
            return true
        } catch {
            note(JournalTrouble(error), "rebuilding")
            return false
        }
    }
}
