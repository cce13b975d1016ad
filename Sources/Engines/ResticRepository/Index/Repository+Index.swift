package import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Synchronization

extension Repository {
    /// All index files.
    ///
    /// Copies in the cache of those that are gone go with them.
    func listIndexes() async throws -> [ObjectEntry] {
        let entries = try await store.list(.index)
        let names = Set(entries.map(\.digest))
        cache?.keepOnly(.index, names)
        highWater?.list(.index, names)
        return entries
    }

    /// Loads all index files into memory, several at a time, in place of what was known before; `progress` hears (done, total).
    ///
    /// Errors: the first file that cannot be read, since a backup or prune on half an index would be wrong. `check` collects
    /// them instead by giving `unreadable`.
    package func loadIndex(
        progress: (@Sendable (Int, Int) -> Void)? = nil,
        unreadable: ((IndexID, any Error) -> Void)? = nil
    ) async throws {
        // What an earlier run knew may have been pruned since its lock went (L8).
        index.removeAll()
        unindexed.withLock { $0 = PendingIndex() }
        let entries = try await listIndexes().sorted { $0.size > $1.size }
        let totalBytes = entries.reduce(0) { $0 + $1.size }
        var doneBytes: UInt64 = 0
        var doneFiles = 0
        var packs: Set<PackID> = []
        let width = max(2, store.connections)
        let pool = environment.pool
        try await withThrowingTaskGroup(of: (ObjectEntry, Result<LoadedIndex, any Error>).self) { group in
            var next = 0
            func startOne() {
                guard next < entries.count else { return }
                let entry = entries[next]
                next += 1
                group.addTask(executorPreference: pool) {
                    do {
                        return (entry, .success(try await self.loadIndexFile(IndexID(entry.digest))))
                    } catch {
                        return (entry, .failure(error))
                    }
                }
            }
            for _ in 0..<width { startOne() }
            while let (entry, result) = try await group.next() {
                try Task.checkCancellation()
                switch result {
                case .success(let loaded):
                    doneBytes += entry.size
                    let rest = Double(totalBytes - doneBytes) / Double(max(1, doneBytes))
                    let loadedSoFar = index.blobCount + loaded.blobCount
                    index.reserve(loaded.blobCount, expecting: loadedSoFar + Int(Double(loadedSoFar) * rest))
                    for pack in loaded.packs { add(pack, of: loaded, known: &packs) }
                case .failure(let error):
                    guard let unreadable, !(error is CancellationError) else { throw error }
                    unreadable(IndexID(entry.digest), error)
                }
                doneFiles += 1
                progress?(doneFiles, entries.count)
                startOne()
            }
        }
    }

    /// Adds what an index file says about a pack, but for what another one has said already.
    private func add(_ pack: LoadedIndex.Pack, of loaded: LoadedIndex, known: inout Set<PackID>) {
        let blobs = loaded.blobs[pack.range]
        guard !known.insert(pack.id).inserted else { return index.store(pack: pack.id, blobs: blobs) }
        let new = blobs.filter { blob in
            !index.locations(blob.type, blob.id).contains { $0.pack == pack.id && $0.offset == blob.offset }
        }
        index.store(pack: pack.id, blobs: new)
    }

    /// One index file, verified and read.
    func loadIndexFile(_ id: IndexID) async throws -> LoadedIndex {
        let json = try await loadUnpacked(.index, id.digest)
        var loaded = LoadedIndex()
        loaded.blobs.reserveCapacity(json.count / Limits.indexBytesPerBlob)
        do {
            try IndexReader.parse(
                json,
                onPack: { loaded.begin($0) },
                onBlob: { loaded.blobs.append($0) }
            )
        } catch {
            throw unpackedDamage(.index, id.digest, "is not a valid index: \(error)", cause: error)
        }
        loaded.end()
        guard isCompressing || !loaded.blobs.contains(where: { $0.uncompressedLength != 0 }) else {
            throw unpackedDamage(.index, id.digest, "names compressed blobs in a version 1 repository")
        }
        guard !loaded.blobs.contains(where: { $0.uncompressedLength >= 1 << 31 }) else {
            throw unpackedDamage(.index, id.digest, "names a blob of impossible length")
        }
        return loaded
    }
}

/// One index file in memory: its blobs in order, and which run of them belongs to which pack.
package struct LoadedIndex: Sendable {
    /// A pack and the run of `blobs` that lies in it.
    package struct Pack: Sendable {
        package var id: PackID
        package var range: Range<Int>
    }

    package var packs: [Pack] = []
    package var blobs: [PackedBlob] = []

    package var blobCount: Int { blobs.count }

    mutating func begin(_ id: PackID) {
        end()
        packs.append(Pack(id: id, range: blobs.count..<blobs.count))
    }

    mutating func end() {
        guard let last = packs.indices.last else { return }
        packs[last].range = packs[last].range.lowerBound..<blobs.count
    }
}
