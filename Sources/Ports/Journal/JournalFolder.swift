import Bytes
import Glibc
import HostSystem

/// The folder of the journal: names, modes, and what is put aside.
///
/// 1. The database is never opened here, not even to look at it: POSIX drops all locks that this process has on a file
///    when any descriptor of it is closed, and SQLite's are of that sort.
/// 2. A database is moved aside together with its rollback journal, which would otherwise be rolled back into the next
///    one.
struct JournalFolder: Sendable {
    static let database: ByteString = "journal.sqlite"
    private static let sideFiles = ["-journal", "-wal", "-shm"]

    let path: String
    let directory: Directory

    /// Opens the folder; what is missing is created for its owner alone, whatever the umask (S-06).
    init(_ path: String) throws(Errno) {
        self.path = path
        directory = try Directory.createAll(ByteString(path), permissions: 0o700)
    }

    var databasePath: String { path + "/journal.sqlite" }

    /// What stands in the database's place.
    enum Occupant { case nothing, file, somethingElse }

    /// Looks, and takes rights from a database that others could read.
    func occupant() throws(Errno) -> Occupant {
        guard try directory.exists(Self.database) else { return .nothing }
        let status = try directory.status(Self.database)
        guard status.kind == .regular else { return .somethingElse }
        if status.permissions & 0o177 != 0 { try? directory.setPermissions(0o600, of: Self.database) }
        return .file
    }

    /// Puts an empty file in place, for its owner alone; SQLite gives its rollback journals the same rights.
    func createDatabase(stamp: String) throws(Errno) {
        // A rollback journal without its database belongs to one that was taken away.
        for side in Self.sideFiles where try directory.exists(ByteString("journal.sqlite" + side)) {
            _ = try moveAside("journal.sqlite" + side, to: "journal.sqlite.damaged-\(stamp)" + side)
        }
        do throws(Errno) {
            _ = try directory.createFile(Self.database)
        } catch  where error.kind == .exists {
            return
        }
        try directory.sync()
    }

    /// Gives the database and what belongs to it another name; returns the path.
    func moveDatabaseAside(stamp: String) throws(Errno) -> String {
        let name = try moveAside("journal.sqlite", to: "journal.sqlite.damaged-\(stamp)")
        for side in Self.sideFiles where try directory.exists(ByteString("journal.sqlite" + side)) {
            _ = try moveAside("journal.sqlite" + side, to: name + side)
        }
        try directory.sync()
        removeOldest(prefix: "journal.sqlite.damaged-", except: name)
        return path + "/" + name
    }

    private func moveAside(_ name: String, to wanted: String) throws(Errno) -> String {
        var target = wanted
        var number = 1
        while true {
            do throws(Errno) {
                try directory.renameWithoutReplacing(ByteString(name), to: ByteString(target), in: directory)
                return target
            } catch  where error.kind == .exists && number < 100 {
                number += 1
                target = "\(wanted).\(number)"
            }
        }
    }

    /// An empty file for a copy of the database; returns its path.
    func createCopy(version: Int64, stamp: String) throws(Errno) -> String {
        let name = "journal.sqlite.schema-\(version)-\(stamp)"
        try? directory.remove(ByteString(name))
        _ = try directory.createFile(ByteString(name))
        return path + "/" + name
    }

    /// Makes a copy durable that SQLite has written.
    func finishCopy(_ path: String) throws(Errno) {
        let name = String(path.dropFirst(self.path.count + 1))
        try directory.openFileForUpdate(ByteString(name)).sync()
        try directory.sync()
        removeOldest(prefix: "journal.sqlite.schema-", except: name)
    }

    /// Takes an unfinished copy away again, so that attempts on a full disk do not pile up.
    func removeCopy(_ path: String) { try? directory.remove(ByteString(String(path.dropFirst(self.path.count + 1)))) }

    /// Keeps lines of the emergency file that could not be read.
    func keepUnread(_ bytes: [UInt8], stamp: String, entropy: any EntropySource) throws(Errno) {
        let name = "journal-pending.jsonl.unread-\(stamp)"
        try writeDurably(bytes, to: ByteString(name), in: directory, entropy: entropy)
        removeOldest(prefix: "journal-pending.jsonl.unread-", except: name)
    }

    /// Whether this user may write the database, as far as its file system says.
    var isDatabaseWritable: Bool { access(databasePath, W_OK) == 0 }

    /// Bounds what stays aside; the time in the names sorts them, and the newest stays whatever the clock said.
    private func removeOldest(prefix: String, except newest: String) {
        guard let entries = try? directory.entries() else { return }
        let names = entries.map(\.name).filter { name in
            name.bytes.starts(with: prefix.utf8) && name != ByteString(newest)
                && !Self.sideFiles.contains { name.bytes.suffix($0.utf8.count).elementsEqual($0.utf8) }
        }
        for name in names.sorted().dropLast(JournalLimits.asideFilesMax - 1) {
            for side in [""] + Self.sideFiles { try? directory.remove(ByteString(name.bytes + Array(side.utf8))) }
        }
    }
}
