package import Bytes
import HostSystem
import Outcome
import Protection
import ResticFormat
package import ResticRepository
import Strategy
import Synchronization

/// The part of a restore that changes something.
extension WorkloadRestore {
    /// Less than this tells nothing of a medium.
    private static let rateBytesMin: UInt64 = 64 << 20
    /// Seconds for which a prune is waited for.
    private static let lockPatienceSeconds: UInt64 = 600
    /// Paths that are brought back at once from another copy: each is compared with each entry.
    private static let pathsAtOnce = 200

    /// Saves what is at the place and would be lost; nil when nothing is, or it does not go to where it came from.
    ///
    /// Errors: `E-NOT-SAVED`; nothing was restored then.
    package func saveFirst(_ prepared: PreparedRestore) async throws -> SavedBefore? {
        guard prepared.isInPlace, !prepared.preview.isHarmless else { return nil }
        return try await SafetyCopy(environment, prepared).save()
    }

    /// Restores; what failed is in the result.
    ///
    /// Errors: of the place and of the top tree, `E-LOCKED`, cancellation.
    package func perform(_ prepared: PreparedRestore, counters: RestoreCounters) async throws -> WorkloadRestored {
        let copy = prepared.choice.copy
        let result = try await reading(copy) {
            try await bringBack(try prepared.engineRequest(copy, only: prepared.paths), copy, counters)
        }
        await noteRate(result, of: copy)
        return result
    }

    /// Brings back from another copy what the first one could not give; what that one has not, or not whole either, is in the result.
    package func perform(
        _ prepared: PreparedRestore,
        only paths: [ByteString],
        from other: FoundCopy,
        counters: RestoreCounters
    ) async throws -> WorkloadRestored {
        var kept = prepared
        kept.request.deletes = false
        return try await reading(other) {
            var result = WorkloadRestored(progress: RestoreProgress(), seconds: 0, failed: [], warnings: [])
            var held: [ByteString] = []
            for path in paths {
                guard let missing = await missing(path, in: other) else {
                    held.append(path)
                    continue
                }
                result.failed.append(.init(path: path, reason: missing, isDamage: true))
            }
            while !held.isEmpty {
                let request = try kept.engineRequest(other, only: Array(held.prefix(Self.pathsAtOnce)))
                held.removeFirst(min(held.count, Self.pathsAtOnce))
                result.append(try await bringBack(request, other, counters))
            }
            return result
        }
    }

    private func missing(_ path: ByteString, in copy: FoundCopy) async -> String? {
        guard let tree = copy.snapshot.document.tree else { return "the snapshot names no tree" }
        let worker = copy.repository.makeWorker()
        do {
            return try await copy.repository.missingPart(of: path, in: tree, worker: worker)
                .map { _ in "is not in the copy of \(copy.snapshot.document.time.dayAndTime) in \(copy.store.name)" }
        } catch {
            return reason(of: error)
        }
    }

    /// Reads under a lock, so that no prune takes away what is read; where none can be written, without one.
    private func reading<Value: Sendable>(
        _ copy: FoundCopy,
        _ body: () async throws -> Value
    ) async throws -> Value {
        let repository = copy.repository
        let name = copy.store.name
        let warn = environment.warn
        var hasBegun = false
        do {
            return try await repository.withLock(
                .shared,
                retryFor: Self.lockPatienceSeconds,
                waiting: { warn("\(name) is locked, waiting: \(reason(of: $0))") },
                goesOnWithoutRoom: true
            ) {
                hasBegun = true
                // What was read for the preview may have been pruned since.
                try await repository.loadIndex()
                return try await body()
            }
        } catch let error where !hasBegun && !(error is CancellationError) {
            if let failure = error as? RepositoryFailure, failure.code == .locked { throw failure }
            warn("\(name) is read without a lock: \(reason(of: error))")
            try await repository.loadIndex()
            return try await body()
        }
    }

    private func bringBack(
        _ request: RestoreRequest,
        _ copy: FoundCopy,
        _ counters: RestoreCounters
    ) async throws -> WorkloadRestored {
        let problems = RestoreProblems()
        let result = try await restore(request, from: copy.repository, observer: problems, counters: counters)
        await enter(problems.damage, of: copy)
        return WorkloadRestored(
            progress: result.progress,
            seconds: result.duration,
            failed: problems.failed,
            warnings: problems.warnings
        )
    }

    /// What a restore from there really takes; small ones tell nothing.
    private func noteRate(_ result: WorkloadRestored, of copy: FoundCopy) async {
        let bytes = result.progress.bytesWritten
        guard result.failed.isEmpty, bytes >= Self.rateBytesMin, result.seconds > 0 else { return }
        let rate = ReadingRate(
            bytesPerSecond: UInt64(max(1, Double(bytes) / result.seconds)),
            time: environment.now,
            isOfRestore: true
        )
        let name = copy.store.name
        await LedgerFile(environment).update { $0.repositories[name]?.note(rate) }
    }
}

extension WorkloadRestored {
    /// One part after another.
    fileprivate mutating func append(_ part: WorkloadRestored) {
        progress.filesFinished += part.progress.filesFinished
        progress.filesSkipped += part.progress.filesSkipped
        progress.bytesWritten += part.progress.bytesWritten
        seconds += part.seconds
        failed += part.failed
        warnings += part.warnings
    }
}

/// Keeps what could not be restored.
private final class RestoreProblems: RestoreObserver {
    private static let kept = 100_000
    private let state = Mutex<(failed: [WorkloadRestored.FailedItem], damage: MetDamage, warnings: [String])>(
        ([], MetDamage(), [])
    )

    var failed: [WorkloadRestored.FailedItem] { state.withLock { $0.failed } }
    var damage: MetDamage { state.withLock { $0.damage } }
    var warnings: [String] { state.withLock { $0.warnings } }

    func completed(_ action: RestoreAction, path: ByteString, size: UInt64) {}

    func failed(path: ByteString, error: any Error) {
        let item = WorkloadRestored.FailedItem(path: path, reason: reason(of: error), isDamage: isFaultOfCopy(error))
        state.withLock { state in
            if state.failed.count < Self.kept { state.failed.append(item) }
            state.damage.add(path, error)
        }
    }

    func warned(_ message: String) { state.withLock { $0.warnings.append(message) } }
}
