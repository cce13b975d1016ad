/// Bytes that never appear in text: printing, interpolating or reflecting one shows `<secret>`.
///
/// The storage is wiped when the last owner lets go (best effort: copies made by the allocator are beyond reach).
package final class Secret: @unchecked Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    // Written in `init` alone and wiped in `deinit`, when no other owner is left: that is why the unchecked conformance is true.
    private let storage: UnsafeMutableRawBufferPointer

    package init(_ bytes: some Collection<UInt8>) {
        storage = .allocate(byteCount: bytes.count, alignment: 8)
        storage.copyBytes(from: bytes)
    }

    deinit {
        for index in storage.indices { storage[index] = 0 }
        storage.deallocate()
    }

    package var count: Int { storage.count }
    package var isEmpty: Bool { storage.isEmpty }

    /// Lends the bytes; the caller keeps no copy beyond the call.
    package func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(UnsafeRawBufferPointer(storage))
    }

    package var description: String { "<secret>" }
    package var debugDescription: String { "<secret>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
