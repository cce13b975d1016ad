package import Bytes
import HostSystem
import Outcome
package import Protection
import ResticFormat
package import ResticRepository
import Strategy
import Synchronization

/// Where a restore goes to.
package enum RestorePlace: Sendable, Hashable {
    /// A folder, absolute; made when it is not there.
    case folder(ByteString)
    /// Where everything came from.
    case original

    package var path: ByteString {
        switch self {
        case .folder(let path): path
        case .original: "/"
        }
    }
}

/// One restore of a workload, as asked for.
package struct WorkloadRestoreRequest: Sendable {
    package var wish: CopyWish
    /// Absolute paths in the snapshot; empty: all of it.
    package var paths: [ByteString] = []
    package var place: RestorePlace
    /// Removes what is at the place, below the paths, and not in the snapshot.
    package var deletes = false

    package init(_ wish: CopyWish, to place: RestorePlace) {
        self.wish = wish
        self.place = place
    }
}

/// A restore that was looked into and not begun.
package struct PreparedRestore: Sendable {
    package var request: WorkloadRestoreRequest
    package var choice: CopyChoice
    package var preview: RestorePreview
}

/// What a restore did.
package struct WorkloadRestored: Sendable {
    package var progress: RestoreProgress
    /// Seconds from its start to its end.
    package var seconds: Double
    /// What could not be brought back, with the reason.
    package var failed: [FailedItem]
    /// What this user may not set.
    package var warnings: [String]

    package struct FailedItem: Sendable {
        package var path: ByteString
        package var reason: String
        /// The copy is wrong, and not the place: another copy may be right.
        package var isDamage: Bool
    }
}

