import Bytes
import Outcome
import ResticFormat
import ResticRepository
import Strategy
import Synchronization

/// Reads from the store what this run wrote there: the snapshot with its trees, and each new pack whole.
///
/// Trees are opened. Of packs every byte is hashed and compared with the name; blobs are opened where this run did not do that when it sealed them.
struct ReadBackStep: Sendable {
    let workload: String
    let store: OpenStore
    let observer: any RunObserver

    var step: RunStep { RunStep(.readBack, workload: workload, repository: store.name) }

    /// What was read.
    struct Verdict: Sendable {
        var packs: Int
        var bytes: UInt64
        /// Empty when all is right.
        var findings: [Finding]
        var brokenPacks: [PackID]
        /// How fast packs came, where each of them was opened and unpacked.
        var rate: ReadingRate?
    }

    /// Reads by a handle that knows nothing of the writing one, which holds the lock.
    ///
    /// Errors: those of the engine, cancellation.
    func run(_ copy: WrittenCopy) async throws -> Verdict {
        let repository = store.repository.forProof()
        let environment = repository.environment
        let listener = CheckListener(step: step, observer: observer, time: environment.time)
        let proven = copy.packs.filter { store.repository.isProvenInMemory($0) }
        let request = CheckRequest(
            readData: copy.packs.isEmpty ? .none : .packs(copy.packs),
            snapshots: [ByteString(copy.snapshot.hex)],
            provenInMemory: proven
        )
        let result = try await check(request, in: repository, observer: listener)
        return Verdict(
            packs: copy.packs.count,
            bytes: listener.bytes,
            findings: result.findings.filter { $0.severity == .damage },
            brokenPacks: result.brokenPacks,
            rate: proven.isEmpty ? listener.rate : nil
        )
    }
}

/// Passes the progress of a check on.
final class CheckListener: CheckObserver {
    private let step: RunStep
    private let observer: any RunObserver
    private let time: any TimeSource
    private let read = Atomic<UInt64>(0)
    private let begun = Atomic<UInt64>(0)
    private let ended = Atomic<UInt64>(0)

    init(step: RunStep, observer: any RunObserver, time: any TimeSource) {
        self.step = step
        self.observer = observer
        self.time = time
    }

    /// How fast packs came in the last stage that read any.
    var rate: ReadingRate? {
        let length = ended.load(ordering: .relaxed) &- begun.load(ordering: .relaxed)
        return ReadingRate(reading: bytes, seconds: Double(length) / 1e9, at: time.now())
    }

    /// Bytes of packs that were read.
    var bytes: UInt64 { read.load(ordering: .relaxed) }

    func began(_ phase: CheckPhase) {
        guard case .readData = phase else { return }
        begun.store(time.monotonicNanoseconds(), ordering: .relaxed)
    }

    func progressed(_ phase: CheckPhase, _ progress: CheckProgress) {
        guard case .readData = phase else { return }
        read.store(progress.bytesDone, ordering: .relaxed)
        ended.store(time.monotonicNanoseconds(), ordering: .relaxed)
        observer.progressed(progress.bytesDone, of: progress.bytesTotal, unit: "bytes", in: step)
    }

    func found(_ findings: [Finding]) {}
}

/// Damage in a sentence, and as a failure.
struct Damage: Sendable {
    let store: LabStore
    let findings: [Finding]
    let brokenPacks: [PackID]

    var text: String {
        let first = findings.prefix(3).map { "\($0.object) \($0.what)" }.joined(separator: "; ")
        return findings.count > 3 ? "\(first); \(findings.count) findings in all" : first
    }

    func open(_ now: Timestamp) -> OpenFinding {
        let packs = brokenPacks.prefix(StrategyLimits.rememberedPacks).map(\.hex)
        return OpenFinding(since: now, text: text, packs: Array(packs))
    }

    var failure: ProtectionFailure {
        ProtectionFailure(
            .damage,
            operation: "verify",
            object: "\(store.name) (\(store.path))",
            what: text,
            state: "the other copies were not touched; nothing is removed from this repository until it is mended",
            next:
                "run `holdfast restic check --read-data -r \(store.path)` for all of it, look at the disk, then `holdfast restic repair packs` and run again"
        )
    }
}
