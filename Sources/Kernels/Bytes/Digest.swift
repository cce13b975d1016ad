/// A SHA-256 value, 32 bytes, big-endian in four words so that comparing words orders as bytes do.
package struct Digest: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var a: UInt64
    package var b: UInt64
    package var c: UInt64
    package var d: UInt64

    package static let byteCount = 32
    package static let zero = Digest(a: 0, b: 0, c: 0, d: 0)

    @inlinable
    package init(a: UInt64, b: UInt64, c: UInt64, d: UInt64) {
        self.a = a
        self.b = b
        self.c = c
        self.d = d
    }

    /// Reads 32 bytes; traps if there are fewer (a bug: callers bound first, L3).
    @inlinable
    package init(bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count >= 32)
        a = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
        b = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        c = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        d = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
    }

    /// Reads exactly 64 lower-case hexadecimal digits, or is nil.
    @inlinable
    package init?(hex: some Collection<UInt8>) {
        guard hex.count == 64 else { return nil }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        var position = 0
        for digit in hex {
            guard let value = Hex.value(of: digit).map(UInt64.init) else { return nil }
            switch position >> 4 {
            case 0: words.0 = words.0 << 4 | value
            case 1: words.1 = words.1 << 4 | value
            case 2: words.2 = words.2 << 4 | value
            default: words.3 = words.3 << 4 | value
            }
            position += 1
        }
        self.init(a: words.0, b: words.1, c: words.2, d: words.3)
    }

    package init?(hex: String) {
        self.init(hex: hex.utf8)
    }

    @inlinable
    package static func == (left: Digest, right: Digest) -> Bool {
        left.a == right.a && left.b == right.b && left.c == right.c && left.d == right.d
    }

    @inlinable
    package func hash(into hasher: inout Hasher) { hasher.combine(a) }

    package static func < (left: Digest, right: Digest) -> Bool {
        if left.a != right.a { return left.a < right.a }
        if left.b != right.b { return left.b < right.b }
        if left.c != right.c { return left.c < right.c }
        return left.d < right.d
    }

    /// True for the all-zero value, which never names an object.
    package var isZero: Bool { a | b | c | d == 0 }

    package var firstByte: UInt8 { UInt8(a >> 56) }

    /// The 32 bytes in order.
    package var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            store(into: UnsafeMutableRawBufferPointer(buffer))
            count = 32
        }
    }

    /// Writes 32 bytes; traps if there is less room.
    package func store(into buffer: UnsafeMutableRawBufferPointer) {
        precondition(buffer.count >= 32)
        buffer.storeBytes(of: a.bigEndian, toByteOffset: 0, as: UInt64.self)
        buffer.storeBytes(of: b.bigEndian, toByteOffset: 8, as: UInt64.self)
        buffer.storeBytes(of: c.bigEndian, toByteOffset: 16, as: UInt64.self)
        buffer.storeBytes(of: d.bigEndian, toByteOffset: 24, as: UInt64.self)
    }

    /// 64 lower-case hexadecimal digits.
    package var hex: String {
        String(unsafeUninitializedCapacity: 64) { buffer in
            writeHex(into: buffer)
            return 64
        }
    }

    /// Appends 64 lower-case hexadecimal digits.
    package func appendHex(to output: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { buffer in
            writeHex(into: buffer)
            output.append(contentsOf: buffer)
        }
    }

    /// The first eight digits, as shown to people.
    package var short: String { String(hex.prefix(8)) }

    package var description: String { hex }

    private func writeHex(into buffer: UnsafeMutableBufferPointer<UInt8>) {
        var position = 0
        for word in [a, b, c, d] {
            var shift: UInt64 = 60
            for _ in 0..<16 {
                let nibble = UInt8(truncatingIfNeeded: word >> shift) & 15
                buffer[position] = nibble < 10 ? 48 + nibble : 87 + nibble
                position += 1
                shift = shift &- 4
            }
        }
    }
}

/// A digest that names one kind of thing, so that a pack's name cannot be given where a blob's is wanted.
package struct TypedID<Kind>: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var digest: Digest

    @inlinable
    package init(_ digest: Digest) { self.digest = digest }

    package init?(hex: String) {
        guard let digest = Digest(hex: hex) else { return nil }
        self.digest = digest
    }

    @inlinable
    package static func == (left: Self, right: Self) -> Bool { left.digest == right.digest }

    @inlinable
    package func hash(into hasher: inout Hasher) { digest.hash(into: &hasher) }

    package static func < (left: Self, right: Self) -> Bool { left.digest < right.digest }

    package var hex: String { digest.hex }
    package var short: String { digest.short }
    package var description: String { digest.hex }
}

package enum BlobKind {}
package enum PackKind {}
package enum SnapshotKind {}
package enum IndexKind {}
package enum KeyKind {}
package enum LockKind {}

package typealias BlobID = TypedID<BlobKind>
package typealias PackID = TypedID<PackKind>
package typealias SnapshotID = TypedID<SnapshotKind>
package typealias IndexID = TypedID<IndexKind>
package typealias KeyID = TypedID<KeyKind>
package typealias LockID = TypedID<LockKind>
