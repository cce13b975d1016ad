import Bytes
import ObjectStorage
import Outcome

extension ObjectStorage {
    /// Puts an object, then asks for its size before anything may point to it (L2; E-03, E-04).
    ///
    /// A store that says yes and keeps nothing, or a part, is found out here and not at the restore. What it kept of the object
    /// is taken away again where it allows that, so that nobody trips over it. Cost: one request without bytes.
    func putConfirmed(_ name: ObjectName, _ block: Block) async throws {
        try await put(name, block)
        let stored: UInt64?
        do {
            stored = try await size(name)
        } catch let failure as StorageFailure where failure.code == .notFound {
            stored = nil
        }
        guard stored != UInt64(block.count) else { return }
        if stored != nil { try? await remove(name) }
        throw RepositoryFailure(
            .verification,
            retry: .later,
            operation: "store",
            object: "\(name.short) in \(location)",
            what: stored.map { "was taken by the store, which kept \($0) of \(block.count) bytes" }
                ?? "was taken by the store, which kept nothing of it",
            state: "this run stored nothing visible; earlier snapshots are as they were",
            next: "distrust this store: run `check --read-data`, then run the command again"
        )
    }
}
