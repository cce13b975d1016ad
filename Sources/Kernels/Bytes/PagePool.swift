import Synchronization

/// Blocks of one capacity, used again instead of allocated anew, with the number in use bounded by a byte budget.
///
/// Memory: at most the budget's bytes are leased; the blocks kept for reuse were leased before, so they stay within it too.
package final class PagePool: Sendable {
    /// Capacity of each page in bytes.
    package let pageBytes: Int
    /// The budget the pages are counted against; other users may share it.
    package let budget: ByteBudget
    private let idle = Mutex<[Block]>([])

    package init(pageBytes: Int, budget: ByteBudget) {
        precondition(pageBytes > 0 && pageBytes <= budget.total)
        self.pageBytes = pageBytes
        self.budget = budget
    }

    /// Waits for an empty page; throws `CancellationError` when the task is cancelled first.
    package func take() async throws -> Page {
        try await budget.acquire(pageBytes)
        return Page(block: reuse(), pool: self)
    }

    /// An empty page if the budget has room now.
    package func tryTake() -> Page? {
        budget.tryAcquire(pageBytes) ? Page(block: reuse(), pool: self) : nil
    }

    /// Pages waiting to be used again.
    package var idleCount: Int { idle.withLock { $0.count } }

    private func reuse() -> Block {
        idle.withLock { $0.popLast() } ?? Block(capacity: pageBytes)
    }

    fileprivate func giveBack(_ block: Block?) {
        if let block {
            block.reset()
            idle.withLock { $0.append(block) }
        }
        budget.release(pageBytes)
    }
}

/// The lease of one page: the block goes back to its pool when the last owner lets go.
///
/// `@unchecked Sendable` is true because `held` is only read until `deinit`, when no other owner is left.
package final class Page: @unchecked Sendable {
    private var held: Block
    private let pool: PagePool

    fileprivate init(block: Block, pool: PagePool) {
        held = block
        self.pool = pool
    }

    /// The page's memory, the page's as long as the page is held; a block that somebody keeps longer is not used again.
    package var block: Block { held }

    deinit { pool.giveBack(isKnownUniquelyReferenced(&held) ? held : nil) }
}
