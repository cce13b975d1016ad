import Bytes
import CHost
import Glibc

/// How far this process stands back for others.
package struct ProcessPriority: Sendable, Hashable {
    /// 0 to 19: the higher one waits; nil leaves it as the process was started.
    package var nice: Int32?
    /// Disks are used when nobody else wants them; false leaves it as the process was started.
    package var isIdleOnDisks: Bool

    package init(nice: Int32? = nil, isIdleOnDisks: Bool = false) {
        self.nice = nice
        self.isIdleOnDisks = isIdleOnDisks
    }

    /// IOPRIO_CLASS_IDLE in the place of the class.
    private static let idleClass: Int32 = 3 << 13
    /// Looks for new threads; each look sees all that were started by threads of the look before.
    private static let looksMax = 64

    /// Sets it for all threads; those that start later and programs that are run inherit it.
    ///
    /// Linux keeps both for each thread (setpriority(2), "C library/kernel differences"), so threads are gone through until none is new.
    /// Errors: EACCES or EPERM where the process already stands back farther and may not go forward.
    package func apply() throws(Errno) {
        guard nice != nil || isIdleOnDisks else { return }
        var seen: Set<Int32> = []
        for _ in 0..<Self.looksMax {
            let threads = try Self.threads().subtracting(seen)
            guard !threads.isEmpty else { return }
            for thread in threads { try apply(to: thread) }
            seen.formUnion(threads)
        }
    }

    private func apply(to thread: Int32) throws(Errno) {
        if let nice {
            try pass("setpriority", setpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(thread), nice))
        }
        if isIdleOnDisks { try pass("ioprio_set", chost_set_disk_priority(thread, Self.idleClass)) }
    }

    /// A thread that has ended meanwhile is none to set anything for.
    private func pass(_ call: StaticString, _ result: Int32) throws(Errno) {
        if result < 0, errno != ESRCH { throw Errno.current(call) }
    }

    private static func threads() throws(Errno) -> Set<Int32> {
        let names = try Directory.open("/proc/self/task").entries().map(\.name)
        return Set(names.compactMap { Int32(String(decoding: $0.bytes, as: UTF8.self)) })
    }
}