/// Brings a workload's files back.
///
/// ```
/// choose the copy > find the paths in it > preview: a dry run against the place                                    (prepare: changes nothing)
/// save what would be overwritten > RESTORE, each blob checked while it is read > what was damaged from another copy  (perform)
/// ```
/// 1. Nothing at the place is lost before `perform`, and what `perform` replaces in place is in a snapshot first.
/// 2. Each file appears under its name when it is whole; broken off, the same command goes on where it was.
package struct WorkloadRestore: Sendable {
    private let environment: ProtectionEnvironment

    package init(_ environment: ProtectionEnvironment) { self.environment = environment }

    // MARK: preparing

    /// Looks for the copy and the paths, and at the place.
    ///
    /// Errors: those of `CopySearch`, `E-UNKNOWN` for a path that is not in the snapshot, those of the engine, cancellation.
    package func prepare(_ request: WorkloadRestoreRequest) async throws -> PreparedRestore {
        let choice = try await CopySearch(environment).choose(request.wish)
        let repository = choice.copy.repository
        try await repository.loadIndex()
        try await requirePaths(request.paths, in: choice.copy)
        let counter = PreviewCounter()
        var restoring = try engineRequest(request, choice.copy)
        restoring.isDryRun = true
        _ = try await restore(restoring, from: repository, observer: counter)
        var preview = counter.preview
        preview.placeExists = (try? status(at: request.place.path)) != nil
        return PreparedRestore(request: request, choice: choice, preview: preview)
    }

    private func engineRequest(_ request: WorkloadRestoreRequest, _ copy: FoundCopy) throws -> RestoreRequest {
        guard let tree = copy.snapshot.document.tree else {
            throw RecoveryFailure(
                .noCopy,
                operation: "restore",
                object: "snapshot \(copy.snapshot.id.short)",
                what: "names no tree: it holds nothing",
                state: "nothing was changed",
                next: "take another one with --snapshot or --from"
            )
        }
        var restoring = RestoreRequest(tree: tree, target: request.place.path)
        // In place, nothing but what the snapshot was made of is touched.
        let paths = request.paths.isEmpty && request.place == .original ? copy.snapshot.document.paths : request.paths
        if !paths.isEmpty { restoring.includes = [PatternList(paths.map(\.asPattern))] }
        restoring.delete = request.deletes
        return restoring
    }

    private func requirePaths(_ paths: [ByteString], in copy: FoundCopy) async throws {
        guard let tree = copy.snapshot.document.tree else { return }
        let worker = copy.repository.makeWorker()
        for path in paths {
            do {
                _ = try await copy.repository.dumpItem(path, in: tree, worker: worker)
            } catch DumpProblem.notAFile {
                // A link or a device: it is there.
            } catch let problem as DumpProblem {
                let held = copy.snapshot.document.paths.map(\.display).joined(separator: ", ")
                throw RecoveryFailure(
                    .unknown,
                    operation: "restore",
                    object: path.display,
                    what:
                        "is not in the snapshot of \(copy.snapshot.document.time.dayAndTime): \(problem.missing?.display ?? path.display) is not there",
                    state: "nothing was changed",
                    next: "it holds \(held); look for the name in all snapshots: holdfast find \(path.lastName.display)"
                )
            }
        }
    }

    // MARK: performing

    /// Saves what is at the place and would be overwritten; nil when nothing is.
    ///
    /// Errors: `E-NOT-SAVED`; nothing was restored then.
    package func saveFirst(_ prepared: PreparedRestore) async throws -> SnapshotID? {
        guard prepared.request.place == .original, !prepared.preview.isHarmless else { return nil }
        return try await SafetyCopy(environment).save(prepared)
    }

    /// Restores; what failed is in the result.
    ///
    /// Errors: of the place and of the top tree, cancellation.
    package func perform(_ prepared: PreparedRestore, counters: RestoreCounters) async throws -> WorkloadRestored {
        let result = try await bringBack(prepared.request, prepared.choice.copy, counters)
        await noteRate(result, of: prepared.choice.copy.store)
        return result
    }

    /// Brings back from another copy what the first one could not give.
    package func perform(
        _ prepared: PreparedRestore,
        only paths: [ByteString],
        from twin: FoundCopy,
        counters: RestoreCounters
    ) async throws -> WorkloadRestored {
        try await twin.repository.loadIndex()
        var request = prepared.request
        request.paths = paths
        request.deletes = false
        return try await bringBack(request, twin, counters)
    }

    private func bringBack(
        _ request: WorkloadRestoreRequest,
        _ copy: FoundCopy,
        _ counters: RestoreCounters
    ) async throws -> WorkloadRestored {
        let problems = RestoreProblems()
        let result = try await restore(
            try engineRequest(request, copy),
            from: copy.repository,
            observer: problems,
            counters: counters
        )
        return WorkloadRestored(
            progress: result.progress,
            seconds: result.duration,
            failed: problems.failed,
            warnings: problems.warnings
        )
    }

    /// What a restore from there really takes; small ones tell nothing.
    private func noteRate(_ result: WorkloadRestored, of store: LabStore) async {
        let bytes = result.progress.bytesWritten
        guard result.failed.isEmpty, bytes >= Self.rateBytesMin, result.seconds > 0 else { return }
        let rate = UInt64(Double(bytes) / result.seconds)
        let name = store.name
        await LedgerFile(environment).update { $0.repositories[name]?.restoreRate = rate }
    }

    private static let rateBytesMin: UInt64 = 64 << 20
}

/// Keeps what could not be restored.
private final class RestoreProblems: RestoreObserver {
    private static let kept = 100_000
    private let state = Mutex<(failed: [WorkloadRestored.FailedItem], warnings: [String])>(([], []))

    var failed: [WorkloadRestored.FailedItem] { state.withLock { $0.failed } }
    var warnings: [String] { state.withLock { $0.warnings } }

    func completed(_ action: RestoreAction, path: ByteString, size: UInt64) {}

    func failed(path: ByteString, error: any Error) {
        let item = WorkloadRestored.FailedItem(
            path: path,
            reason: reason(of: error),
            isDamage: (error as? any ReportableFailure)?.isDamage ?? false
        )
        state.withLock { state in
            if state.failed.count < Self.kept { state.failed.append(item) }
        }
    }

    func warned(_ message: String) { state.withLock { $0.warnings.append(message) } }
}

extension DumpProblem {
    /// The first part of the path that is not there.
    fileprivate var missing: ByteString? {
        switch self {
        case .notFound(let path), .notADirectory(let path, _): path
        case .notAFile, .unwritable, .member: nil
        }
    }
}

extension ByteString {
    /// A pattern that matches this path and nothing else.
    fileprivate var asPattern: ByteString {
        ByteString(bytes.flatMap { "\\*?[".utf8.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] })
    }

    fileprivate var lastName: ByteString {
        ByteString(Array(bytes.split(separator: UInt8(ascii: "/")).last ?? []))
    }
}
