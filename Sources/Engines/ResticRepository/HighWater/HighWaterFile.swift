package import Bytes
import HostSystem
import Synchronization

/// The record of one repository on this machine, `<base>/<config id>/high-water`, beside the copies of its metadata.
///
/// 1. It is not the truth (L8): a record that is lost, damaged or cannot be written costs a warning that will not be given, never
///    a run. It is therefore not synced.
/// 2. Several processes change it, one at a time: each reads it anew under a lock on its directory, and gives it its name by rename.
package final class HighWaterFile: Sendable {
    private static let name: ByteString = "high-water"

    private let directory: Directory
    private let environment: RepositoryEnvironment
    /// The lock is the process's; inside it tasks take turns.
    private let turn = Mutex(())

    /// Nil when there is no place for it.
    package init?(base: ByteString, repositoryID: Digest, environment: RepositoryEnvironment) {
        guard let directory = try? CacheLayout.open(base: base, name: repositoryID.hex, entropy: environment.entropy)
        else { return nil }
        self.directory = directory
        self.environment = environment
    }

    /// What is written there; an empty record when there is none that can be read.
    package func load() -> HighWaterRecord {
        guard let file = try? directory.openFile(Self.name),
            let text = try? readAll(file, limit: Limits.highWaterBytesMax)
        else { return HighWaterRecord() }
        return HighWaterRecord(decoding: text) ?? HighWaterRecord()
    }

    /// Changes it; nothing is written when it stays the same, or when others hold it for too long.
    package func update(_ change: (inout HighWaterRecord) -> Void) async {
        for _ in 0..<Limits.highWaterLockTries {
            if tryUpdate(change) { return }
            try? await environment.time.sleep(nanoseconds: Limits.highWaterLockPauseNanoseconds)
        }
    }

    /// False while another process holds the lock.
    private func tryUpdate(_ change: (inout HighWaterRecord) -> Void) -> Bool {
        turn.withLock { _ in
            guard (try? directory.descriptor.tryLock(exclusive: true)) == true else { return false }
            defer { directory.descriptor.unlock() }
            let before = load()
            var record = before
            change(&record)
            if record != before { try? write(record.encode()) }
            return true
        }
    }

    private func write(_ text: [UInt8]) throws(Errno) {
        let (temporary, file) = try directory.createTemporaryFile(
            prefix: CacheLayout.temporaryPrefix,
            entropy: environment.entropy
        )
        do throws(Errno) {
            try file.write(text)
            try file.close()
            try directory.rename(temporary, to: Self.name, in: directory)
        } catch {
            try? directory.remove(temporary)
            throw error
        }
    }
}
