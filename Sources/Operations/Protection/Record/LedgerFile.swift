import Bytes
import HostSystem
import Outcome
import ResticRepository
package import Strategy
import Synchronization

/// The ledger of this machine, `record/ledger.json` in the state folder.
///
/// 1. It is not the truth (L8): a file that is lost or damaged begins anew, one that cannot be written costs a warning, never a run (M-03,
///    C-04); what could not be written stays in memory, and is written with the next change.
/// 2. Several processes change it, one at a time: each reads it anew under a lock. All that is written beside it is written under that lock, too.
package final class LedgerFile: Sendable {
    private static let name: ByteString = "ledger.json"
    private static let lockName = "ledger"
    /// Tries to get the lock, and the pause between them: five seconds in all.
    private static let lockTries = 100
    private static let lockPauseNanoseconds: UInt64 = 50_000_000

    private let environment: ProtectionEnvironment
    /// Changes since the file was last written.
    private let waiting = Mutex<[@Sendable (inout Ledger) -> Void]>([])

    package init(_ environment: ProtectionEnvironment) { self.environment = environment }

    private var folder: String { StateFolder.record(in: environment.stateFolder) }

    /// The ledger in a state folder; nil when there is none that can be read.
    package static func read(_ stateFolder: String) -> Ledger? {
        let path = "\(StateFolder.record(in: stateFolder))/\(name.display)"
        return (try? readFile(ByteString(path), limit: Ledger.bytesMax)).flatMap { Ledger(decoding: $0) }
    }

    /// What is there: nil when nothing is, or nothing that can be read, and then `isDamaged` tells which.
    package func load() -> (ledger: Ledger?, isDamaged: Bool) {
        do throws(Errno) {
            let bytes = try readFile(ByteString("\(folder)/\(Self.name.display)"), limit: Ledger.bytesMax)
            let ledger = Ledger(decoding: bytes)
            return (ledger, ledger == nil)
        } catch {
            return (nil, error.kind != .missing)
        }
    }

    /// The ledger with what is waiting to be written.
    package func current() -> Ledger {
        var ledger = load().ledger ?? Ledger()
        for change in waiting.withLock({ $0 }) { change(&ledger) }
        return ledger
    }

    /// The ledger, found again in the repositories when this machine has lost it.
    ///
    /// Cost: where it was lost, each repository is opened and its index read.
    package func loadOrRecover() async -> Ledger {
        let (ledger, isDamaged) = load()
        if ledger != nil || !waiting.withLock(\.isEmpty) { return current() }
        if isDamaged { environment.warn("the ledger of this machine is damaged, and is read from the repositories") }
        var found = Ledger()
        for store in environment.stores {
            guard let repository = try? await store.open(),
                let ledger = try? await repository.loadLedger(of: environment.lab)
            else {
                continue
            }
            found = found.merged(with: ledger)
        }
        let recovered = found
        if recovered.updated != nil { await update { $0 = $0.merged(with: recovered) } }
        return recovered
    }

    /// Changes it.
    package func update(_ change: @escaping @Sendable (inout Ledger) -> Void) async {
        waiting.withLock { $0.append(change) }
        do {
            guard let lock = try await takeLock() else {
                return environment.warn("another process holds the ledger; what this run learned is written later")
            }
            defer { lock.unlock() }
            try write()
        } catch {
            environment.warn("the ledger cannot be written, and the run goes on: \(error)")
        }
    }

    /// Writes the declaration into the folder of the record, beside the ledger.
    ///
    /// Errors: `E-FOLDER`, `E-BUSY`.
    func writeDeclaration() async throws {
        guard let lock = try await takeLock() else {
            throw ProtectionFailure(
                .busy,
                retry: .later,
                operation: "write",
                object: folder,
                what: "another process holds the ledger",
                state: "the run goes on",
                next: "nothing: the next run writes it"
            )
        }
        defer { lock.unlock() }
        let directory = try StateFolder.open(folder)
        for file in environment.declarationFiles { try write(file.bytes, to: ByteString(file.name), in: directory) }
    }

    /// Removes what writers that were killed have left; not now where another process writes, or nothing is remembered yet.
    func removeLeftovers() {
        let leftovers = StateLeftovers(folder: environment.stateFolder, now: environment.now)
        guard leftovers.isMade,
            let lock = try? StateFolder.takeLock(Self.lockName, in: environment.stateFolder)
        else { return }
        defer { lock.unlock() }
        leftovers.remove()
    }

    private func takeLock() async throws -> FileDescriptor? {
        for number in 0..<Self.lockTries {
            if number > 0 { try await environment.repository.time.sleep(nanoseconds: Self.lockPauseNanoseconds) }
            if let lock = try StateFolder.takeLock(Self.lockName, in: environment.stateFolder) { return lock }
        }
        return nil
    }

    private func write() throws {
        let changes = waiting.withLock { $0 }
        var ledger = load().ledger ?? Ledger()
        for change in changes { change(&ledger) }
        ledger.updated = environment.now
        try write(ledger.encode(), to: Self.name, in: try StateFolder.open(folder))
        waiting.withLock { $0.removeFirst(changes.count) }
    }

    private func write(_ bytes: [UInt8], to name: ByteString, in directory: Directory) throws {
        do throws(Errno) {
            try writeDurably(
                bytes,
                to: name,
                in: directory,
                ifExists: .replace,
                entropy: environment.repository.entropy
            )
        } catch {
            throw ProtectionFailure.folder("write", "\(folder)/\(name.display)", error)
        }
    }
}
