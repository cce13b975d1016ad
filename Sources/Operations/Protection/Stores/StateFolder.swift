import Bytes
package import HostSystem

/// The folder in which this machine keeps what it remembers of a lab.
///
/// ```
/// locks/             one file for each workload, held while a process runs it; for media that runs mount; for the ledger
/// record/            what is left in each repository: ledger.json, the declaration
/// owed/              commands after backups that have to be run, one file each
/// cache/             copies of metadata, and what was seen of each store
/// ```
/// Everything has mode 0700 and 0600, whatever the umask (S-06). All of it can be lost (L8).
package enum StateFolder {
    /// What is left in each repository.
    package static func record(in folder: String) -> String { "\(folder)/record" }
    /// Commands after backups that have to be run.
    package static func owed(in folder: String) -> String { "\(folder)/owed" }
    /// Copies of metadata, and what was seen of each store.
    package static func cache(in folder: String) -> String { "\(folder)/cache" }

    /// Opens a folder, and makes it where it is missing.
    ///
    /// Errors: `E-FOLDER`.
    package static func open(_ folder: String) throws -> Directory {
        do throws(Errno) {
            return try Directory.createAll(ByteString(folder))
        } catch {
            throw ProtectionFailure.folder("create", folder, error)
        }
    }

    /// Bytes that have to be free for what a run remembers.
    private static let freeBytesMin: UInt64 = 1 << 20

    /// Why nothing can be remembered there, by what its file system says; nil when it can, and where it is not made yet.
    package static func trouble(in folder: String) -> String? {
        guard let space = try? FileSystemSpace.at(ByteString(folder)) else { return nil }
        if space.isReadOnly { return "is on a file system that is read-only" }
        if space.freeBytes < freeBytesMin { return "is on a disk that is full" }
        if space.isOutOfInodes { return "is on a disk that takes no further file" }
        return nil
    }

    /// Takes a lock of that name, which ends with the descriptor or the process.
    ///
    /// Nil when another process holds it. Errors: `E-FOLDER`.
    package static func takeLock(_ name: String, in folder: String, exclusive: Bool = true) throws -> FileDescriptor? {
        let locks = "\(folder)/locks"
        let directory = try open(locks)
        do throws(Errno) {
            let file = try lockFile(ByteString(name), in: directory)
            return try file.tryLock(exclusive: exclusive) ? file : nil
        } catch {
            throw ProtectionFailure.folder("lock", "\(locks)/\(name)", error)
        }
    }

    private static func lockFile(_ name: ByteString, in directory: Directory) throws(Errno) -> FileDescriptor {
        do throws(Errno) {
            return try directory.createFile(name)
        } catch  where error.kind == .exists {
            return try directory.openFileForUpdate(name)
        }
    }
}
