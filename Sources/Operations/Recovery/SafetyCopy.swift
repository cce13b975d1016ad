import Bytes
import HostSystem
import Outcome
import Protection
import ResticFormat
import ResticRepository
import Strategy

/// A snapshot of what is at a place before something is restored over it.
///
/// It stands in the repository that is restored from, under a tag of its own: it counts as no copy of a workload, and no rule removes it.
struct SafetyCopy: Sendable {
    private let environment: ProtectionEnvironment

    init(_ environment: ProtectionEnvironment) { self.environment = environment }

    /// Saves the paths of a restore as they are now.
    ///
    /// Errors: `E-NOT-SAVED`, cancellation.
    func save(_ prepared: PreparedRestore) async throws -> SnapshotID {
        let (workload, copy) = (prepared.request.wish.workload, prepared.choice.copy)
        let paths = prepared.request.paths.isEmpty ? copy.snapshot.document.paths : prepared.request.paths
        let there = paths.filter { (try? status(at: $0)) != nil }
        do {
            let (store, _) = try await copy.store.openOrCreate(polynomial: nil, .never)
            let request = request(there, of: workload)
            let result = try await store.locked(.shared) {
                try await store.loadIndex()
                return try await backup(request, to: store, observer: SilentBackupObserver())
            }
            guard let snapshot = result.snapshot, result.errorCount == 0 else {
                throw notSaved(workload, "\(result.errorCount) items could not be read", cause: nil)
            }
            return snapshot
        } catch let failure as RecoveryFailure {
            throw failure
        } catch {
            let failure = try reportable(error, operation: "save", object: copy.store.name)
            throw notSaved(workload, "\(failure.object) \(failure.what)", cause: failure)
        }
    }

    private func request(_ paths: [ByteString], of workload: String) -> BackupRequest {
        var request = BackupRequest(
            targets: paths,
            workingDirectory: "/",
            hostName: environment.repository.hostName,
            time: environment.repository.zonedNow(),
            programVersion: environment.programVersion
        )
        request.tags = [SnapshotTag.lab(environment.lab.name), SnapshotTag.safety(workload)]
        return request
    }

    private func notSaved(_ workload: String, _ what: String, cause: (any Error)?) -> RecoveryFailure {
        RecoveryFailure(
            .notSaved,
            retry: .afterRepair,
            operation: "restore",
            object: workload,
            what: "what is there now cannot be saved first: \(what)",
            state: "nothing was changed",
            next: "restore beside it with --to DIR, or overwrite it without a copy of it with --no-safety-copy",
            cause: cause
        )
    }
}
