package import Bytes
import ObjectStorage
import Outcome
package import ResticFormat
import Sealing

/// Reading blobs out of packs.
extension Repository {
    /// Every copy of the blob that an index names.
    package func locations(_ type: BlobType, _ id: BlobID) -> [BlobLocation] { index.locations(type, id) }

    /// Loads one blob, trying every copy, and each once more before it is called damaged (D-10).
    ///
    /// Errors: `E-MISSING` when no index names it, `E-DAMAGE` when no copy opens.
    package func loadBlob(_ type: BlobType, _ id: BlobID, worker: BlobWorker) async throws -> [UInt8] {
        let copies = index.locations(type, id)
        guard !copies.isEmpty else { throw missingBlob(type, id) }
        var last: (any Error)?
        for copy in copies {
            for _ in 0..<2 {
                do {
                    return try await load(copy, worker: worker)
                } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    last = error
                    cache?.forget(.pack, copy.pack.digest)
                    packWindows.drop(ObjectName(.pack, copy.pack.digest))
                }
            }
        }
        throw unreadableBlob(copies[0], cause: last)
    }

    private func load(_ location: BlobLocation, worker: BlobWorker) async throws -> [UInt8] {
        let sealed = try await sealedBytes(location)
        return try sealed.withBytes { bytes in
            try worker.open(bytes, as: location) { Array($0) }
        }
    }

    func sealedBytes(_ location: BlobLocation) async throws -> Block {
        let range = UInt64(location.offset)..<location.end
        if location.type == .tree, store.isLocalDisk || cache == nil {
            return try await packWindows.read(ObjectName(.pack, location.pack.digest), range, from: store)
        }
        if location.type == .tree, let cache {
            if let copy = await cache.load(.pack, location.pack.digest, range: range) { return copy }
            if cache.wantsPack(location.pack.digest) {
                let whole = try await store.get(ObjectName(.pack, location.pack.digest), range: nil)
                if sha256(whole) == location.pack.digest { cache.store(.pack, location.pack.digest, whole) }
                guard range.upperBound <= UInt64(whole.count) else { throw BlobDamage.wrongLength }
                return whole.withBytes { bytes in
                    Block(copying: bytes.part(from: Int(range.lowerBound), count: range.count))
                }
            }
        }
        return try await store.get(ObjectName(.pack, location.pack.digest), range: range)
    }

    /// Loads a directory's tree document.
    package func loadTree(_ id: BlobID, worker: BlobWorker) async throws -> [UInt8] {
        try await loadBlob(.tree, id, worker: worker)
    }

    /// Reads many blobs of one pack in few requests, in ascending order of offset, and lends each opened to `deliver`.
    ///
    /// Neighbours with small gaps come in one ranged request; batches of them are opened together, so that their hashes run side by
    /// side, and damaged ones come last in theirs. A blob that does not open is tried alone, from every copy;
    /// when none opens, `failed` hears why and the rest goes on. Shape: `blobs` all lie in `pack`. Memory: one range (32 MiB or
    /// one blob) and one batch of plaintexts, and of their frames with `keepingFrames`.
    package func readBlobs(
        pack: PackID,
        _ blobs: [BlobLocation],
        worker: BlobWorker,
        keepingFrames: Bool = false,
        deliver: (OpenedBlob) async throws -> Void,
        failed: (BlobLocation, any Error) async throws -> Void
    ) async throws {
        try await readBatches(
            pack: pack,
            blobs,
            worker: worker,
            keepingFrames: keepingFrames,
            deliver: { for blob in $0 { try await deliver(blob) } },
            failed: failed
        )
    }

    /// The same, and lends the blobs of a batch together, so that what is done with them can be done side by side, too.
    func readBatches(
        pack: PackID,
        _ blobs: [BlobLocation],
        worker: BlobWorker,
        keepingFrames: Bool,
        deliver: ([OpenedBlob]) async throws -> Void,
        failed: (BlobLocation, any Error) async throws -> Void
    ) async throws {
        for span in ReadSpans(blobs) {
            try Task.checkCancellation()
            var block = try? await store.get(ObjectName(.pack, pack.digest), range: span.range)
            // A store that answers with less or more is not believed; each blob is then asked for alone.
            if block?.count != span.range.count { block = nil }
            for batch in BlobBatches(span.blobs) {
                try Task.checkCancellation()
                var damaged: [BlobLocation] = []
                if let block {
                    let results = open(batch, in: block, from: span.range.lowerBound, worker, keepingFrames)
                    damaged = results.filter { $0.1 == nil }.map(\.0)
                    try await deliver(results.compactMap(\.1))
                    withExtendedLifetime(block) {}
                } else {
                    damaged = Array(batch)
                }
                for blob in damaged {
                    do {
                        let bytes = Block(try await anyCopy(of: blob, worker: worker))
                        let frame = worker.frame(of: blob.id)
                        try await deliver([OpenedBlob(blob, bytes.withBytes { $0 }, sealed: nil, frame: frame)])
                        withExtendedLifetime(bytes) {}
                    } catch let damage as UnreadableBlob {
                        try await failed(blob, damage.failure)
                    }
                }
            }
        }
    }

    /// Opens the blobs of a batch together; nil for those that do not open.
    ///
    /// Valid until the worker's next use.
    private func open(
        _ batch: ArraySlice<BlobLocation>,
        in block: Block,
        from start: UInt64,
        _ worker: BlobWorker,
        _ keepingFrames: Bool
    ) -> [(BlobLocation, OpenedBlob?)] {
        let parts = batch.map { SealedPart($0, in: block, from: start) }
        return zip(parts, worker.openAll(parts, keepingFrames: keepingFrames)).map { part, result in
            let opened = try? result.get()
            return (
                part.location,
                opened.map { OpenedBlob(part.location, $0.plaintext, sealed: part.bytes, frame: $0.frame) }
            )
        }
    }

    private func anyCopy(of blob: BlobLocation, worker: BlobWorker) async throws -> [UInt8] {
        do {
            return try await loadBlob(blob.type, blob.id, worker: worker)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw UnreadableBlob(failure: error)
        }
    }

    func missingBlob(_ type: BlobType, _ id: BlobID) -> RepositoryFailure {
        RepositoryFailure(
            .missing,
            retry: .afterRepair,
            operation: "read",
            object: "\(type) blob \(id.short) in \(store.location)",
            what: "is named by no index",
            state: "everything that does not need it can be read",
            next: "run `repair index`, then `check`"
        )
    }

    private func unreadableBlob(_ location: BlobLocation, cause: (any Error)?) -> RepositoryFailure {
        let reason: String
        switch cause {
        case let damage as BlobDamage: reason = damage.rawValue
        case let failure as any ReportableFailure: reason = "cannot be read: \(failure.what)"
        default: reason = "cannot be read"
        }
        return RepositoryFailure(
            .damaged,
            retry: .afterRepair,
            operation: "read",
            object: "\(location.type) blob \(location.id.short) in pack \(location.pack.short) of \(store.location)",
            what: reason,
            state: "everything that does not need it can be read",
            next: "run `repair packs \(location.pack.hex)`, then back up again",
            cause: cause
        )
    }
}

private struct UnreadableBlob: Error {
    let failure: any Error
}

/// A blob that was opened, unpacked, and found to be what its name says (L3); lent until the worker's next use.
package struct OpenedBlob {
    package let location: BlobLocation
    package let plaintext: UnsafeRawBufferPointer
    /// As it lies in the pack; nil when that did not open and another copy was taken.
    let sealed: UnsafeRawBufferPointer?
    /// The zstd frame; nil when the blob is stored raw, and when frames were not kept.
    let frame: UnsafeRawBufferPointer?

    init(
        _ location: BlobLocation,
        _ plaintext: UnsafeRawBufferPointer,
        sealed: UnsafeRawBufferPointer?,
        frame: UnsafeRawBufferPointer?
    ) {
        self.location = location
        self.plaintext = plaintext
        self.sealed = sealed
        self.frame = frame
    }
}
