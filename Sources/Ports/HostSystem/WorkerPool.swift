import CHost
import Glibc
import Synchronization

/// Threads of the operating system that run tasks, and may block.
///
/// Give it to a child task as its executor preference; plain `async` code then stays on these threads, where system
/// calls that wait for disks are allowed. The cooperative pool of the language never blocks, because nothing on it
/// calls the kernel.
///
/// 1. A job waits in first-come order; a waiting thread sleeps in the kernel. Nothing polls.
/// 2. Threads start when a job finds none idle, up to `width`; stacks have `stackBytes` bytes.
/// 3. When the system refuses a thread, the pool goes on with those it has, and `shortfall` says why. `init`
///    throws when it gets none at all.
/// 4. Work must not block on other work of the same pool that has not started; what must never wait (the refresh of a
///    lock) has a pool of its own.
package final class WorkerPool: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob?] = []
        /// Index of the next job in `jobs`; everything before it is done.
        var head = 0
        var idle = 0
        var threads: [SystemThread] = []
        /// Threads that are being started, outside the lock.
        var starting = 0
        var shortfall: Errno?
        var isStopping = false
    }

    /// Most threads at a time.
    package let width: Int
    /// Bytes of a thread's stack unless told otherwise.
    ///
    /// Our recursion is bounded everywhere; zstd and libcrypto keep their state on the heap.
    package static let stackBytes = 1 << 20
    private let stackBytes: Int

    private let state = Mutex(State())
    /// A counting semaphore (eventfd): one count for each thread that was taken from `idle`.
    private let wake: FileDescriptor
    private let name: String

    /// Starts the first thread; `width` is at least 1.
    package init(
        width: Int = max(4, processorCount() + 2),
        stackBytes: Int = WorkerPool.stackBytes,
        name: String = "holdfast"
    ) throws(Errno) {
        precondition(width >= 1)
        self.width = width
        self.stackBytes = stackBytes
        self.name = name
        let number = chost_semaphore()
        try checked("eventfd", number)
        wake = FileDescriptor(number)
        let thread = try startThread(0)
        state.withLock { $0.threads.append(thread) }
    }

    /// Why the pool has fewer threads than asked for; nil when the system gave all that were needed.
    package var shortfall: Errno? { state.withLock { $0.shortfall } }

    /// Threads that run now.
    package var threadCount: Int { state.withLock { $0.threads.count } }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let (mustWake, newThread) = state.withLock { state -> (Bool, Int?) in
            precondition(!state.isStopping, "a task was given to a pool that has been shut down")
            state.jobs.append(job)
            if state.idle > 0 {
                state.idle -= 1
                return (true, nil)
            }
            let index = state.threads.count + state.starting
            guard index < width, state.shortfall == nil else { return (false, nil) }
            state.starting += 1
            return (false, index)
        }
        if mustWake { post() }
        if let newThread { addThread(newThread) }
    }

    /// Runs what was enqueued, then ends the threads and waits for them.
    ///
    /// Not from a thread of the pool; once.
    package func shutdown() {
        let (threads, idle) = state.withLock { state in
            state.isStopping = true
            defer { state.idle = 0 }
            return (state.threads, state.idle)
        }
        for _ in 0..<idle { post() }
        for thread in threads { thread.join() }
    }

    // MARK: Threads

    private func addThread(_ index: Int) {
        do throws(Errno) {
            let thread = try startThread(index)
            state.withLock { state in
                state.threads.append(thread)
                state.starting -= 1
            }
        } catch {
            state.withLock { state in
                state.shortfall = error
                state.starting -= 1
            }
        }
    }

    private func startThread(_ index: Int) throws(Errno) -> SystemThread {
        try SystemThread.start(name: "\(name)-\(index)", stackBytes: stackBytes) { [self] in work() }
    }

    private func work() {
        let executor = asUnownedTaskExecutor()
        while true {
            switch next() {
            case .run(let job): job.runSynchronously(on: executor)
            case .sleep: wait()
            case .stop: return
            }
        }
    }

    private enum Step { case run(UnownedJob), sleep, stop }

    private func next() -> Step {
        state.withLock { state in
            if state.head < state.jobs.count, let job = state.jobs[state.head] {
                state.jobs[state.head] = nil
                state.head += 1
                if state.head == state.jobs.count {
                    state.jobs.removeAll(keepingCapacity: true)
                    state.head = 0
                } else if state.head >= 1024, state.head * 2 >= state.jobs.count {
                    state.jobs.removeFirst(state.head)
                    state.head = 0
                }
                return .run(job)
            }
            if state.isStopping { return .stop }
            state.idle += 1
            return .sleep
        }
    }

    private func post() {
        var one: UInt64 = 1
        while write(wake.rawValue, &one, 8) < 0 {
            precondition(errno == EINTR, "the pool's semaphore is gone")
        }
    }

    private func wait() {
        var count: UInt64 = 0
        while read(wake.rawValue, &count, 8) < 0 {
            precondition(errno == EINTR, "the pool's semaphore is gone")
        }
    }
}
