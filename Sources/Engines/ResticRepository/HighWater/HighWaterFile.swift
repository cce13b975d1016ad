package import Bytes
import HostSystem
import Synchronization

/// The record of one repository on this machine, `<base>/<config id>/high-water`, beside the copies of its metadata.
///
/// 1. It is not the truth (L8): a record that is lost, damaged or cannot be written costs a warning that will not be given, never
///    a run; `warn` says so once. It is therefore not synced: what a power cut leaves of it has no end, and begins anew.
/// 2. Several processes change it, one at a time: each reads it anew under a lock on its directory, and gives it its name by rename.
package final class HighWaterFile: Sendable {
    private static let name: ByteString = "high-water"

    private let directory: Directory
    private let environment: RepositoryEnvironment
    /// The lock is the process's; inside it tasks take turns.
    private let turn = Mutex(())
    private let isTold = Mutex(false)
    private let warn: @Sendable (String) -> Void

    /// Nil when there is no place for it, and `warn` has said why.
    package init?(
        base: ByteString,
        repositoryID: Digest,
        environment: RepositoryEnvironment,
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        do throws(CacheFailure) {
            directory = try CacheLayout.open(base: base, name: repositoryID.hex, entropy: environment.entropy)
        } catch {
            warn(Self.sentence(error.text))
            return nil
        }
        self.environment = environment
        self.warn = warn
    }

    private static func sentence(_ why: String) -> String {
        "what this machine remembers of the repository is not used: \(why); a store that is set back may go unnoticed"
    }

    private func tell(_ why: String) {
        let isFirst = isTold.withLock { isTold in
            defer { isTold = true }
            return !isTold
        }
        if isFirst { warn(Self.sentence(why)) }
    }

    /// What is written there; an empty record when there is none that can be read.
    package func load() -> HighWaterRecord {
        let text: [UInt8]
        do throws(Errno) {
            text = try readAll(directory.openFile(Self.name), limit: Limits.highWaterBytesMax)
        } catch {
            if error.kind != .missing { tell("\(error)") }
            return HighWaterRecord()
        }
        if let record = HighWaterRecord(decoding: text) { return record }
        tell("the record is damaged, and begins anew")
        return HighWaterRecord()
    }

    /// Changes it; nothing is written when it stays the same, or when others hold it for too long.
    package func update(_ change: (inout HighWaterRecord) -> Void) async {
        for _ in 0..<Limits.highWaterLockTries {
            do throws(Errno) {
                if try tryUpdate(change) { return }
            } catch {
                return tell("\(error)")
            }
            // A cancelled run does not wait, but its last notes are taken.
            try? await environment.time.sleep(nanoseconds: Limits.highWaterLockPauseNanoseconds)
        }
        tell("another process holds it")
    }

    /// False while another process holds the lock.
    private func tryUpdate(_ change: (inout HighWaterRecord) -> Void) throws(Errno) -> Bool {
        let result: Result<Bool, Errno> = turn.withLock { _ in
            do throws(Errno) {
                guard try directory.descriptor.tryLock(exclusive: true) else { return .success(false) }
                defer { directory.descriptor.unlock() }
                let before = load()
                var record = before
                change(&record)
                if record != before { try write(record.encode()) }
                return .success(true)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
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
