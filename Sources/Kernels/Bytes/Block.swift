/// A run of bytes with one owner, filled once and immutable afterwards, that can cross tasks.
///
/// Invariant: only the task that created a block appends to it, and only before it hands the block on. That is why the
/// `@unchecked Sendable` is true: after the hand-over nobody writes.
///
/// Memory: `capacity` bytes are reserved and touched only as they fill; they go back in `deinit`.
package final class Block: @unchecked Sendable {
    private let base: UnsafeMutableRawPointer
    package let capacity: Int
    package private(set) var count: Int

    /// Reserves room for `capacity` bytes.
    package init(capacity: Int) {
        precondition(capacity >= 0)
        self.capacity = capacity
        base = .allocate(byteCount: max(capacity, 1), alignment: 64)
        count = 0
    }

    package convenience init(_ bytes: some Collection<UInt8>) {
        self.init(capacity: bytes.count)
        if bytes.withContiguousStorageIfAvailable({ append(UnsafeRawBufferPointer($0)) }) == nil {
            for byte in bytes { append(byte) }
        }
    }

    package convenience init(copying bytes: UnsafeRawBufferPointer) {
        self.init(capacity: bytes.count)
        append(bytes)
    }

    deinit { base.deallocate() }

    package var isEmpty: Bool { count == 0 }
    package var available: Int { capacity - count }

    /// Copies `bytes` to the end; traps when they do not fit.
    package func append(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= available)
        guard let source = bytes.baseAddress else { return }
        (base + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    private func append(_ byte: UInt8) {
        precondition(available >= 1)
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    /// Lends the free room; `body` returns how many bytes it wrote at its start.
    package func fill<E: Error>(_ body: (UnsafeMutableRawBufferPointer) throws(E) -> Int) throws(E) {
        let written = try body(UnsafeMutableRawBufferPointer(start: base + count, count: available))
        precondition(written >= 0 && written <= available)
        count += written
    }

    /// As above, with a `body` that may wait.
    package func fill(_ body: (UnsafeMutableRawBufferPointer) async throws -> Int) async throws {
        let written = try await body(UnsafeMutableRawBufferPointer(start: base + count, count: available))
        precondition(written >= 0 && written <= available)
        count += written
    }

    /// Drops bytes at the front and moves the rest there; only before it was handed on.
    package func removeFirst(_ bytes: Int) {
        precondition((0...count).contains(bytes))
        base.copyMemory(from: base + bytes, byteCount: count - bytes)
        count -= bytes
    }

    /// Drops bytes at the end; only before it was handed on.
    package func removeLast(_ bytes: Int) {
        precondition((0...count).contains(bytes))
        count -= bytes
    }

    /// Forgets the contents so that the owner can fill it again; only before it was handed on.
    package func reset() { count = 0 }

    /// Lends the filled bytes.
    package func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// A copy as an array.
    package var bytes: [UInt8] { withBytes { Array($0) } }
}
