import Bytes
import Protection
import ResticFormat
import ResticRepository
import Strategy

/// What a restore met that proves that bytes of a repository are lost.
struct MetDamage: Sendable {
    /// Items whose packs are looked up.
    private static let itemsKept = 1000

    private(set) var items: [ByteString] = []
    private var count = 0
    private var firstReason = ""

    /// Takes in what was wrong with an item; what proves nothing is passed over.
    mutating func add(_ path: ByteString, _ error: any Error) {
        guard isProvenDamage(error) else { return }
        if count == 0 { firstReason = reason(of: error) }
        count += 1
        if items.count < Self.itemsKept { items.append(path) }
    }

    /// In a sentence; nil when nothing is proven.
    func text(_ copy: FoundCopy) -> String? {
        guard let first = items.first else { return nil }
        let more = count > 1 ? ", and \(count - 1) more" : ""
        return "\(first.display) of snapshot \(copy.snapshot.id.short) was not brought back (\(firstReason))\(more)"
    }
}

extension WorkloadRestore {
    /// Enters damage into the ledger as a verification does: status shows it, nothing is removed from the repository, and the next
    /// verification reads the packs in which it lies (L7).
    func enter(_ damage: MetDamage, of copy: FoundCopy) async {
        guard let text = damage.text(copy) else { return }
        let packs = await suspects(damage, copy)
        let found = OpenFinding(since: environment.now, text: text, packs: packs)
        let (name, id, now) = (copy.store.name, copy.repository.config.id.hex, environment.now)
        await LedgerFile(environment).update { ledger in
            ledger.repositories[name, default: RepositoryHistory(id: id, seen: now)].add(found)
        }
    }

    /// The packs in which those items lie; more of them than are damaged.
    private func suspects(_ damage: MetDamage, _ copy: FoundCopy) async -> [String] {
        guard let tree = copy.snapshot.document.tree else { return [] }
        let worker = copy.repository.makeWorker()
        var packs: [String] = []
        for item in damage.items where packs.count < StrategyLimits.rememberedPacks {
            for pack in await copy.repository.packs(holding: item, in: tree, worker: worker)
            where !packs.contains(pack.hex) { packs.append(pack.hex) }
        }
        return packs
    }
}

extension Repository {
    /// Where the content of a file lies, or the tree of a folder.
    fileprivate func packs(holding path: ByteString, in tree: BlobID, worker: BlobWorker) async -> Set<PackID> {
        switch try? await dumpItem(path, in: tree, worker: worker) {
        case .file(let node): Set((node.content ?? []).flatMap { locations(.data, $0).map(\.pack) })
        case .directory(let subtree, _): Set(locations(.tree, subtree).map(\.pack))
        case nil: []
        }
    }
}
