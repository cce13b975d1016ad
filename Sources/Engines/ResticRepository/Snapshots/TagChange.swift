package import Bytes
import ObjectStorage
package import ResticFormat

/// What becomes of the tags of a snapshot.
package enum TagChange: Sendable, Hashable {
    /// These and no others.
    case set([ByteString])
    /// Some more, then some fewer.
    case edit(adding: [ByteString], removing: [ByteString])

    /// The new tags, or nil when nothing changes; setting them always counts as a change, as in restic.
    package func applied(to tags: [ByteString]) -> [ByteString]? {
        switch self {
        case .set(let wanted): return wanted
        case .edit(let added, let removed):
            var result = tags
            for tag in added where !result.contains(tag) { result.append(tag) }
            for tag in removed {
                // The last tag takes the place of the removed one: the order is restic's.
                guard let index = result.firstIndex(of: tag) else { continue }
                result.swapAt(index, result.count - 1)
                result.removeLast()
            }
            return result == tags && !hasRemoved(from: tags, added, removed) ? nil : result
        }
    }

    /// A tag that goes and comes at once, or twice, leaves the list as it was and still counts as a change.
    private func hasRemoved(from tags: [ByteString], _ added: [ByteString], _ removed: [ByteString]) -> Bool {
        removed.contains { tags.contains($0) || added.contains($0) }
    }
}

extension Repository {
    /// Puts a changed document in the place of a snapshot: the new file first, then the old one goes.
    ///
    /// 1. Between the two steps both are there, each whole; a crash leaves both and loses none (L2).
    /// 2. The new one names the first snapshot that it descends from.
    ///
    /// The caller holds an exclusive lock. Errors: those of storing, with the old snapshot alone in place, and of the store's
    /// removal, with both in place.
    package func replaceSnapshot(_ snapshot: Snapshot, by changed: SnapshotDocument) async throws -> SnapshotID {
        var document = changed
        document.original = snapshot.document.original ?? snapshot.id
        let id = try await saveSnapshot(document)
        try await commitCheck()
        try await removeReplaced(snapshot.id)
        return id
    }
}
