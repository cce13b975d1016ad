import Bytes
import Compression
import Glibc
import ResticFormat
import Sealing

/// A sealed blob where it lies, and what it should turn out to be.
package struct SealedPart {
    package var bytes: UnsafeRawBufferPointer
    package var location: BlobLocation

    package init(bytes: UnsafeRawBufferPointer, location: BlobLocation) {
        self.bytes = bytes
        self.location = location
    }
}

/// A blob that was opened, unpacked, and has the content that its name says (L3); lies in a worker's scratch.
package struct OpenedPart {
    package var plaintext: UnsafeRawBufferPointer
    /// The zstd frame; nil when the blob is stored raw, and when frames were not kept.
    package var frame: UnsafeRawBufferPointer?
}

/// A blob that authenticates with its repository's key, and was neither unpacked nor hashed: it may not be what its name says.
///
/// Only sealing takes it, which proves what it made before that counts (`BlobWriter.save`).
struct UnverifiedBlob {
    let location: BlobLocation
    /// The zstd frame of a compressed blob, else the plaintext; lies in a worker's scratch.
    let content: UnsafeRawBufferPointer
    /// Where it came from, when that was proven after it was sealed there.
    var witness: Witness?
}

/// A sealed blob that was opened, unpacked and hashed in memory before its pack was stored, and what opens it.
///
/// Whatever opens to the same content has the digest that its name says: to compare takes a tenth of the time of unpacking and hashing.
/// The bytes authenticate, so they are those that were proven, unless a store answers with another blob of the same length: only
/// what a disk of this host gave is a witness.
struct Witness {
    let sealed: UnsafeRawBufferPointer
    let cipher: ResticCipher
}

extension BlobWorker {
    /// Opens, unpacks and checks several sealed blobs, and hashes them together; one answer for each, in their order.
    ///
    /// What is lent stays valid until the worker's next use. Memory: all plaintexts at a time, so the caller bounds the batch
    /// (`Limits.batchBytes`), and the largest frame, or all of them with `keepingFrames`. A claimed size is bounded before any
    /// room is made for it. `digests` hashes the messages it is given.
    func openAll(
        _ parts: [SealedPart],
        keepingFrames: Bool = false,
        digests: ([UnsafeRawBufferPointer]) -> [Digest]
    ) -> [Result<OpenedPart, BlobDamage>] {
        makeRoom(for: parts, keepingFrames)
        var plainUsed = 0
        var framesUsed = 0
        var results = parts.map { part in
            Result { () throws(BlobDamage) in
                if !keepingFrames { framesUsed = 0 }
                var opened = try open(part, &plainUsed, &framesUsed)
                if !keepingFrames { opened.frame = nil }
                return opened
            }
        }
        let good = results.indices.filter { (try? results[$0].get()) != nil }
        let found = digests(good.compactMap { try? results[$0].get().plaintext })
        for (number, digest) in zip(good, found) where digest != parts[number].location.id.digest {
            results[number] = .failure(.wrongDigest)
        }
        return results
    }

    /// As above, with hashes of this worker.
    package func openAll(_ parts: [SealedPart], keepingFrames: Bool = false) -> [Result<OpenedPart, BlobDamage>] {
        openAll(parts, keepingFrames: keepingFrames) { digests(of: $0) }
    }

    /// Decrypts several sealed blobs; nil for those that do not authenticate or have a length that cannot be right.
    ///
    /// What is lent stays valid until the worker's next use. With `areProven`, each blob has its sealed bytes as a witness.
    /// Memory: all of them at a time.
    func decryptAll(_ parts: [SealedPart], areProven: Bool = false) -> [UnverifiedBlob?] {
        opened.reserve(parts.reduce(0) { $0 + ($1.damage == nil ? $1.contentBytes : 0) })
        var used = 0
        return parts.map { part in
            guard part.damage == nil else { return nil }
            let content = opened.slice(used..<used + part.contentBytes)
            used += part.contentBytes
            do throws(BlobDamage) { try decrypt(part.bytes, into: content) } catch { return nil }
            let witness = areProven ? Witness(sealed: part.bytes, cipher: cipher) : nil
            return UnverifiedBlob(location: part.location, content: UnsafeRawBufferPointer(content), witness: witness)
        }
    }

