import Bytes
import ObjectStorage
import Outcome
import ResticFormat

extension ObjectStorage {
    /// Puts an object, then asks for its size before anything may point to it (L2; E-03, E-04).
    ///
    /// A store that says yes and keeps nothing, or a part, is found out here and not at the restore. What it kept of the object
    /// is taken away again where it allows that, so that nobody trips over it. Cost: one request without bytes.
    func putConfirmed(_ name: ObjectName, _ block: Block) async throws {
        try await put(name, block)
        if let failure = try await lost(name, UInt64(block.count)) { throw failure }
    }

    /// Why an object that the store has taken is not there as it was given; nil when it is.
    func lost(_ name: ObjectName, _ bytes: UInt64) async throws -> RepositoryFailure? {
        let stored: UInt64?
        do {
            stored = try await size(name)
        } catch let failure as StorageFailure where failure.code == .notFound {
            stored = nil
        }
        guard stored != bytes else { return nil }
        if stored != nil { try? await remove(name) }
        return RepositoryFailure(
            .verification,
            retry: .later,
            operation: "store",
            object: "\(name.short) in \(location)",
            what: stored.map { "was taken by the store, which kept \($0) of \(bytes) bytes" }
                ?? "was taken by the store, which kept nothing of it",
            state: "this run stored nothing visible; earlier snapshots are as they were",
            next: "distrust this store: run `check --read-data`, then run the command again"
        )
    }
}

/// Packs, which are many: a store behind a network is asked for them together, before an index file names them.
extension Repository {
    /// Gives a pack to the store; true when it was asked for after that, as is done where asking costs no journey.
    func putPack(_ id: PackID, _ block: Block) async throws -> Bool {
        guard !options.isDryRun else { return true }
        let name = ObjectName(.pack, id.digest)
        guard !store.isLocalDisk else {
            try await store.putConfirmed(name, block)
            return true
        }
        try await store.put(name, block)
        return false
    }

    /// Those packs that the store has taken and does not have as they were given, each with what is wrong.
    ///
    /// Cost: a listing of the packs, or a request for each, whatever is less. What a listing lacks is asked for by itself.
    func lost(among packs: [(id: PackID, bytes: UInt64)]) async throws -> [PackID: RepositoryFailure] {
        var open = packs
        let pages = store.listedPerRequest.map { (index.packCount + packs.count) / $0 + 1 } ?? .max
        if pages < packs.count {
            let wanted = Dictionary(packs.map { ($0.id.digest, $0.bytes) }) { first, _ in first }
            var seen: Set<Digest> = []
            for entry in try await store.list(.pack) where wanted[entry.digest] == entry.size {
                seen.insert(entry.digest)
            }
            open.removeAll { seen.contains($0.id.digest) }
        }
        var lost: [PackID: RepositoryFailure] = [:]
        try await withThrowingTaskGroup(of: (PackID, RepositoryFailure?).self) { group in
            var rest = open[...]
            func askNext() {
                guard let pack = rest.popFirst() else { return }
                group.addTask(executorPreference: environment.pool) {
                    (pack.id, try await self.store.lost(ObjectName(.pack, pack.id.digest), pack.bytes))
                }
            }
            for _ in 0..<max(1, store.connections) { askNext() }
            while let (id, failure) = try await group.next() {
                lost[id] = failure
                askNext()
            }
        }
        return lost
    }
}
