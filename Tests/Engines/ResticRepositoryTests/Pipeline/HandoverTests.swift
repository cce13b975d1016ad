import ResticRepository
import Synchronization
import Testing

@Suite struct HandoverTests {
    private final class Load: Sendable {}

    private final class Progress: Sendable {
        let sent = Mutex(0)
        var count: Int { sent.withLock { $0 } }
    }

    @Test func `an item that was handed over is not held any longer`() async throws {
        let queue = Handover<Load>(capacity: 4)
        weak var first: Load?
        do {
            let load = Load()
            first = load
            try await queue.send(load)
            try await queue.send(Load())
        }
        #expect(first != nil)
        _ = await queue.receive()
        #expect(first == nil)
    }

    @Test func `an urgent item comes first, and only one waits`() async throws {
        let queue = Handover<Int>(capacity: 4)
        try await queue.send(1)
        #expect(queue.wantsUrgent)
        #expect(queue.sendUrgent(2))
        #expect(!queue.wantsUrgent)
        #expect(!queue.sendUrgent(3))
        #expect(queue.tryReceive() == 2)
        #expect(await queue.receive() == 1)
        #expect(queue.tryReceive() == nil)
    }

    @Test func `an urgent item is delivered before the end`() async {
        let queue = Handover<Int>(capacity: 1)
        #expect(queue.sendUrgent(1))
        queue.finish()
        #expect(await queue.receive() == 1)
        #expect(await queue.receive() == nil)
    }

    @Test func `after a failure nothing is taken and nothing comes`() async throws {
        struct Stop: Error {}
        let queue = Handover<Int>(capacity: 1)
        try await queue.send(1)
        queue.fail(Stop())
        #expect(!queue.wantsUrgent)
        #expect(!queue.sendUrgent(2))
        #expect(queue.tryReceive() == nil)
        await #expect(throws: Stop.self) { try await queue.send(3) }
    }

    @Test func `who waits to send goes on when the queue is half empty, and all comes in order`() async throws {
        let queue = Handover<Int>(capacity: 8)
        let progress = Progress()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for item in 0..<100 {
                    try await queue.send(item)
                    progress.sent.withLock { $0 = item + 1 }
                }
                queue.finish()
            }
            while progress.count < 8 { await Task.yield() }
            for item in 0..<3 { #expect(await queue.receive() == item) }
            for _ in 0..<1000 { await Task.yield() }
            #expect(progress.count == 8, "three of eight are gone")
            #expect(await queue.receive() == 3)
            while progress.count < 12 { await Task.yield() }
            for item in 4..<100 { #expect(await queue.receive() == item) }
            #expect(await queue.receive() == nil)
            try await group.waitForAll()
        }
    }

    @Test func `nobody overtakes a sender that waits, though there is room`() async throws {
        let queue = Handover<Int>(capacity: 8)
        for item in 0..<8 { try await queue.send(item) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await queue.send(8) }
            try await Task.sleep(for: .milliseconds(100))
            for item in 0..<3 { #expect(queue.tryReceive() == item) }
            group.addTask { try await queue.send(9) }
            try await Task.sleep(for: .milliseconds(100))
            for item in 3..<10 { #expect(await queue.receive() == item) }
            try await group.waitForAll()
        }
    }

    @Test func `with no place to wait an item goes from hand to hand, in order`() async throws {
        let queue = Handover<Int>(capacity: 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for item in 0..<100 { try await queue.send(item) }
                queue.finish()
            }
            for item in 0..<100 { #expect(await queue.receive() == item) }
            #expect(await queue.receive() == nil)
            try await group.waitForAll()
        }
    }
}