    /// Opens a sealed blob and its witness, and compares what comes out; the witness is opened anew, and not what was sealed before.
    ///
    /// Memory: both contents in scratch. Errors: that neither may be wrong, and a frame whose content has another size than is said.
    func compare(_ part: SealedPart, with witness: Witness) throws(BlobDamage) {
        if let damage = part.damage { throw damage }
        let count = part.contentBytes
        guard witness.sealed.count == part.bytes.count else { throw .wrongDigest }
        opened.reserve(count)
        plain.reserve(count)
        let (ours, theirs) = (opened.slice(count), plain.slice(count))
        do throws(SealError) {
            try cipher.open(part.bytes, into: ours)
            try witness.cipher.open(witness.sealed, into: theirs)
        } catch { throw .notAuthentic }
        guard isSame(ours, theirs) else { throw .wrongDigest }
        guard part.location.isCompressed else { return }
        let header = try? ZstdFrameHeader(UnsafeRawBufferPointer(ours))
        guard header?.contentBytes == UInt64(part.plainBytes) else { throw .notDecompressible }
    }

    private func isSame(_ left: UnsafeMutableRawBufferPointer, _ right: UnsafeMutableRawBufferPointer) -> Bool {
        guard left.count == right.count, let start = left.baseAddress, let other = right.baseAddress else {
            return left.isEmpty && right.isEmpty
        }
        return memcmp(start, other, left.count) == 0
    }

    private func makeRoom(for parts: [SealedPart], _ keepingFrames: Bool) {
        var plainBytes = 0
        var frameBytes = 0
        for part in parts where part.damage == nil {
            plainBytes += part.plainBytes
            guard part.location.isCompressed else { continue }
            frameBytes = keepingFrames ? frameBytes + part.contentBytes : max(frameBytes, part.contentBytes)
        }
        plain.reserve(plainBytes)
        opened.reserve(frameBytes)
    }

    /// Decrypts, and unpacks what is compressed; the digest is still to be checked.
    private func open(_ part: SealedPart, _ plainUsed: inout Int, _ framesUsed: inout Int) throws(BlobDamage)
        -> OpenedPart
    {
        if let damage = part.damage { throw damage }
        let output = plain.slice(plainUsed..<plainUsed + part.plainBytes)
        plainUsed += part.plainBytes
        guard part.location.isCompressed else {
            try decrypt(part.bytes, into: output)
            return OpenedPart(plaintext: UnsafeRawBufferPointer(output), frame: nil)
        }
        let frame = opened.slice(framesUsed..<framesUsed + part.contentBytes)
        framesUsed += part.contentBytes
        try decrypt(part.bytes, into: frame)
        do {
            try decompressor.decompress(UnsafeRawBufferPointer(frame), exactly: part.plainBytes, into: output)
        } catch {
            throw .notDecompressible
        }
        return OpenedPart(plaintext: UnsafeRawBufferPointer(output), frame: UnsafeRawBufferPointer(frame))
    }

    private func decrypt(
        _ sealed: UnsafeRawBufferPointer,
        into room: UnsafeMutableRawBufferPointer
    ) throws(BlobDamage) {
        do { try cipher.open(sealed, into: room) } catch { throw .notAuthentic }
    }
}

extension SealedPart {
    /// A blob in a block that holds the pack's bytes from `start` on; the block has to live as long as the part.
    init(_ location: BlobLocation, in block: Block, from start: UInt64) {
        let first = Int(UInt64(location.offset) - start)
        bytes = block.withBytes { $0.part(from: first, count: Int(location.length)) }
        self.location = location
    }

    /// What can be refused before anything is opened.
    fileprivate var damage: BlobDamage? {
        let limit = location.type == .tree ? Limits.treeBlobBytesMax : Limits.dataBlobBytesMax
        guard bytes.count == Int(location.length), bytes.count >= ResticCipher.overhead else { return .wrongLength }
        return plainBytes <= limit ? nil : .tooLarge
    }

    fileprivate var contentBytes: Int { bytes.count - ResticCipher.overhead }

    fileprivate var plainBytes: Int {
        location.isCompressed ? Int(location.uncompressedLength) : contentBytes
    }
}
