import Synchronization

/// The splitmix64 generator: one word of state, every seed is good, the same seed gives the same numbers (L6).
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// Fills `buffer` with the numbers in little-endian order; the last one is cut to fit.
    package mutating func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        var offset = 0
        while offset + 8 <= buffer.count {
            buffer.storeBytes(of: next().littleEndian, toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        guard offset < buffer.count else { return }
        withUnsafeBytes(of: next().littleEndian) { last in
            for index in offset..<buffer.count { buffer[index] = last[index - offset] }
        }
    }

    /// The next `count` bytes.
    package mutating func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            fill(UnsafeMutableRawBufferPointer(buffer))
            initialized = count
        }
    }
}

/// Repeatable bytes for tests and simulation; never a source of keys or IVs for a real repository.
package final class SeededEntropy: EntropySource {
    private let generator: Mutex<SplitMix64>

    package init(seed: UInt64) { generator = Mutex(SplitMix64(seed: seed)) }

    /// Fills the buffer with the generator's next numbers.
    package func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        generator.withLock { $0.fill(buffer) }
    }
}
