package import Bytes
import ObjectStorage
import Outcome
import ResticFormat

/// Which packs stay, go, or are packed anew.
package struct PrunePlan: Sendable {
    package private(set) var statistics: PruneStatistics
    /// Packs that no index names.
    package private(set) var unreferenced: [PackID] = []
    package private(set) var repacked: [PackID] = []
    /// Packs of which nothing is used.
    package private(set) var removed: [PackID] = []
    /// Packs that index files name, that are not there and that nobody needs.
    private(set) var missing: [PackID] = []
    /// First entries of the used blobs that the packs to repack hold, and no pack that stays does.
    private(set) var kept: EntrySet
    let request: PruneRequest

    private struct Candidate {
        var pack: PackCensus.Pack
        var mustCompress: Bool
    }

    /// Decides, from what the index says and what is in the store.
    ///
    /// Errors: `E-DAMAGE`, `E-MISSING` caused by a `PruneRefusal` when the two do not fit together for packs that are needed.
    init(
        _ request: PruneRequest,
        _ census: PackCensus,
        used: EntrySet,
        listing: [ObjectEntry],
        statistics: PruneStatistics,
        in repository: Repository,
        observer: any PruneObserver
    ) throws {
        self.request = request
        self.statistics = statistics
        kept = used
        let target = Self.targetPackBytes(request, census)
        var candidates = try sort(listing, census, repository, target, observer)
        candidates.sort { Self.precedes($0.pack, $1.pack, target) }
        choose(candidates, target)
        self.statistics.packs.unreferenced = unreferenced.count
        self.statistics.packs.repacked = repacked.count
        self.statistics.packs.removed = removed.count
        if !repository.isCompressing { self.statistics.sizes.uncompressed = 0 }
        if repacked.isEmpty {
            kept = EntrySet(count: repository.index.blobCount)
        } else {
            forgetKept(census, repository)
        }
    }

    /// Four fifths of what nearly all packs reach, so that hardly any pack of a healthy repository counts as small.
    private static func targetPackBytes(_ request: PruneRequest, _ census: PackCensus) -> UInt64 {
        if request.smallPackBytes > 0 { return request.smallPackBytes }
        guard !census.packs.isEmpty else { return 0 }
        let sizes = census.packs.map(\.bytes).sorted()
        return max(UInt64(Limits.packSizeMin), sizes[sizes.count * 3 / 100]) * 4 / 5
    }

    private mutating func sort(
        _ listing: [ObjectEntry],
        _ census: PackCensus,
        _ repository: Repository,
        _ target: UInt64,
        _ observer: any PruneObserver
    ) throws -> [Candidate] {
        var (candidates, small): ([Candidate], [Candidate]) = ([], [])
        var met = EntrySet(count: census.packs.count)
        var count = 0
        for entry in listing {
            let id = PackID(entry.digest)
            guard let place = census.places[id] else {
                observer.unreferenced(id)
                unreferenced.append(id)
                statistics.sizes.unreferenced += entry.size
                continue
            }
            let pack = census.packs[place]
            guard pack.bytes == entry.size || pack.used == 0 else {
                throw repository.refused(.sizeMismatch(id, expected: pack.bytes, found: entry.size))
            }
            _ = met.insert(place)
            count += 1
            observer.progressed(count, of: census.packs.count)
            note(pack)
            let mustCompress =
                repository.isCompressing && pack.hasUncompressed
                && (pack.content == .trees || request.repackUncompressed)
            if pack.used == 0 {
                remove(pack)
                removed.append(id)
            } else if request.repackCacheableOnly, pack.content == .data {
                statistics.packs.kept += 1
            } else if pack.unused == 0, pack.content != .mixed, !mustCompress {
                if entry.size >= target {
                    statistics.packs.kept += 1
                } else {
                    small.append(Candidate(pack: pack, mustCompress: false))
                }
            } else {
                candidates.append(Candidate(pack: pack, mustCompress: mustCompress))
            }
        }
        observer.finishedCounting()
        try takeMissing(census, met, repository, observer)
        // A few small packs are not worth the trouble, and would be repacked again and again.
        guard small.count >= Limits.smallPacksWorthRepacking else {
            statistics.packs.kept += small.count
            return candidates
        }
        return candidates + small
    }

    private mutating func note(_ pack: PackCensus.Pack) {
        if pack.used == 0 {
            statistics.packs.unused += 1
        } else if pack.unused == 0 {
            statistics.packs.used += 1
        } else {
            statistics.packs.partlyUsed += 1
        }
        if pack.hasUncompressed { statistics.sizes.uncompressed += pack.bytes }
    }

    private mutating func remove(_ pack: PackCensus.Pack) {
        statistics.blobs.removed += pack.unused
        statistics.sizes.removed += pack.unusedBytes
    }

    private mutating func takeMissing(
        _ census: PackCensus,
        _ met: EntrySet,
        _ repository: Repository,
        _ observer: any PruneObserver
    ) throws {
        let absent = census.packs.indices.filter { !met.contains($0) }.map { census.packs[$0] }
        let needed = absent.filter { $0.used > 0 }
        guard needed.isEmpty else { throw repository.refused(.packsMissing(needed.map(\.id))) }
        for pack in absent { remove(pack) }
        missing = absent.map(\.id)
        if !missing.isEmpty { observer.forgetsMissing(missing) }
    }

    /// Packs with trees first, then small ones, then those with the largest part unused.
    private static func precedes(_ left: PackCensus.Pack, _ right: PackCensus.Pack, _ target: UInt64) -> Bool {
        let isData = (left.content == .data, right.content == .data)
        if isData.0 != isData.1 { return !isData.0 }
        let isSmall = (left.bytes < target, right.bytes < target)
        if isSmall.0 != isSmall.1 { return isSmall.0 }
        return left.unusedBytes.multipliedFullWidth(by: right.usedBytes)
            > right.unusedBytes.multipliedFullWidth(by: left.usedBytes)
    }

    private mutating func choose(_ candidates: [Candidate], _ target: UInt64) {
        let unusedMax = request.maxUnused.bytes(used: statistics.sizes.used)
        let bytesMax = request.recoversWithoutSpace ? 0 : request.maxRepackBytes
        for candidate in candidates {
            let pack = candidate.pack
            let isOverLimit = statistics.sizes.repacked + pack.bytes >= bytesMax
            let mayStay = pack.content == .data && !candidate.mustCompress
            let isTolerated = statistics.sizes.remainingUnused < unusedMax && pack.bytes >= target
            if isOverLimit || mayStay && isTolerated {
                statistics.packs.kept += 1
                continue
            }
            repacked.append(pack.id)
            statistics.blobs.repacked += pack.used + pack.unused
            statistics.sizes.repacked += pack.bytes
            statistics.blobs.removedByRepacking += pack.unused
            statistics.sizes.removedByRepacking += pack.unusedBytes
            if pack.hasUncompressed { statistics.sizes.uncompressed -= pack.bytes }
        }
    }

    /// Blobs of packs that stay need no new copy.
    private mutating func forgetKept(_ census: PackCensus, _ repository: Repository) {
        let going = Set(repacked).union(removed).union(missing)
        for number in 0..<repository.index.packCount where !going.contains(repository.index.packID(number)) {
            for entry in repository.index.entries(ofPack: number) { kept.remove(Int(census.first[entry])) }
        }
    }
}

