package import Bytes
import Compression
package import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Synchronization

/// Unpacked files: index, snapshot, lock. Sealed whole; in version 2 compressed behind a marker byte.
extension Repository {
    /// First byte of a compressed unpacked file's plaintext.
    private static var compressedMarker: UInt8 { 2 }

    /// Loads, authenticates and unpacks; the file's name is checked against its bytes first (L3).
    ///
    /// Snapshots and index files come from the cache where they are there and right. Errors: `E-MISSING`, `E-DAMAGE`.
    package func loadUnpacked(_ kind: ObjectKind, _ id: Digest) async throws -> [UInt8] {
        if kind == .snapshot, let json = earlySnapshots.withLock({ $0.removeValue(forKey: id) }) { return json }
        let isCached = kind == .snapshot || kind == .index
        if isCached, let cache, let copy = cache.load(kind, id) {
            if let json = try? openUnpacked(kind, id, copy) { return json }
            cache.forget(kind, id)
        }
        let name = ObjectName(kind, id)
        var block = try await get(name)
        if sha256(block) != id {
            // One second look: a transient flip on the way is not damage (D-10).
            block = try await get(name)
            guard sha256(block) == id else { throw wrongName(kind, id) }
        }
        let json = try openVerified(kind, id, block)
        if isCached { cache?.store(kind, id, block) }
        return json
    }

    private func get(_ name: ObjectName) async throws -> Block {
        do {
            return try await store.getTwice(name)
        } catch let failure as StorageFailure where failure.code == .notFound {
            throw RepositoryFailure(
                .missing,
                operation: "read",
                object: "\(name.kind.rawValue) \(name.digest.short) in \(store.location)",
                what: "is missing",
                state: "everything that does not need it can be read",
                next: name.kind == .index ? "run `repair index`" : "run `check`",
                cause: failure
            )
        }
    }

    private func openUnpacked(_ kind: ObjectKind, _ id: Digest, _ block: Block) throws -> [UInt8] {
        guard sha256(block) == id else { throw wrongName(kind, id) }
        return try openVerified(kind, id, block)
    }

    private func wrongName(_ kind: ObjectKind, _ id: Digest) -> RepositoryFailure {
        unpackedDamage(kind, id, "has other bytes than its name says")
    }

    /// Opens and unpacks what has the bytes that its name says.
    private func openVerified(_ kind: ObjectKind, _ id: Digest, _ block: Block) throws -> [UInt8] {
        let plain: [UInt8]
        do {
            plain = try block.withBytes { sealed throws(SealError) in try ResticCipher(key: key).open(sealed) }
        } catch {
            throw unpackedDamage(kind, id, "does not authenticate with this repository's key", cause: error)
        }
        guard let first = plain.first else { return [] }
        switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            return plain
        case Self.compressedMarker:
            do {
                return try plain.withUnsafeBytes { bytes in
                    try Decompressor().decompress(
                        UnsafeRawBufferPointer(rebasing: bytes[1...]),
                        limit: Limits.unpackedBytesMax
                    )
                }
            } catch {
                throw unpackedDamage(kind, id, "does not decompress", cause: error)
            }
        default:
            throw unpackedDamage(kind, id, "begins with byte \(first), which no known version writes")
        }
    }

    func unpackedDamage(_ kind: ObjectKind, _ id: Digest, _ what: String, cause: (any Error)? = nil)
        -> RepositoryFailure
    {
        RepositoryFailure(
            .damaged,
            retry: .afterRepair,
            operation: "read",
            object: "\(kind.rawValue) \(id.short) in \(store.location)",
            what: what,
            state: "other files of the repository can still be read",
            next: kind == .index ? "run `repair index`" : "run `check --read-data` to see what else is affected",
            cause: cause
        )
    }

    /// Seals and stores a document; its name is the hash of the stored bytes.
    ///
    /// Opened and compared again before it is sent, as restic does. Keeps L1 through the store.
    package func saveUnpacked(_ kind: ObjectKind, _ json: [UInt8]) async throws -> Digest {
        let (id, block) = try sealUnpacked(kind, json)
        try await put(kind, id, block)
        guard !options.isDryRun, kind == .snapshot || kind == .index else { return id }
        cache?.store(kind, id, block)
        if kind == .index { highWater?.storeIndex(id) }
        return id
    }

    /// A document as it will be stored, opened and compared again, and the name that it will have.
    func sealUnpacked(_ kind: ObjectKind, _ json: [UInt8]) throws -> (Digest, Block) {
        var plain = json
        if isCompressing {
            let compressor = Compressor(mode: .auto)
            plain = [Self.compressedMarker]
            try json.withUnsafeBytes { bytes in
                let scratch = UnsafeMutableRawBufferPointer.allocate(
                    byteCount: compressor.bound(bytes.count),
                    alignment: 16
                )
                defer { scratch.deallocate() }
                let count = try compressor.compress(bytes, into: scratch)
                plain.append(contentsOf: UnsafeRawBufferPointer(rebasing: scratch[..<count]))
            }
        }
        let block = Block(ResticCipher(key: key).seal(plain, entropy: environment.entropy))
        let id = sha256(block)
        if options.extraVerify {
            guard let readBack = try? openUnpacked(kind, id, block), readBack == json else {
                throw RepositoryFailure(
                    .verification,
                    operation: "store",
                    object: "\(kind.rawValue) \(id.short)",
                    what: "cannot be opened right after it was sealed: memory or processor fault",
                    state: "it was not stored; earlier snapshots are not touched",
                    next: "test this machine's memory, then run again"
                )
            }
        }
        return (id, block)
    }

    /// The object whose name begins with `prefix`; a full name is not looked up.
    ///
    /// Errors: `E-NOT-FOUND`, `E-AMBIGUOUS`.
    package func find(_ kind: ObjectKind, prefix: String) async throws -> Digest {
        if let whole = Digest(hex: prefix) { return whole }
        let found = try await store.list(kind).filter { $0.digest.hex.hasPrefix(prefix) }
        guard let first = found.first else {
            throw RepositoryFailure(
                .notFound,
                operation: "find",
                object: "\(kind.rawValue) \"\(prefix)\"",
                what: "no matching ID found for prefix \"\(prefix)\"",
                next: "list them with `list \(kind.rawValue)s`"
            )
        }
        guard found.count == 1 else {
            throw RepositoryFailure(
                .ambiguous,
                operation: "find",
                object: "\(kind.rawValue) \"\(prefix)\"",
                what: "multiple IDs with prefix \"\(prefix)\" found",
                next: "give more digits"
            )
        }
        return first.digest
    }
}

func sha256(_ block: Block) -> Digest { block.withBytes { SHA256Context.hash($0) } }
