package import Bytes
package import ObjectStorage
package import ResticFormat
import Sealing

/// What this machine saw in a repository, and what it did to it: enough to notice a store that was set back.
///
/// Pure: what it is compared with is handed in. Bounds: `Limits.removedNamesKept` names of removed objects of each kind,
/// `Limits.savedGroupsKept` groups; as many seen ones as the repository holds.
package struct HighWaterRecord: Sendable, Hashable {
    /// Snapshots or index files.
    package struct Names: Sendable, Hashable {
        /// Those that were there.
        package var seen: Set<Digest> = []
        /// Those that this machine is about to remove: gone or not, it is no surprise.
        package var removing: Set<Digest> = []
        /// Those that are gone for good, oldest first: a name is a hash of bytes that nobody seals twice, so none comes back.
        package var removed: [Digest] = []
    }

    /// The newest snapshot that this machine saved of one group.
    package struct Saved: Sendable, Hashable {
        package var id: Digest
        package var time: Timestamp

        package init(id: Digest, time: Timestamp) {
            self.id = id
            self.time = time
        }
    }

    package var snapshots = Names()
    package var indexes = Names()
    /// Snapshots of this host among those that were there.
    package var own: Set<Digest> = []
    /// By the group's fingerprint, those that were saved last.
    package var saved: [UInt64: Saved] = [:]
    /// Something was told that no run of this machine explains, and nothing was pruned since: the next prune asks first.
    package var isInDoubt = false

    /// Nothing was seen yet.
    package init() {}

    /// Snapshots and index files have their names kept here, nothing else does.
    package subscript(kind: ObjectKind) -> Names {
        get { kind == .index ? indexes : snapshots }
        set {
            precondition(kind == .index || kind == .snapshot, "no record is kept of other kinds")
            if kind == .index { indexes = newValue } else { snapshots = newValue }
        }
    }

    package static let kinds: [ObjectKind] = [.snapshot, .index]

    /// Those were there when they were listed; a run beside this one may have removed some since.
    mutating func see(_ kind: ObjectKind, _ ids: Set<Digest>) {
        self[kind].seen.formUnion(ids.subtracting(self[kind].removed))
    }

    /// A snapshot of this machine is in the store.
    package mutating func save(_ id: Digest, _ document: SnapshotDocument) {
        snapshots.seen.insert(id)
        own.insert(id)
        let group = Self.group(of: document)
        let time = document.time.moment
        if let newest = saved[group], time < newest.time { return }
        saved[group] = Saved(id: id, time: time)
        guard saved.count > Limits.savedGroupsKept,
            let oldest = saved.min(by: { ($0.value.time, $0.key) < ($1.value.time, $1.key) })
        else { return }
        saved[oldest.key] = nil
    }

    /// This machine is about to remove those.
    package mutating func beginRemoving(_ kind: ObjectKind, _ ids: some Collection<Digest>) {
        self[kind].removing.formUnion(ids)
    }

    /// This machine removed those.
    package mutating func endRemoving(_ kind: ObjectKind, _ ids: [Digest]) {
        let gone = Set(ids)
        self[kind].removing.subtract(gone)
        bury(kind, gone)
    }

    /// They are gone: no surprise any more, but their return is one.
    mutating func bury(_ kind: ObjectKind, _ ids: Set<Digest>) {
        self[kind].seen.subtract(ids)
        let known = Set(self[kind].removed)
        self[kind].removed += ids.subtracting(known).sorted()
        self[kind].removed.removeFirst(max(0, self[kind].removed.count - Limits.removedNamesKept))
        guard kind == .snapshot else { return }
        own.subtract(ids)
        saved = saved.filter { !ids.contains($0.value.id) }
    }

    /// The fingerprint of host and paths.
    static func group(of document: SnapshotDocument) -> UInt64 {
        let group = SnapshotGroupKey(of: document, by: .standard)
        let parts = [group.hostname] + (group.paths ?? [])
        return Array(parts.map { $0.bytes + [0] }.joined()).withUnsafeBytes { SHA256Context.hash($0) }.a
    }
}
