import Bytes
import Console
import Outcome
import ResticFormat
import ResticRepository
import Synchronization

extension Session {
    /// `recover`: makes a snapshot of what no snapshot names.
    ///
    /// As in restic the words are the same with `--json`.
    func runRecover() async throws -> ExitStatus { try await inWords.recover() }

    private func recover() async throws -> ExitStatus {
        try await withRepository(.exclusive) { repository in
            printer.normal("ensuring index is complete")
            let result = try await repository.recoverTrees(observer: RecoverReporter(self))
            if let snapshot = result.snapshot {
                printer.result("saved new snapshot \(snapshot.short)")
            } else {
                printer.normal("no snapshot to write.")
            }
            return .success
        }
    }
}

/// Tells how a recovery goes, in restic's words where restic has some.
private final class RecoverReporter: RecoverObserver {
    private struct Current {
        var counter: ProgressCounter?
        var done: UInt64 = 0
        var total: UInt64 = 0
    }

    private let session: Session
    private let current = Mutex(Current())

    init(_ session: Session) { self.session = session }

    private var printer: Printer { session.printer }

    func began(_ phase: RecoverPhase) {
        current.withLock { current in
            current.counter?.finish()
            current = Current()
        }
        switch phase {
        case .loadingIndex: printer.normal("loading indexes...")
        case .listingPacks: printer.normal("getting pack files to read...")
        case .readingPacks(let count):
            printer.normal("reading pack files")
            startCounting(UInt64(count), "packs")
        case .loadingTrees(let count):
            printer.normal("load index files")
            printer.normal("load \(count) trees")
            startCounting(UInt64(count), "trees loaded")
        case .loadingSnapshots: printer.normal("load snapshots")
        case .foundRoots(let roots):
            printer.normal("done")
            for root in roots { printer.verbose("found root tree \(root.short)") }
            printer.result("\nfound \(roots.count) unreferenced roots")
        }
    }

    private func startCounting(_ total: UInt64, _ what: String) {
        let counter = ProgressCounter(what, session: session)
        counter.set(0, of: total)
        current.withLock { $0 = Current(counter: counter, total: total) }
    }

    private func advance(by count: Int) {
        current.withLock { current in
            current.done += UInt64(count)
            current.counter?.set(current.done, of: current.total)
        }
    }

    func readPack() { advance(by: 1) }
    func loadedTrees(_ count: Int) { advance(by: count) }

    func unreadable(index: IndexID, _ error: any Error) {
        printer.error("leaving out invalid index \(index.hex): \(causeText(error))")
    }

    func incomplete(pack: PackID, bytes: UInt64, indexedBytes: UInt64?) {
        guard let indexedBytes else { return printer.error("adding pack file to index \(pack.hex)") }
        printer.error("reindexing pack file \(pack.hex) with unexpected size \(bytes) instead of \(indexedBytes)")
    }

    func unreadable(pack: PackID, _ error: any Error) {
        printer.error("skipped incomplete pack file \(pack.hex): \(causeText(error))")
    }

    func missing(pack: PackID) {
        printer.error("pack file \(pack.hex) is missing; run `repair index` when this was expected")
    }

    func unreadable(tree: BlobID, _ error: any Error) {
        printer.error("unable to load tree \(tree.short): \(causeText(error))")
    }

    func unreadable(snapshot: SnapshotID, _ error: any Error) {
        printer.error("unable to load snapshot \(snapshot.short), its trees count as lost: \(causeText(error))")
    }
}
