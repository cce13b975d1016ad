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
                let taken = try transaction(connection) { database in
                    let taken = waiting == nil ? Takeover() : try takeOver(database)
                    for row in rows { _ = try apply(row, to: database) }
                    return taken
                }
                opening.imported += taken.entries
                if waiting != nil { emptyPending(after: taken) }
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

    /// What became of the content of the emergency file.
    struct Takeover {
        var entries = 0
        /// Lines that could not be read, or that the tables refused.
        var unusableLines = 0
    }

    /// Applies what the emergency file holds, in the transaction that is open and under its lock.
    func takeOver(_ database: Database) throws -> Takeover {
        guard let pending, !pending.isEmpty else { return Takeover() }
        let content = try pending.content()
        var taken = Takeover(unusableLines: content.unreadableLines)
        // The last process got this far, and not as far as to empty it.
        if !content.name.isEmpty, try Meta.value("imported", in: database) == content.name { return taken }
        for row in content.rows {
            if try apply(row, to: database) { taken.entries += 1 } else { taken.unusableLines += 1 }
        }
        if !content.name.isEmpty { try Meta.set("imported", content.name, in: database) }
        return taken
    }

    /// Empties the emergency file after its content was taken over, under its lock; with unusable lines it is kept
    /// aside first.
    mutating func emptyPending(after taken: Takeover) {
        guard let pending, !pending.isEmpty else { return }
        do throws(Errno) {
            if taken.unusableLines > 0, let folder {
                try folder.keepUnread(try pending.content().bytes, stamp: stamp, entropy: entropy)
                tell(
                    "unread",
                    "\(taken.unusableLines) lines of its emergency file could not be read; a copy is kept beside it"
                )
            }
            try pending.clear()
        } catch {
            // The database remembers that it has them.
            tell("emergency", "its emergency file cannot be emptied: \(error)")
        }
    }

    // MARK: Rows

    /// Applies one row; false for one that breaks a rule of the tables, which is left out, since it would block all
    /// that follow.
    private func apply(_ row: EntryRow, to database: Database) throws -> Bool {
        do {
            try database.cachedStatement(sql: row.kind.statement)
                .execute(arguments: StatementArguments(row.values.map(\.databaseValue)))
            return true
        } catch let error as DatabaseError where [.SQLITE_CONSTRAINT, .SQLITE_MISMATCH].contains(error.resultCode) {
            return false
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
