import Bytes
import ObjectStorage
import Outcome
import ResticFormat

/// Stores the sound blobs of damaged packs again: those that the index names, and those that only a pack's own header names.
///
/// Isolation: one task. Memory: the index entries of the packs; a key for each blob that was saved.
struct PackSalvage {
    private let repository: Repository
    private let writer: BlobWriter
    private let observer: any RepairObserver
    private let reader: BlobWorker
    private let sealer: BlobWorker
    /// What the index said when the salvage began: the writer adds to it.
    private let indexed: [PackID: Set<PackedBlob>]
    private var saved: Set<Key> = []

    private struct Key: Hashable {
        let type: BlobType
        let id: BlobID
    }

    init(_ repository: Repository, _ packs: Set<PackID>, _ writer: BlobWriter, _ observer: any RepairObserver) {
        self.repository = repository
        self.writer = writer
        self.observer = observer
        (reader, sealer) = (repository.makeWorker(), repository.makeWorker())
        let index = repository.index
        var indexed: [PackID: Set<PackedBlob>] = [:]
        for number in 0..<index.packCount where packs.contains(index.packID(number)) {
            indexed[index.packID(number), default: []].formUnion(index.blobs(ofPack: number))
        }
        self.indexed = indexed
    }

    /// Salvages one pack; `size` is that of its file.
    ///
    /// Errors: of the store, when it does not answer; of the writer; cancellation. Damage is no error.
    mutating func add(_ pack: PackID, size: UInt64) async throws {
        let known = indexed[pack] ?? []
        try await salvage(known, of: pack)
        let own = try await ownHeader(of: pack, size: size)
        if let own, own != known {
            observer.found(.incompleteIndex(pack))
            try await salvage(own, of: pack)
        }
        if known.isEmpty, own?.isEmpty ?? true { observer.found(.nothingKnown(pack)) }
    }

    private func ownHeader(of pack: PackID, size: UInt64) async throws -> Set<PackedBlob>? {
        do {
            return Set(try await repository.packHeader(pack, size: size, worker: reader).packedBlobs)
        } catch {
            try refuseSilence(error, pack)
            return nil
        }
    }

    private mutating func salvage(_ blobs: Set<PackedBlob>, of pack: PackID) async throws {
        var lost = try await attempt(blobs.map { BlobLocation($0, pack) }, of: pack).map(\.0)
        guard !lost.isEmpty else { return }
        // Read twice before it counts as lost (D-10).
        lost.sort { $0.offset < $1.offset }
        for (blob, error) in try await attempt(lost, of: pack) {
            try refuseSilence(error, pack)
            observer.found(.lostBlob(blob.id, Self.words(error, blob)))
        }
    }

    /// Saves what opens; returns what does not.
    private mutating func attempt(
        _ blobs: [BlobLocation],
        of pack: PackID
    ) async throws -> [(BlobLocation, any Error)] {
        var lost: [(BlobLocation, any Error)] = []
        var saved = self.saved
        try await repository.readBlobs(
            pack: pack,
            blobs.filter { !saved.contains(Key(type: $0.type, id: $0.id)) },
            worker: reader,
            deliver: { blob in
                guard saved.insert(Key(type: blob.location.type, id: blob.location.id)).inserted else { return }
                try await writer.saveAgain(blob, compressing: false, worker: sealer)
            },
            failed: { lost.append(($0, $1)) }
        )
        self.saved = saved
        return lost
    }

    private func refuseSilence(_ error: any Error, _ pack: PackID) throws {
        do { try refuseUnlessDamaged(error) } catch let failure as RepositoryFailure {
            guard let cause = failure.cause as? StorageFailure else { throw failure }
            throw silent(pack, cause)
        } catch let failure as StorageFailure {
            throw silent(pack, failure)
        }
    }

    private func silent(_ pack: PackID, _ failure: StorageFailure) -> RepositoryFailure {
        RepositoryFailure(
            .damaged,
            retry: failure.retry,
            operation: "repair packs",
            object: "pack \(pack.short) in \(repository.store.location)",
            what: "cannot be read to its end: \(failure.what)",
            state: "no pack was removed",
            next:
                "try again when the store answers; if the disk is dying, move the pack's file away and run `repair index`",
            cause: failure
        )
    }

    private static func words(_ error: any Error, _ blob: BlobLocation) -> String {
        let cause = (error as? RepositoryFailure)?.cause ?? error
        switch cause {
        case let damage as BlobDamage: return CheckWords.text(damage, blob.packed, pack: blob.pack)
        case let failure as StorageFailure where failure.code == .tooShort:
            return "ReadFull(<data/\(blob.pack.hex.prefix(10))>): file is too short"
        default: return CheckWords.text(error)
        }
    }
}
