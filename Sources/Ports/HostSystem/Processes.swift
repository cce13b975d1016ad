package import Bytes
import CHost
import Glibc

/// The number of this process.
package func currentProcessID() -> Int32 { getpid() }

/// Whether a process with this number runs on this machine; it is only asked, never signalled.
package func isProcessAlive(_ pid: Int32) -> Bool {
    guard pid > 0 else { return false }
    return kill(pid, 0) == 0 || errno == EPERM
}

/// When the process started, in clock ticks since boot; nil when there is none or the kernel does not say.
///
/// Together with `bootID` it tells a process from a later one that got the same number.
package func processStartTicks(_ pid: Int32) -> UInt64? {
    guard let bytes = try? readFile(ByteString("/proc/\(pid)/stat"), limit: 64 << 10),
        // The second field is the program's name in parentheses, which may itself contain anything.
        let end = bytes.lastIndex(of: 0x29)
    else { return nil }
    let fields = bytes[(end + 1)...].split(separator: 0x20)
    guard fields.count > 19 else { return nil }
    return UInt64(String(decoding: fields[19], as: UTF8.self))
}

/// Tells a process from every other: boot of the machine, namespace of process numbers, start of the process.
package struct ProcessMark: Sendable, Hashable {
    package var boot: ByteString
    package var namespace: ByteString
    /// Clock ticks since boot.
    package var startTicks: UInt64

    package init(boot: ByteString, namespace: ByteString, startTicks: UInt64) {
        self.boot = boot
        self.namespace = namespace
        self.startTicks = startTicks
    }

    /// The process with this number as seen from here; nil when there is none or the kernel does not say.
    package init?(of pid: Int32) {
        guard let boot = bootID(), let startTicks = processStartTicks(pid),
            let namespace = try? Directory.open("/proc/self/ns").readLink("pid")
        else { return nil }
        self.init(boot: boot, namespace: namespace, startTicks: startTicks)
    }

    /// `BOOT/NAMESPACE/TICKS`.
    package var text: ByteString { ByteString(boot.bytes + [0x2f] + namespace.bytes + Array("/\(startTicks)".utf8)) }

    /// Nil for what `text` does not give.
    package init?(_ text: ByteString) {
        let parts = text.bytes.split(separator: 0x2f).map { Array($0) }
        guard parts.count == 3, let ticks = UInt64(String(decoding: parts[2], as: UTF8.self)) else { return nil }
        self.init(boot: ByteString(parts[0]), namespace: ByteString(parts[1]), startTicks: ticks)
    }
}

/// A text that changes with every boot of the machine; nil when the kernel does not say.
package func bootID() -> ByteString? {
    guard let bytes = try? readFile("/proc/sys/kernel/random/boot_id", limit: 4096) else { return nil }
    return ByteString(Array(bytes.prefix { $0 > 0x20 }))
}

/// Processors that this process may use, at least 1.
package func processorCount() -> Int {
    let count = Int(chost_processors())
    return count > 0 ? count : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}

/// Resident memory of this process in bytes at its highest; 0 when the kernel does not say.
package func peakResidentBytes() -> UInt64 {
    var usage = rusage()
    guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
    return UInt64(max(usage.ru_maxrss, 0)) << 10
}
