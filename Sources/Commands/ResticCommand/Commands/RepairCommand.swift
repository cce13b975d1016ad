import Bytes
import Console
import HostSystem
import Outcome
import ResticFormat
import ResticRepository
import Synchronization

/// What `repair` repairs.
enum RepairAction: String, CaseIterable {
    case index, packs, snapshots

    var flags: [Flag] {
        switch self {
        case .index: repairIndexFlags
        case .packs: []
        case .snapshots: repairSnapshotsFlags
        }
    }
}

/// What `repair` is asked to repair, nil when no word or an unknown one says it.
///
/// Errors: an option that this action does not take.
func repairAction(_ words: [ByteString], _ values: FlagValues) throws(CommandFailure) -> RepairAction? {
    guard let action = words.first.flatMap({ RepairAction(rawValue: $0.display) }) else { return nil }
    let own = Set(action.flags.map(\.name))
    if let flag = Verb.repair.flags.first(where: { !own.contains($0.name) && values.isSet($0.name) }) {
        throw CommandFailure("unknown flag: --\(flag.name)")
    }
    return action
}

extension Session {
    /// `repair index|packs|snapshots`.
    func runRepair() async throws -> ExitStatus {
        switch try repairAction(words, values) {
        case .index: return try await runRepairIndex()
        case .packs: return try await runRepairPacks(Array(words.dropFirst()))
        case .snapshots: return try await runRepairSnapshots(Array(words.dropFirst()))
        case nil:
            printer.result(help(for: .repair, calledAs: context.programName))
            return .success
        }
    }

    /// `repair index`: makes the index say what the packs hold.
    func runRepairIndex() async throws -> ExitStatus {
        try await withRepository(.exclusive) { repository in
            try await repository.repairIndex(
                readingAllPacks: values.isOn("read-all-packs"),
                observer: RepairReporter(self)
            )
            printer.normal("done")
            return .success
        }
    }

    /// `repair packs`: salvages what opens of damaged packs.
    private func runRepairPacks(_ words: [ByteString]) async throws -> ExitStatus {
        var packs: Set<PackID> = []
        for word in words {
            guard word.bytes.count == 2 * Digest.byteCount else {
                throw CommandFailure("invalid length for ID: \(quoted(word))")
            }
            guard let pack = PackID(hex: word.display) else { throw CommandFailure("invalid ID: \(quoted(word))") }
            packs.insert(pack)
        }
        guard !packs.isEmpty else { throw CommandFailure.fatal("no ids specified") }
        return try await withRepository(.exclusive) { repository in
            try await loadIndex(repository)
            let here: Directory
            do throws(Errno) { here = try Directory.open(".") } catch {
                throw CommandFailure("open .: \(goMessage(error))")
            }
            try await repository.repairPacks(
                packs,
                keepCopy: { try keep($1, as: "pack-\($0.hex)", in: here) },
                observer: RepairReporter(self)
            )
            printer.error(
                "\nUse `restic repair snapshots --forget` to remove the corrupted data blobs from all snapshots"
            )
            return .success
        }
    }

    /// Writes a copy that outlives a power cut, and replaces none.
    private func keep(_ bytes: Block, as name: String, in directory: Directory) throws(CommandFailure) {
        do throws(Errno) {
            let file = try directory.createFile(ByteString(name))
            try bytes.withBytes { bytes throws(Errno) in try file.write(bytes) }
            try file.sync()
            try file.close()
            try directory.sync()
        } catch {
            throw CommandFailure(
                "open \(name): \(goMessage(error))\n  state: no pack was changed\n  next:  run it in a directory with room for copies of the packs, and without older ones"
            )
        }
    }
}

/// Tells how a repair of index or packs goes, in restic's words.
private final class RepairReporter: RepairObserver {
    private let session: Session
    private let counter = Mutex<ProgressCounter?>(nil)

    init(_ session: Session) { self.session = session }

    private var printer: Printer { session.printer }

    func began(_ stage: RepairStage) {
        let (sentence, counted): (String?, String?) =
            switch stage {
            case .loadingIndexes: ("loading indexes...", nil)
            case .listingPacks: ("getting pack files to read...", nil)
            case .readingPacks: ("reading pack files", "packs")
            case .savingCopies: ("saving backup copies of pack files to current folder", nil)
            case .salvaging: ("salvaging intact data from specified pack files", "pack files")
            case .removingPacks: ("removing salvaged pack files", "files deleted")
            case .rebuildingIndex: ("rebuilding index", "indexes processed")
            case .deletingOldIndexes: (nil, "old indexes deleted")
            }
        if let sentence { printer.normal(Text(sentence)) }
        counter.withLock { $0 = counted.map { ProgressCounter($0, session: session) } }
    }

    func progressed(_ done: Int, of total: Int) {
        counter.withLock { $0 }?.set(UInt64(done), of: UInt64(total))
    }

    func finishedCounting() { counter.withLock { $0.take() }?.finish() }

    func found(_ finding: RepairFinding) {
        switch finding {
        case .invalidIndex(let id, let error): printer.error("removing invalid index \(id.hex): \(causeText(error))")
        case .unknownPack(let pack): printer.error("adding pack file to index \(pack.hex)")
        case .wrongSize(let pack, let found, let expected):
            printer.error("reindexing pack file \(pack.hex) with unexpected size \(found) instead of \(expected)")
        case .missingPack(let pack): printer.error("removing not found pack file \(pack.hex)")
        case .unreadablePack(let pack, _): printer.verbose("skipped incomplete pack file: \(pack.hex)")
        case .lostBlob(let blob, let why): printer.error("failed to load blob \(blob.hex): \(why)")
        case .incompleteIndex(let pack): printer.error("repairing incomplete index entry for pack \(pack.hex)")
        case .nothingKnown(let pack): printer.error("no blobs found for pack \(pack.hex)")
        case .packNotRemoved(let pack, let error):
            printer.error("failed to delete pack file \(pack.hex): \(causeText(error))")
        }
    }

    func removed(_ index: IndexID, _ error: (any Error)?) {
        printer.detailed(
            error.map { "failed to remove index \(index.hex): \(causeText($0))" } ?? "removed index \(index.hex)"
        )
    }
}
