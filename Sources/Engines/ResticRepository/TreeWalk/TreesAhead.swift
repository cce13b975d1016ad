import Bytes
import ResticFormat

/// The trees of one directory's subdirectories, opened several at a time before they are asked for, so that their hashes run side
/// by side.
///
/// What is opened ahead was verified like every blob (L3). What does not open ahead is loaded alone when it is asked for, with all
/// the attempts and words of `loadTree`. Bound: `Limits.treesAheadBytes` of documents.
struct TreesAhead: Sendable {
    private let expected: [BlobID]
    private var next = 0
    private var opened: [BlobID: [UInt8]] = [:]

    /// Expects the subtrees that the document names, in its order.
    init(of document: [UInt8]) { expected = SubtreeScan.subtrees(in: document, limit: Limits.subtreesExpected) }

    /// Expects those trees, in that order.
    init(expecting trees: [BlobID]) { expected = trees }

    /// Expects nothing, and opens nothing ahead.
    static let none = TreesAhead(expecting: [])

    /// The tree's document.
    ///
    /// Errors: of `loadTree`.
    mutating func load(_ id: BlobID, from repository: Repository, worker: BlobWorker) async throws -> [UInt8] {
        if let document = opened.removeValue(forKey: id) { return document }
        if let position = expected[next...].firstIndex(of: id) {
            let batch = expected[position...].prefix(Limits.treesAheadMax)
            next = batch.endIndex
            if batch.count > 1 {
                opened = try await repository.openTrees(batch, worker: worker)
                if let document = opened.removeValue(forKey: id) { return document }
            }
        }
        return try await repository.loadTree(id, worker: worker)
    }
}

extension Repository {
    /// Opens trees together, as many as fit in `Limits.treesAheadBytes` from the first on; those that do not open are left out.
    ///
    /// A store that does not answer once is not asked on: who wants the tree asks again, and says so. Throws when cancelled only.
    fileprivate func openTrees(_ ids: ArraySlice<BlobID>, worker: BlobWorker) async throws -> [BlobID: [UInt8]] {
        var blocks: [Block] = []
        var parts: [SealedPart] = []
        var bytes = 0
        for id in ids {
            guard let location = index.location(.tree, id) else { continue }
            bytes += location.plainLength
            guard bytes <= Limits.treesAheadBytes else { break }
            try Task.checkCancellation()
            do {
                let block = try await sealedBytes(location)
                blocks.append(block)
                parts.append(SealedPart(bytes: block.withBytes { $0 }, location: location))
            } catch let error as CancellationError {
                throw error
            } catch {
                break
            }
        }
        var opened: [BlobID: [UInt8]] = [:]
        for (part, result) in zip(parts, worker.openAll(parts)) {
            guard let good = try? result.get() else { continue }
            opened[part.location.id] = Array(good.plaintext)
        }
        withExtendedLifetime(blocks) {}
        return opened
    }
}
