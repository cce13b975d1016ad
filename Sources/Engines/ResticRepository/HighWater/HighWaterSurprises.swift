import Bytes
import ObjectStorage
import ResticFormat

/// What the snapshots say that were read.
struct SnapshotsRead: Sendable {
    /// What they descend from by tagging, rewriting or copying.
    var originals: Set<Digest> = []
    /// Those of this host.
    var own: Set<Digest> = []
    /// The time of the newest one of each group.
    var newest: [UInt64: Timestamp] = [:]

    mutating func add(_ id: Digest, _ document: SnapshotDocument, isOwn: Bool) {
        if isOwn { own.insert(id) }
        if let original = document.original { originals.insert(original.digest) }
        let group = HighWaterRecord.group(of: document)
        let time = document.time.moment
        newest[group] = newest[group].map { max($0, time) } ?? time
    }
}

/// How much of what is gone is told.
package enum SurpriseScope: Sendable, Hashable {
    /// What no other machine's retention explains.
    case unexplained
    /// Beside that, snapshots of this host, and index files that nothing replaces: for who knows that nobody else removes such.
    case own
    /// All that is gone: who asks knows best what explains it.
    case everything
}

/// What a look at the store showed that nothing this machine did explains.
struct HighWaterSurprises: Sendable, Hashable {
    /// Removed once, and there again, by kind.
    var returned: [ObjectKind: Set<Digest>] = [:]
    /// The newest snapshots of their groups that this machine saved, gone, while no newer one is there.
    var newestGone: [HighWaterRecord.Saved] = []
    /// Snapshots that were there, gone; who shares the repository may have removed them.
    var snapshotsGone: Set<Digest> = []
    /// Those among them that are of this host.
    var ownGone: Set<Digest> = []
    /// Index files that were there, gone, while no new one took their place; a prune elsewhere may have found all of them useless.
    var indexesGone: Set<Digest> = []
    /// Index files that were there, gone, beside others that are new here: a prune or a repair somewhere.
    var indexesReplaced: Set<Digest> = []

    /// Compares what was known before the listing with the listing.
    ///
    /// `now` is the record as it is after the listing: what other processes of this machine did meanwhile explains what it explains.
    /// `read` is what the snapshots say that are there.
    init(
        before: HighWaterRecord,
        now: HighWaterRecord,
        listed: [ObjectKind: Set<Digest>],
        read: SnapshotsRead
    ) {
        for (kind, names) in listed {
            let back = names.intersection(before[kind].removed).intersection(now[kind].removed)
            if !back.isEmpty { returned[kind] = back }
        }
        if let names = listed[.snapshot] {
            snapshotsGone = Self.gone(.snapshot, before, now, names).subtracting(read.originals)
            ownGone = snapshotsGone.intersection(before.own)
            newestGone = now.saved.filter { group, saved in
                guard snapshotsGone.contains(saved.id) else { return false }
                return read.newest[group].map { $0 < saved.time } ?? true
            }.values.sorted { $0.id < $1.id }
        }
        if let names = listed[.index] {
            let gone = Self.gone(.index, before, now, names)
            if names.isSubset(of: before.indexes.seen) { indexesGone = gone } else { indexesReplaced = gone }
        }
    }

    /// Whether retention elsewhere explains none of it.
    ///
    /// Where nobody else removes snapshots of this host (`countsOwn`), those that are gone, and index files that nothing replaces, are not explained either.
    func isAlarming(countsOwn: Bool) -> Bool {
        !returned.isEmpty || !newestGone.isEmpty || countsOwn && (!ownGone.isEmpty || !indexesGone.isEmpty)
    }

    private static func gone(
        _ kind: ObjectKind,
        _ before: HighWaterRecord,
        _ now: HighWaterRecord,
        _ listed: Set<Digest>
    ) -> Set<Digest> {
        before[kind].seen.intersection(now[kind].seen).subtracting(listed).subtracting(now[kind].removing)
    }
}

extension HighWaterRecord {
    /// Takes over what is there now, so that nothing is told twice.
    mutating func follow(_ surprises: HighWaterSurprises, listed: [ObjectKind: Set<Digest>], _ scope: SurpriseScope) {
        for (kind, names) in listed {
            let back = surprises.returned[kind] ?? []
            self[kind].removed.removeAll { back.contains($0) }
            see(kind, names)
            let gone = self[kind].removing.subtracting(names)
            self[kind].removing.subtract(gone)
            bury(kind, gone)
        }
        if surprises.isAlarming(countsOwn: scope == .own) { isInDoubt = true }
        bury(.index, surprises.indexesReplaced.union(scope == .unexplained ? [] : surprises.indexesGone))
        let newest = Set(surprises.newestGone.map(\.id))
        switch scope {
        case .everything: bury(.snapshot, surprises.snapshotsGone)
        case .own: bury(.snapshot, surprises.ownGone.union(newest))
        case .unexplained: bury(.snapshot, newest)
        }
    }
}
