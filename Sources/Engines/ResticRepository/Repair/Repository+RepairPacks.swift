package import Bytes
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat

extension Repository {
    /// Salvages what opens of damaged packs into new packs, and removes the damaged ones.
    ///
    /// 1. Every pack is fetched whole and given to `keepCopy`, which makes the copy durable, before anything changes (L7).
    /// 2. A store that does not answer is no proof of damage: the repair stops, and every pack stays. Only bytes that are there and
    ///    wrong, or a file that ends too early, count as lost.
    /// 3. New packs and index files are durable before index files that name the damaged packs go, and those before the packs (L2).
    ///
    /// The index is loaded; the caller holds an exclusive lock. Memory: one pack, and what salvaging one span needs. Errors: of the
    /// store and of `keepCopy`, `E-LOCK-LOST`; what a break leaves is finished by the same call again.
    package func repairPacks(
        _ packs: Set<PackID>,
        keepCopy: (PackID, Block) throws -> Void,
        observer: any RepairObserver
    ) async throws {
        observer.began(.savingCopies)
        let ordered = packs.sorted()
        var sizes: [PackID: UInt64] = [:]
        for pack in ordered {
            let bytes = try await wholePack(pack)
            sizes[pack] = UInt64(bytes.count)
            try keepCopy(pack, bytes)
        }
        observer.began(.salvaging)
        try await withBlobWriter { writer in
            var salvage = PackSalvage(self, packs, writer, observer)
            for (number, pack) in ordered.enumerated() {
                try await salvage.add(pack, size: sizes[pack] ?? 0)
                observer.progressed(number + 1, of: ordered.count)
            }
        }
        observer.finishedCounting()
        var rewrite = IndexRewrite(self, leavingOut: packs)
        let files = try await store.list(.index).map { IndexID($0.digest) }
        try await rewriteIndex(&rewrite, files, andRemoving: [], observer)
        observer.began(.removingPacks)
        var done = 0
        try await remove(.pack, ordered.map(\.digest)) { digest, error in
            if let error { observer.found(.packNotRemoved(PackID(digest), error)) }
            done += 1
            observer.progressed(done, of: ordered.count)
        }
        observer.finishedCounting()
        // What is in memory names packs that are gone.
        index.removeAll()
    }

    /// The pack's bytes, sound or not; read once more when they do not have their name (D-10).
    private func wholePack(_ pack: PackID) async throws -> Block {
        let name = ObjectName(.pack, pack.digest)
        do {
            let first = try await store.get(name, range: nil)
            return sha256(first) == pack.digest ? first : try await store.get(name, range: nil)
        } catch let failure as StorageFailure where failure.code == .notFound {
            throw RepositoryFailure(
                .notFound,
                retry: .never,
                operation: "repair packs",
                object: "pack \(pack.hex) in \(self.store.location)",
                what: "is not there",
                state: "no pack was changed",
                next: "run `repair index`, which forgets packs that are gone",
                cause: failure
            )
        }
    }
}
