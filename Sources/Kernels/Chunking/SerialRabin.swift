/// The cut rule in its plainest form, byte by byte with the definition's own arithmetic: what the fast search is measured against.
package struct SerialRabin: Sendable {
    private let modulus: UInt64
    private let mask: UInt64
    private let minimumBytes: Int
    private let maximumBytes: Int

    package init(_ chunker: RabinChunker) {
        modulus = chunker.polynomial.bits
        mask = chunker.mask
        minimumBytes = chunker.minimumBytes
        maximumBytes = chunker.maximumBytes
    }

    /// Lengths of all chunks of a whole stream.
    ///
    /// Cost: slow, since the fingerprint of every window is computed anew.
    package func lengths(of bytes: [UInt8]) -> [Int] {
        var lengths: [Int] = []
        var start = 0
        while start < bytes.count {
            let length = firstLength(bytes[start...])
            lengths.append(length)
            start += length
        }
        return lengths
    }

    private func firstLength(_ bytes: ArraySlice<UInt8>) -> Int {
        var length = minimumBytes
        while length < min(bytes.count, maximumBytes) {
            let end = bytes.startIndex + length
            if fingerprint(bytes[end - RabinChunker.window..<end]) & mask == 0 { return length }
            length += 1
        }
        return min(bytes.count, maximumBytes)
    }

    /// Sum of b_i * x^(8 * (63 - i)) mod P over the window (Horner's rule).
    package func fingerprint(_ window: ArraySlice<UInt8>) -> UInt64 {
        var print: UInt64 = 0
        for byte in window { print = GF2.remainder(print << 8 | UInt64(byte), modulo: modulus) }
        return print
    }
}
