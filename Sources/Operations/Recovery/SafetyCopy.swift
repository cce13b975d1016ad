package import Bytes
import HostSystem
import Outcome
import Protection
import ResticFormat
import ResticRepository
import Strategy
import Synchronization

/// What was saved before a restore.
package struct SavedBefore: Sendable {
    package var snapshot: SnapshotID
    package var repository: String
}

/// A snapshot of what would be lost at a place before something is restored over it.
///
/// 1. It stands in the nearest repository that can be written, under a tag of its own: it counts as no copy of a workload, and no rule removes it.
/// 2. Everything that would be lost is in it, and was read back from the store and unpacked, before the first file is replaced (L7).
struct SafetyCopy: Sendable {
    /// More files than this are not named one by one in the snapshot: it is made of the paths that are restored.
    private static let targetsMax = 1000

    private let environment: ProtectionEnvironment
    private let prepared: PreparedRestore

    init(_ environment: ProtectionEnvironment, _ prepared: PreparedRestore) {
        self.environment = environment
        self.prepared = prepared
    }

    private var workload: Workload? { environment.lab.workloads.first { $0.name == prepared.request.wish.workload } }

    /// Errors: `E-NOT-SAVED`, cancellation.
    func save() async throws -> SavedBefore {
        guard prepared.preview.losses.count < RestorePreview.lossesKept else {
            throw notSaved(["more than a million files would be replaced or removed"])
        }
        var reasons: [String] = []
        for store in workload.map(environment.stores(of:)) ?? [] {
            do {
                return SavedBefore(snapshot: try await save(in: store), repository: store.name)
            } catch let failure as RecoveryFailure {
                reasons.append("\(store.name): \(failure.what)")
            } catch {
                let failure = try reportable(error, operation: "save", object: store.name)
                reasons.append("\(store.name): \(store.trouble(failure))")
            }
        }
        throw notSaved(reasons)
    }

    private func save(in store: LabStore) async throws -> SnapshotID {
        let (repository, _) = try await store.openOrCreate(polynomial: nil, .never)
        return try await repository.locked(.shared) {
            let view = try await StoreView(repository, lab: environment.lab)
            if let earlier = view.earlier { throw store.stale(earlier) }
            try await repository.loadIndex()
            let parent = view.workloads[prepared.request.wish.workload]?.last?.snapshot
            let problems = SavingProblems()
            let result = try await backup(request(parent), to: repository, observer: problems)
            guard let snapshot = result.snapshot, result.errorCount == 0 else {
                throw notSaved([problems.first ?? "\(result.errorCount) items could not be read"])
            }
            try await readBack(snapshot, in: repository)
            return snapshot
        }
    }

    // MARK: what is saved

    private func request(_ parent: Snapshot?) -> BackupRequest {
        let losses = prepared.preview.losses.outermost
        let isNamed = losses.count <= Self.targetsMax
        let there = prepared.paths.filter { (try? status(at: $0)) != nil }
        var request = BackupRequest(
            targets: isNamed ? losses : there,
            workingDirectory: "/",
            hostName: environment.repository.hostName,
            time: environment.repository.zonedNow(),
            programVersion: environment.programVersion
        )
        request.parent = parent
        let name = prepared.request.wish.workload
        request.tags = [SnapshotTag.lab(environment.lab.name), SnapshotTag.safety(name)]
        guard !isNamed, let workload else { return request }
        // What is left out of copies may be large, and only `--delete` touches it.
        let host = prepared.request.deletes ? nil : workload.host
        let leftOut = prepared.request.deletes ? environment.ownFolders : environment.leftOut(of: workload)
        if let host {
            request.filter = SourceFilter(host, leavingOut: leftOut)
        } else {
            request.filter.excludes = leftOut.map { ByteString(literalPattern($0)) }
        }
        return request
    }

    // MARK: what is proven

    /// Finds each item that would be lost in the snapshot, and reads the contents of files from the store.
    private func readBack(_ snapshot: SnapshotID, in repository: Repository) async throws {
        let document = try await repository.loadSnapshot(snapshot).document
        guard let tree = document.tree else { throw notSaved(["the snapshot names no tree"]) }
        let worker = repository.makeWorker()
        var missing = Set(prepared.preview.losses)
        var contents: [BlobID] = []
        try await repository.walkNodes(
            below: tree,
            worker: worker,
            visit: { found in
                try Task.checkCancellation()
                if missing.remove(found.path) != nil, let content = found.node.content {
                    contents.append(contentsOf: content)
                }
                return .enter
            }
        )
        if let first = missing.min() {
            throw notSaved(["\(missing.count) items are not in the snapshot, the first: \(first.display)"])
        }
        try await repository.streamBlobs(contents, worker: worker) { _ in }
    }

    private func notSaved(_ reasons: [String]) -> RecoveryFailure {
        RecoveryFailure(
            .notSaved,
            retry: .afterRepair,
            operation: "restore",
            object: prepared.request.wish.workload,
            what: "what is there now cannot be saved first: \(reasons.joined(separator: "; "))",
            state: "nothing was restored, and nothing that is there was changed",
            next: "restore beside it with --to DIR, or overwrite it without a copy of it with --no-safety-copy"
        )
    }
}

/// Keeps the first item that could not be read.
private final class SavingProblems: BackupObserver {
    private let state = Mutex<String?>(nil)

    var first: String? { state.withLock { $0 } }
    var wantsItems: Bool { false }

    func failed(path: ByteString, during: BackupPhase, error: any Error) {
        guard during == .archival else { return }
        state.withLock { $0 = $0 ?? "\(path.display): \(reason(of: error))" }
    }

    func completed(
        _ action: ItemAction,
        path: ByteString,
        isDirectory: Bool,
        statistics: ItemStatistics,
        seconds: Double
    ) {}
    func excluded(path: ByteString) {}
    func scanned(files: UInt64, directories: UInt64, bytes: UInt64, seconds: Double) {}
}

extension [ByteString] {
    /// Those that lie below none of the others.
    fileprivate var outermost: [ByteString] {
        let all = Set(self)
        return filter { path in !path.foldersAbove.contains(where: all.contains) }
    }
}
