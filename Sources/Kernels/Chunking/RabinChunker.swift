import CKernels

/// Cuts a stream where its content says so, as restic does with the same polynomial (spec 8).
///
/// A chunk of length L ends where the fingerprint of its last 64 bytes has `splitBits` zero bits at the bottom and L is at least the
/// minimum, or where L is the maximum, or where the stream ends; the first of these wins. A stream without bytes has no chunks.
///
/// Invariant: the decision at L is a pure function of the 64 bytes before it, so the search starts at the minimum, may run in lanes,
/// and may stop and go on anywhere.
package struct RabinChunker: Sendable {
    /// 512 KiB.
    package static let minimum = 512 << 10
    /// 8 MiB.
    package static let maximum = 8 << 20
    /// Bytes that decide.
    package static let window = 64

    package let polynomial: Polynomial
    /// Shortest chunk in bytes, but for the last.
    package let minimumBytes: Int
    /// Longest chunk in bytes.
    package let maximumBytes: Int
    let mask: UInt64
    /// 256 words b * x^512 mod P, then 256 words (b * x^53 mod P) | b << 53.
    let tables: [UInt64]

    /// The bounds are restic's unless a test wants small ones; traps when they do not hold `window <= minimum <= maximum`.
    package init(
        polynomial: Polynomial,
        splitBits: Int = 20,
        minimumBytes: Int = Self.minimum,
        maximumBytes: Int = Self.maximum
    ) {
        precondition((1...48).contains(splitBits))
        precondition(Self.window <= minimumBytes && minimumBytes <= maximumBytes)
        self.polynomial = polynomial
        self.minimumBytes = minimumBytes
        self.maximumBytes = maximumBytes
        mask = 1 << UInt64(splitBits) - 1
        tables = Self.makeTables(polynomial.bits)
    }

    /// Length of the first chunk of `bytes`, a pure function; nil when more bytes are needed, or at the end when there are none.
    package func firstCut(in bytes: UnsafeRawBufferPointer, atEnd: Bool) -> Int? {
        var scanner = ChunkScanner(chunker: self)
        return scanner.scan(bytes, atEnd: atEnd)
    }

    /// Lengths of all chunks of a whole stream; they add up to its length.
    package func lengths(of bytes: UnsafeRawBufferPointer) -> [Int] {
        var lengths: [Int] = []
        var start = 0
        while let length = firstCut(in: UnsafeRawBufferPointer(rebasing: bytes[start...]), atEnd: true) {
            lengths.append(length)
            start += length
        }
        return lengths
    }

    /// The first length in `lengths` after which a chunk may end by its content.
    func search(_ bytes: UnsafeRawBufferPointer, _ lengths: ClosedRange<Int>) -> Int? {
        precondition(lengths.lowerBound >= Self.window && lengths.upperBound <= bytes.count)
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
        let found = hf_rabin_find(tables, start, lengths.lowerBound, lengths.upperBound, mask)
        return found == 0 ? nil : found
    }

    private static func makeTables(_ modulus: UInt64) -> [UInt64] {
        // x^512 by squaring x nine times.
        var drop: UInt64 = 2
        for _ in 0..<9 { drop = GF2.multiply(drop, drop, modulo: modulus) }
        let top = GF2.remainder(1 << UInt64(Polynomial.degree), modulo: modulus)
        return (0..<256).map { GF2.multiply(drop, $0, modulo: modulus) }
            + (0..<256).map { GF2.multiply(top, $0, modulo: modulus) | $0 << UInt64(Polynomial.degree) }
    }
}

/// The search for one chunk's end in a buffer that grows: what was scanned is not scanned again.
///
/// Use: keep the current chunk's bytes from its start in one buffer, append, `scan` again; after a cut, drop the chunk's bytes and
/// go on with the same scanner.
package struct ChunkScanner: Sendable {
    private let chunker: RabinChunker
    /// Lengths below this were ruled out.
    private var next: Int

    package init(chunker: RabinChunker) {
        self.chunker = chunker
        next = chunker.minimumBytes
    }

    /// Length of the current chunk, or nil when more bytes are needed, or at the end when there are none.
    ///
    /// `bytes` are all bytes of the chunk so far, from its first one on; traps when there are fewer than at the last call. After a
    /// cut the scanner is ready for the next chunk.
    package mutating func scan(_ bytes: UnsafeRawBufferPointer, atEnd: Bool) -> Int? {
        let limit = min(bytes.count, chunker.maximumBytes)
        precondition(next == chunker.minimumBytes || limit >= next - 1, "the buffer lost bytes that were scanned")
        if limit >= next {
            if let length = chunker.search(bytes, next...limit) { return cut(length) }
            next = limit + 1
        }
        if bytes.count >= chunker.maximumBytes { return cut(chunker.maximumBytes) }
        return atEnd && bytes.count > 0 ? cut(bytes.count) : nil
    }

    /// Forgets the current chunk.
    package mutating func reset() { next = chunker.minimumBytes }

    private mutating func cut(_ length: Int) -> Int {
        reset()
        return length
    }
}
