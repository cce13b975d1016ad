import Bytes
import Synchronization

/// Turns pieces of a stream into whole lines.
final class LineSplitter: Sendable {
    private static let lineBytesMax = 64 << 10
    private let rest = Mutex<[UInt8]>([])
    private let deliver: @Sendable (ByteString) -> Void

    init(_ deliver: @escaping @Sendable (ByteString) -> Void) { self.deliver = deliver }

    /// Takes the next piece; a line longer than 64 KiB is delivered in parts.
    func take(_ piece: [UInt8]) {
        let lines = rest.withLock { rest in
            rest.append(contentsOf: piece)
            var lines: [ByteString] = []
            while let end = rest.firstIndex(of: 0x0a) ?? (rest.count > Self.lineBytesMax ? rest.count : nil) {
                lines.append(ByteString(Array(rest[..<end])))
                rest.removeFirst(min(end + 1, rest.count))
            }
            return lines
        }
        for line in lines { deliver(line) }
    }

    /// Delivers what stands after the last line break.
    func end() {
        let last = rest.withLock { rest in
            defer { rest = [] }
            return rest
        }
        if !last.isEmpty { deliver(ByteString(last)) }
    }
}