/// Why nothing is pruned; nothing was changed.
package enum PruneRefusal: Error, Hashable {
    /// Blobs that snapshots need, and no index names; the first hundred.
    case indexIncomplete([String])
    case packsMissing([PackID])
    case sizeMismatch(PackID, expected: UInt64, found: UInt64)
    /// A snapshot appeared while we looked for what is used: somebody writes in spite of our lock.
    case newSnapshots([SnapshotID])
}

extension Repository {
    func refused(_ refusal: PruneRefusal) -> RepositoryFailure {
        let code: RepositoryCode
        let what: String
        let next: String
        switch refusal {
        case .indexIncomplete(let blobs):
            code = .missing
            what =
                "the index is not complete: no index names \(blobs.count) or more blobs that snapshots need, such as \(blobs[0])"
            next = "run `repair index`, then `check`"
        case .packsMissing(let packs):
            code = .missing
            what = "\(packs.count) packs that snapshots need are missing, such as \(packs[0].hex)"
            next = "bring them back from a copy of the repository, or run `repair index`, then `repair snapshots`"
        case .sizeMismatch(let pack, let expected, let found):
            code = .damaged
            what = "pack \(pack.hex) has \(found) bytes where the index says \(expected)"
            next = "run `repair index`, then `check --read-data`"
        case .newSnapshots(let snapshots):
            code = .lockLost
            what = "snapshot \(snapshots[0].hex) appeared, though we hold an exclusive lock"
            next = "find out which run writes without a lock, then prune again"
        }
        return RepositoryFailure(
            code,
            operation: "prune",
            object: store.location,
            what: what,
            state: "nothing was removed",
            next: next,
            cause: refusal
        )
    }

    func unusable(_ what: String, next: String) -> RepositoryFailure {
        RepositoryFailure(
            .invalidRequest,
            operation: "prune",
            object: store.location,
            what: what,
            state: "nothing was removed",
            next: next
        )
    }
}
