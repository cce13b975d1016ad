import Bytes
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat

extension Repository {
    /// Makes the index say what the packs hold: packs that it does not know, or knows with another size, are read; packs that are gone
    /// and index files that cannot be read are forgotten.
    ///
    /// New index files are durable before old ones go (L2); no pack is touched. With `readingAllPacks` nothing of the old index is
    /// believed. The caller holds an exclusive lock. Errors: of the store, `E-LOCK-LOST`; what a break leaves is finished by the next run.
    package func repairIndex(readingAllPacks: Bool, observer: any RepairObserver) async throws {
        var invalid: Set<IndexID> = []
        let files = try await store.list(.index).map { IndexID($0.digest) }
        if readingAllPacks {
            invalid = Set(files)
            index.removeAll()
        } else {
            observer.began(.loadingIndexes)
            try await loadIndex(unreadable: { id, error in
                invalid.insert(id)
                observer.found(.invalidIndex(id, error))
            })
        }
        let (unread, forgotten) = try await comparePacks(observer)
        var rewrite = IndexRewrite(self, leavingOut: forgotten)
        if !unread.isEmpty { try await addPacks(unread, to: &rewrite, observer) }
        try await rewriteIndex(&rewrite, files.filter { !invalid.contains($0) }, andRemoving: invalid, observer)
        index.removeAll()
    }

    /// Replaces index files by what `rewrite` holds and makes of them.
    func rewriteIndex(
        _ rewrite: inout IndexRewrite,
        _ files: [IndexID],
        andRemoving invalid: Set<IndexID>,
        _ observer: any RepairObserver
    ) async throws {
        observer.began(.rebuildingIndex)
        for (number, file) in files.enumerated() {
            try Task.checkCancellation()
            try await rewrite.add(file)
            observer.progressed(number + 1, of: files.count)
        }
        try await rewrite.flush()
        observer.finishedCounting()
        observer.began(.deletingOldIndexes)
        let obsolete = invalid.map(\.digest).sorted() + rewrite.obsolete
        var done = 0
        try await remove(.index, obsolete) { digest, error in
            observer.removed(IndexID(digest), error)
            if let error { throw error }
            done += 1
            observer.progressed(done, of: obsolete.count)
        }
        observer.finishedCounting()
    }

    /// The packs whose headers have to be read, and the packs of which the old index files say nothing right.
    private func comparePacks(
        _ observer: any RepairObserver
    ) async throws -> (unread: [ObjectEntry], forgotten: Set<PackID>) {
        observer.began(.listingPacks)
        var expected: [PackID: UInt64] = [:]
        for number in 0..<index.packCount {
            let bytes = index.blobs(ofPack: number).reduce(UInt64(0)) { sum, blob in
                sum + UInt64(blob.length) + UInt64(PackHeader.entrySize(compressed: blob.uncompressedLength != 0))
            }
            expected[index.packID(number), default: UInt64(PackHeader.overhead)] += bytes
        }
        var unread: [ObjectEntry] = []
        var forgotten: Set<PackID> = []
        for entry in try await list(.pack) {
            let pack = PackID(entry.digest)
            let size = expected.removeValue(forKey: pack)
            if size == entry.size { continue }
            unread.append(entry)
            forgotten.insert(pack)
            observer.found(size.map { .wrongSize(pack, found: entry.size, expected: $0) } ?? .unknownPack(pack))
        }
        for pack in expected.keys.sorted() {
            forgotten.insert(pack)
            observer.found(.missingPack(pack))
        }
        return (unread, forgotten)
    }

    private func addPacks(
        _ entries: [ObjectEntry],
        to rewrite: inout IndexRewrite,
        _ observer: any RepairObserver
    ) async throws {
        observer.began(.readingPacks)
        let width = max(2, min(store.connections, environment.pool.width))
        var done = 0
        var unreadable: [(PackID, any Error)] = []
        try await withThrowingTaskGroup(of: (PackID, Result<PackHeader, any Error>).self) { group in
            var waiting = entries[...]
            func startOne() {
                guard let entry = waiting.popFirst() else { return }
                group.addTask(executorPreference: environment.pool) {
                    let pack = PackID(entry.digest)
                    return (pack, await self.header(pack, size: entry.size))
                }
            }
            for _ in 0..<width { startOne() }
            while let (pack, result) = try await group.next() {
                try Task.checkCancellation()
                switch result {
                case .success(let header): try await rewrite.append(pack, header.packedBlobs)
                case .failure(let error): unreadable.append((pack, error))
                }
                done += 1
                observer.progressed(done, of: entries.count)
                startOne()
            }
        }
        observer.finishedCounting()
        for (pack, error) in unreadable { observer.found(.unreadablePack(pack, error)) }
    }

    /// Read twice before it counts as unreadable (D-10).
    private func header(_ pack: PackID, size: UInt64) async -> Result<PackHeader, any Error> {
        let worker = makeWorker()
        do { return .success(try await packHeader(pack, size: size, worker: worker)) } catch {
            do { return .success(try await packHeader(pack, size: size, worker: worker)) } catch {
                return .failure(error)
            }
        }
    }
}
