import Bytes
import HostSystem
import Outcome
import ResticFormat
import ResticRepository
package import Strategy

/// Leaves in a repository what this machine knows of the lab: the ledger and the declaration, as an ordinary snapshot with a tag.
struct RecordStep: Sendable {
    let store: OpenStore
    let environment: ProtectionEnvironment

    var step: RunStep { RunStep(.record, repository: store.name) }

    /// Saves the folder of the record; takes a shared lock itself.
    func run() async throws {
        let repository = store.repository
        try await repository.locked(.shared) {
            try await repository.loadIndex()
            var request = BackupRequest(
                targets: [ByteString(StateFolder.record(in: environment.stateFolder))],
                workingDirectory: "/",
                hostName: environment.repository.hostName,
                time: environment.repository.zonedNow(),
                programVersion: environment.programVersion
            )
            request.tags = [SnapshotTag.record, SnapshotTag.lab(environment.lab.name)]
            _ = try await backup(request, to: repository, observer: SilentBackupObserver())
        }
        // Where runs do not remove, these go with the rest.
        if !store.store.medium.isPrunedApart { try await removeOld() }
    }

    /// Records of this host and lab that stay, and how many there are when the others go.
    private static let (kept, most) = (5, 10)

    private func removeOld() async throws {
        let repository = store.repository
        let filter = repository.recordFilter(environment.lab)
        guard try await repository.loadSnapshots(filter: filter, unreadable: { _, _ in }).count > Self.most else {
            return
        }
        try await repository.locked(.exclusive) {
            let records = try await repository.loadSnapshots(filter: filter) { _, _ in }
            try await repository.removeSnapshots(records.dropLast(Self.kept).map(\.id)) { _, _ in }
        }
    }
}

extension Repository {
    /// Records of this host and lab.
    func recordFilter(_ lab: Lab) -> SnapshotFilter {
        SnapshotFilter(hosts: [environment.hostName], tags: [[SnapshotTag.record, SnapshotTag.lab(lab.name)]])
    }

    /// The newest ledger that this host left here for the lab; nil when there is none that can be read.
    ///
    /// Errors: those of the engine, cancellation. **Bounds**: `Ledger.bytesMax`; the newest five records are tried.
    package func loadLedger(of lab: Lab) async throws -> Ledger? {
        let records = try await loadSnapshots(filter: recordFilter(lab)) { _, _ in }
        guard !records.isEmpty else { return nil }
        try await loadIndex()
        for record in records.suffix(5).reversed() {
            if let ledger = try await ledger(in: record) { return ledger }
        }
        return nil
    }

    private func ledger(in record: Snapshot) async throws -> Ledger? {
        guard let tree = record.document.tree, let folder = record.document.paths.first else { return nil }
        let worker = makeWorker()
        do {
            let item = try await dumpItem(
                ByteString(folder.bytes + Array("/ledger.json".utf8)),
                in: tree,
                worker: worker
            )
            guard case .file(let node) = item, node.size <= UInt64(Ledger.bytesMax) else { return nil }
            var bytes: [UInt8] = []
            for id in node.content ?? [] {
                bytes += try await loadBlob(.data, id, worker: worker)
                guard bytes.count <= Ledger.bytesMax else { return nil }
            }
            return Ledger(decoding: bytes)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            return nil
        }
    }
}
