import Bytes
import Foundation
import Glibc
import HostSystem
import Testing

@Suite struct WorkerPoolTests {
    @Test func `blocking jobs run beside each other up to the width`() async throws {
        let pool = try WorkerPool(width: 4, name: "width")
        let gate = DispatchSemaphore(value: 0)
        let arrived = DispatchSemaphore(value: 0)
        // Four jobs hold a thread each until all four have come: fewer threads would never get there.
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask(executorPreference: pool) {
                    WorkerPoolTests.block { arrived.signal() }
                    WorkerPoolTests.block { _ = gate.wait(timeout: .now() + 30) }
                }
            }
            group.addTask(executorPreference: pool) {}
            let opener = Thread {
                for _ in 0..<4 { _ = arrived.wait(timeout: .now() + 30) }
                for _ in 0..<4 { gate.signal() }
            }
            opener.start()
        }
        #expect(pool.threadCount == 4)
        pool.shutdown()
    }

    /// Semaphores may not be waited for in async code directly; on these threads it is the purpose.
    private static func block(_ body: () -> Void) { body() }

    @Test func `async code and its children stay on the threads of the pool`() async throws {
        let pool = try WorkerPool(width: 2, name: "stay")
        let names = await withTaskGroup(of: [String].self) { group in
            group.addTask(executorPreference: pool) {
                var names = [threadName()]
                await Task.yield()
                names.append(await nested())
                async let child = nested()
                names.append(await child)
                return names
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(names.allSatisfy { $0.hasPrefix("stay-") }, "\(names)")
        pool.shutdown()
    }

    @Test func `many short jobs all run and start no more threads than the width`() async throws {
        let pool = try WorkerPool(width: 3, name: "many")
        let sum = await withTaskGroup(of: Int.self) { group in
            for number in 0..<20_000 { group.addTask(executorPreference: pool) { number } }
            return await group.reduce(0, +)
        }
        #expect(sum == 20_000 * 19_999 / 2)
        #expect(pool.threadCount <= 3)
        pool.shutdown()
    }

    @Test func `Q-03 when the system has no more threads the pool goes on with fewer`() async {
        await #expect(processExitsWith: .success) {
            let pool = try WorkerPool(width: 200, stackBytes: 256 << 20, name: "few")
            // Room for two more such stacks, and plenty for the heap; root is exempt from the limit of processes, not
            // from this one.
            limitAddressSpace(toMoreBytes: 700 << 20)
            let sum = await withTaskGroup(of: Int.self) { group in
                for number in 0..<600 {
                    group.addTask(executorPreference: pool) {
                        usleep(100)
                        return number
                    }
                }
                return await group.reduce(0, +)
            }
            guard sum == 600 * 599 / 2, pool.shortfall?.kind == .wouldBlock, pool.threadCount <= 3 else { exit(3) }
            exit(0)
        }
    }

    @Test func `Q-03 a pool without any thread is an error`() async {
        await #expect(processExitsWith: .success) {
            limitAddressSpace(toMoreBytes: 128 << 10)
            do {
                _ = try WorkerPool(width: 2)
            } catch {
                exit((error as? Errno)?.kind == .wouldBlock ? 0 : 4)
            }
            exit(3)
        }
    }
}

private func threadName() -> String {
    (try? readFile("/proc/thread-self/comm", limit: 64)).map { String(decoding: $0, as: UTF8.self) } ?? "?"
}

private func nested() async -> String { threadName() }

private func limitAddressSpace(toMoreBytes more: UInt64) {
    let status = (try? readFile("/proc/self/statm", limit: 256)) ?? []
    let pages = UInt64(String(decoding: status.prefix { $0 != 0x20 }, as: UTF8.self)) ?? 0
    var limit = rlimit(rlim_cur: rlim_t(pages * 4096 + more), rlim_max: rlim_t(pages * 4096 + more))
    setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
}
