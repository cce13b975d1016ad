package import Bytes
package import ResticFormat
import Synchronization

/// Which blobs the repository holds, and which are on their way into it.
///
/// `claim` and what follows it keep one promise: of all tasks that meet the same new content, exactly one stores it.
/// Isolation: any task; one mutex, held for tens of nanoseconds.
package final class BlobIndex: Sendable {
    /// Answer to a claim.
    package enum Claim: Sendable, Hashable {
        /// Stored already, or being stored by someone else: stop here.
        case known
        /// The caller stores it, then calls `store(pack:blobs:)`, or `abandon` when it could not.
        case claimed
    }

    private struct Key: Hashable {
        var type: BlobType
        var id: BlobID
    }

    private struct State: ~Copyable {
        var table = BlobTable()
        var inFlight: Set<Key> = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Distinct or repeated entries of all packs.
    package var blobCount: Int { state.withLock { $0.table.count } }
    package var packCount: Int { state.withLock { $0.table.packCount } }

    /// Bytes of memory held by all tables.
    package var memoryBytes: Int { state.withLock { $0.table.memoryBytes } }

    /// Prepares for `additional` more blobs of a bulk load that ends with about `total`.
    package func reserve(_ additional: Int, expecting total: Int) {
        state.withLock { $0.table.reserve(additional, expecting: total) }
    }

    /// Decides, atomically, whether the caller has to store this blob.
    package func claim(_ type: BlobType, _ id: BlobID) -> Claim {
        state.withLock { state in
            if state.table.contains(type, id) { return .known }
            return state.inFlight.insert(Key(type: type, id: id)).inserted ? .claimed : .known
        }
    }

    /// Gives a claim back that could not be kept.
    package func abandon(_ type: BlobType, _ id: BlobID) {
        state.withLock { state in
            _ = state.inFlight.remove(Key(type: type, id: id))
        }
    }

    /// Gives back every claim of a writer that has ended.
    func abandonAll() { state.withLock { $0.inFlight = [] } }

    /// Forgets everything, as a new index.
    func removeAll() {
        state.withLock { state in
            state.table = BlobTable()
            state.inFlight = []
        }
    }

    /// Records a pack that is durable in the store (L2: never before).
    package func store(pack: PackID, blobs: some Collection<PackedBlob> & Sendable) {
        state.withLock { state in
            state.table.append(pack: pack, blobs: blobs)
            for blob in blobs where !state.inFlight.isEmpty {
                state.inFlight.remove(Key(type: blob.type, id: blob.id))
            }
        }
    }

    /// Whether some pack holds the blob.
    package func contains(_ type: BlobType, _ id: BlobID) -> Bool {
        state.withLock { $0.table.contains(type, id) }
    }

    /// Whether some pack holds the blob, or one that is being written will.
    func isKnown(_ type: BlobType, _ id: BlobID) -> Bool {
        state.withLock { $0.table.contains(type, id) || $0.inFlight.contains(Key(type: type, id: id)) }
    }

    /// True when every listed data blob is stored; one lock for the whole list.
    package func containsAll(_ ids: [BlobID]) -> Bool {
        state.withLock { state in
            for id in ids where !state.table.contains(.data, id) { return false }
            return true
        }
    }

    /// Every copy of the blob.
    package func locations(_ type: BlobType, _ id: BlobID) -> [BlobLocation] {
        state.withLock { state in
            var found: [BlobLocation] = []
            state.table.forEachCopy(type, id) { entry in
                found.append(state.table.location(entry))
                return true
            }
            return found
        }
    }

    /// The first copy of the blob.
    package func location(_ type: BlobType, _ id: BlobID) -> BlobLocation? {
        state.withLock { state in
            var found: BlobLocation?
            state.table.forEachCopy(type, id) { entry in
                found = state.table.location(entry)
                return false
            }
            return found
        }
    }

    /// The number of the first copy's entry, below `blobCount`; it stays as long as nothing is stored.
    ///
    /// A set of blobs of this repository is then a set of small numbers.
    package func firstEntry(_ type: BlobType, _ id: BlobID) -> Int? {
        state.withLock { state in
            var found: Int?
            state.table.forEachCopy(type, id) { entry in
                found = entry
                return false
            }
            return found
        }
    }

    /// For each entry the number of the first copy's entry: equal for all copies of a blob.
    ///
    /// Cost: 4 bytes an entry.
    func firstEntries() -> [UInt32] {
        state.withLock { state in
            (0..<state.table.count).map { entry in
                var first = entry
                state.table.forEachCopy(state.table[entry].type, state.table[entry].id) {
                    first = $0
                    return false
                }
                return UInt32(first)
            }
        }
    }

    /// The numbers of the entries of the pack with that number.
    func entries(ofPack number: Int) -> Range<Int> { state.withLock { $0.table.entries(ofPack: number) } }

    /// The entry of that number.
    package func location(ofEntry number: Int) -> BlobLocation { state.withLock { $0.table.location(number) } }

    /// The numbers of all entries of the pack that holds the entry of that number: they lie together.
    func entries(ofPackHolding number: Int) -> Range<Int> { state.withLock { $0.table.entries(ofPackHolding: number) } }

    /// Length of the plaintext, if the blob is stored.
    package func plainLength(_ type: BlobType, _ id: BlobID) -> Int? { location(type, id)?.plainLength }

    /// The packs in the order they became known; a pack that several index files list appears several times.
    package func packID(_ number: Int) -> PackID { state.withLock { $0.table.pack(number) } }

    /// The blobs of the pack with that number.
    package func blobs(ofPack number: Int) -> [PackedBlob] {
        state.withLock { state in
            state.table.entries(ofPack: number).map { state.table[$0] }
        }
    }
}
