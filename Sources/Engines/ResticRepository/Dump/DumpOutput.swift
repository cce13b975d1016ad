/// Where a dump's bytes go, in order: small pieces are gathered, large ones pass through.
///
/// Isolation: one task. Memory: 256 KiB.
package final class DumpOutput {
    private static let gatherBytes = 256 << 10

    private let sink: (UnsafeRawBufferPointer) throws -> Void
    private var gathered: [UInt8] = []
    /// Bytes taken so far.
    package private(set) var count: UInt64 = 0

    /// `sink` takes all it is given or throws; it is called in order.
    package init(_ sink: @escaping (UnsafeRawBufferPointer) throws -> Void) {
        self.sink = sink
        gathered.reserveCapacity(Self.gatherBytes)
    }

    /// Takes the bytes; throws what the sink throws.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        count += UInt64(bytes.count)
        guard gathered.count + bytes.count > Self.gatherBytes else { return gathered.append(contentsOf: bytes) }
        try flush()
        if bytes.count < Self.gatherBytes { gathered.append(contentsOf: bytes) } else { try sink(bytes) }
    }

    /// The same for an array.
    package func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

    /// Hands on what was gathered.
    package func flush() throws {
        guard !gathered.isEmpty else { return }
        try gathered.withUnsafeBytes { try sink($0) }
        gathered.removeAll(keepingCapacity: true)
    }
}
