import Bytes
import Synchronization
import Testing

/// Shared by the tasks of a test.
private final class Shared<Value: Sendable>: Sendable {
    let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }
}

@Suite struct ByteBudgetTests {
    /// Runs other tasks until the condition holds; the tests' tasks need no time, only turns.
    private func until(_ condition: () -> Bool) async {
        while !condition() { await Task.yield() }
    }

    @Test func `what is free is granted at once`() async throws {
        let budget = ByteBudget(100)
        try await budget.acquire(60)
        #expect(budget.free == 40)
        #expect(!budget.tryAcquire(41))
        #expect(budget.tryAcquire(40))
        budget.release(60)
        budget.release(40)
        #expect(budget.free == 100)
    }

    @Test func `requests are granted in the order they came, large before later small`() async throws {
        let budget = ByteBudget(10)
        try await budget.acquire(10)
        let order = Shared<[String]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (place, request) in [("large", 8), ("small", 2), ("last", 5)].enumerated() {
                group.addTask {
                    try await budget.acquire(request.1)
                    order.value.withLock { $0.append(request.0) }
                    budget.release(request.1)
                }
                await until { budget.waiting == place + 1 }
            }
            #expect(!budget.tryAcquire(0), "nobody overtakes the line")
            budget.release(5)
            #expect(budget.waiting == 3, "8 do not fit into 5, and 2 wait behind them")
            budget.release(5)
            try await group.waitForAll()
        }
        #expect(order.value.withLock { $0.first } == "large")
        #expect(order.value.withLock { Set($0) } == ["large", "small", "last"])
        #expect(budget.free == 10 && budget.waiting == 0)
    }

    @Test func `a request above the total runs alone`() async throws {
        let budget = ByteBudget(10)
        try await budget.acquire(1000)
        #expect(budget.free == 0)
        budget.release(1000)
        #expect(budget.free == 10)
    }

    @Test func `a cancelled waiter leaves the line and lets the next one in`() async throws {
        let budget = ByteBudget(10)
        try await budget.acquire(6)
        await withTaskGroup(of: Void.self) { group in
            let first = Shared(false)
            group.addTask {
                await withTaskGroup(of: Void.self) { inner in
                    inner.addTask {
                        await #expect(throws: CancellationError.self) { try await budget.acquire(9) }
                    }
                    while !first.value.withLock({ $0 }) { await Task.yield() }
                    inner.cancelAll()
                }
            }
            await until { budget.waiting == 1 }
            group.addTask {
                try? await budget.acquire(4)
            }
            await until { budget.waiting == 2 }
            first.value.withLock { $0 = true }
            await group.waitForAll()
        }
        #expect(budget.free == 0 && budget.waiting == 0)
        budget.release(10)
        #expect(budget.free == 10)
    }

    @Test func `a task cancelled before it asks gets nothing`() async {
        let budget = ByteBudget(10)
        await withTaskGroup(of: Void.self) { group in
            group.cancelAll()
            group.addTask {
                await #expect(throws: CancellationError.self) { try await budget.acquire(1) }
            }
        }
        #expect(budget.free == 10)
    }

    @Test func `many tasks never hold more than the total`() async throws {
        let budget = ByteBudget(50)
        let held = Shared(0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try await budget.holding(number % 50 + 1) {
                        let now = held.value.withLock { held in
                            held += number % 50 + 1
                            return held
                        }
                        #expect(now <= 50)
                        await Task.yield()
                        held.value.withLock { $0 -= number % 50 + 1 }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(budget.free == 50 && budget.waiting == 0)
    }

    @Test func `cancelling a crowd loses no byte`() async {
        let budget = ByteBudget(20)
        for _ in 0..<20 {
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        _ = try? await budget.holding(number % 20 + 1) { await Task.yield() }
                    }
                }
                await Task.yield()
                group.cancelAll()
            }
            #expect(budget.free == 20 && budget.waiting == 0)
        }
    }

    @Test func `releasing what was not acquired traps`() async {
        await #expect(processExitsWith: .failure) { ByteBudget(10).release(1) }
    }
}

@Suite struct PagePoolTests {
    /// Takes, fills and lets go of a page; not inlined, so that nothing of it lives on in the caller.
    @inline(never)
    private func fillOnePage(of pool: PagePool) -> Int? {
        var address: Int?
        let page = pool.tryTake()
        page?.block.fill { room in
            address = Int(bitPattern: room.baseAddress)
            return 100
        }
        withExtendedLifetime(page) {}
        return address
    }

    @Test func `pages are used again and come back empty`() async throws {
        let pool = PagePool(pageBytes: 4096, budget: ByteBudget(8192))
        let address = fillOnePage(of: pool)
        #expect(pool.idleCount == 1 && pool.budget.free == 8192)
        let page = try await pool.take()
        #expect(page.block.isEmpty && page.block.capacity == 4096)
        page.block.fill { room in
            #expect(Int(bitPattern: room.baseAddress) == address)
            return 0
        }
    }

    @Test func `no more pages than the budget, and the waiter gets the one given back`() async throws {
        let pool = PagePool(pageBytes: 10, budget: ByteBudget(25))
        var first = pool.tryTake()
        let second = pool.tryTake()
        #expect(first != nil && second != nil && pool.tryTake() == nil)
        try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask { try await pool.take().block.capacity }
            while pool.budget.waiting == 0 { await Task.yield() }
            first = nil
            let capacity = try await group.next()
            #expect(capacity == 10)
        }
        withExtendedLifetime(second) {}
        #expect(first == nil)
    }

    @Test func `a block kept longer than its page is not used again`() async throws {
        let pool = PagePool(pageBytes: 10, budget: ByteBudget(10))
        var kept: Block?
        do {
            let page = try await pool.take()
            page.block.fill { room in
                room[0] = 7
                return 1
            }
            kept = page.block
        }
        #expect(pool.idleCount == 0 && pool.budget.free == 10)
        #expect(kept?.bytes == [7])
    }
}
