import Testing

import HostSystem

@Suite struct CancellableReadTests {
    @Test func `Q-06 a read from a silent pipe ends when its task is cancelled`() async throws {
        let (reader, writer) = try makePipe()
        defer { try? writer.close() }
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup(of: Int.self) { group in
                group.addTask { try await read(from: reader) }
                group.cancelAll()
                _ = try await group.next()
            }
        }
    }

    @Test func `a read from a pipe gets what was written, and 0 at its end`() async throws {
        let (reader, writer) = try makePipe()
        try writer.write(Array("abc".utf8))
        #expect(try await read(from: reader) == 3)
        try writer.close()
        #expect(try await read(from: reader) == 0)
    }
}

private func read(from reader: FileDescriptor) async throws -> Int {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 1)
    defer { buffer.deallocate() }
    return try await reader.readUnlessCancelled(into: buffer)
}
