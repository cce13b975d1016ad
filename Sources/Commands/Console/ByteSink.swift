package import HostSystem
import Synchronization

/// Where bytes for people and scripts go.
package protocol ByteSink: Sendable {
    /// Writes everything; false when the other side is gone (a closed pipe) or the device refuses.
    func write(_ bytes: [UInt8]) -> Bool

    /// Writes everything or says why not.
    func send(_ bytes: UnsafeRawBufferPointer) throws(Errno)
}

extension ByteSink {
    /// The same by `write`, for sinks that know no reasons: a closed pipe.
    package func send(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        guard write(Array(bytes)) else { throw Errno(32, in: "write") }
    }
}

/// One of the process's standard streams; writing blocks.
package struct StandardSink: ByteSink {
    private let file: FileDescriptor

    private init(_ file: FileDescriptor) { self.file = file }

    package static let output = StandardSink(.standardOutput)
    package static let error = StandardSink(.standardError)

    /// Writes everything, or answers false.
    package func write(_ bytes: [UInt8]) -> Bool {
        do {
            try file.write(bytes)
            return true
        } catch {
            return false
        }
    }

    /// Writes everything or says why not.
    package func send(_ bytes: UnsafeRawBufferPointer) throws(Errno) { try file.write(bytes) }
}

/// Keeps what was written, for tests.
package final class MemorySink: ByteSink {
    private let content = Mutex<[[UInt8]]>([])

    package init() {}

    /// Keeps the bytes.
    package func write(_ bytes: [UInt8]) -> Bool {
        content.withLock { $0.append(bytes) }
        return true
    }

    /// The writes, each on its own.
    package var writes: [[UInt8]] { content.withLock { $0 } }

    /// Everything written, as text.
    package var text: String { String(decoding: writes.flatMap { $0 }, as: UTF8.self) }
}
