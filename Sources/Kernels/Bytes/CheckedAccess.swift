// Parts of a buffer and fixed-width integers at any offset. The bounds are checked in release builds too, where slicing a buffer is
// not: a caller that reads past the end has a bug, since lengths are bounded before (L3).

extension UnsafeRawBufferPointer {
    /// The `size` bytes from `start` on; traps when they do not fit.
    @inlinable
    package func part(from start: Int, count size: Int) -> UnsafeRawBufferPointer {
        precondition(start >= 0 && size >= 0 && size <= count && start <= count - size)
        return UnsafeRawBufferPointer(rebasing: self[start..<start + size])
    }

    /// The little-endian 16-bit integer at `offset`; traps when it does not fit.
    @inlinable
    package func littleUInt16(at offset: Int) -> UInt16 {
        precondition(offset >= 0 && offset <= count - 2)
        return UInt16(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    /// The little-endian 32-bit integer at `offset`; traps when it does not fit.
    @inlinable
    package func littleUInt32(at offset: Int) -> UInt32 {
        precondition(offset >= 0 && offset <= count - 4)
        return UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// The little-endian 64-bit integer at `offset`; traps when it does not fit.
    @inlinable
    package func littleUInt64(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset <= count - 8)
        return UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The big-endian 64-bit integer at `offset`; traps when it does not fit.
    @inlinable
    package func bigUInt64(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset <= count - 8)
        return UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The 32 bytes at `offset` as a digest; traps when they do not fit.
    package func digest(at offset: Int) -> Digest {
        Digest(bytes: part(from: offset, count: 32))
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Writes `value` little-endian at `offset`; traps when it does not fit.
    @inlinable
    package func storeLittle(_ value: UInt32, at offset: Int) {
        precondition(offset >= 0 && offset <= count - 4)
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
    }

    /// Writes `value` little-endian at `offset`; traps when it does not fit.
    @inlinable
    package func storeLittle(_ value: UInt64, at offset: Int) {
        precondition(offset >= 0 && offset <= count - 8)
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
    }

    /// Writes `value` big-endian at `offset`; traps when it does not fit.
    @inlinable
    package func storeBig(_ value: UInt64, at offset: Int) {
        precondition(offset >= 0 && offset <= count - 8)
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt64.self)
    }
}

extension [UInt8] {
    /// The little-endian 32-bit integer at `offset`; traps when it does not fit.
    package func littleUInt32(at offset: Int) -> UInt32 {
        withUnsafeBytes { $0.littleUInt32(at: offset) }
    }

    /// The little-endian 64-bit integer at `offset`; traps when it does not fit.
    package func littleUInt64(at offset: Int) -> UInt64 {
        withUnsafeBytes { $0.littleUInt64(at: offset) }
    }

    /// Appends four bytes, lowest first.
    package mutating func appendLittle(_ value: UInt32) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// Appends eight bytes, lowest first.
    package mutating func appendLittle(_ value: UInt64) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// Appends the 32 bytes of `digest`.
    package mutating func append(_ digest: Digest) {
        Swift.withUnsafeBytes(of: (digest.a.bigEndian, digest.b.bigEndian, digest.c.bigEndian, digest.d.bigEndian)) {
            append(contentsOf: $0)
        }
    }
}
