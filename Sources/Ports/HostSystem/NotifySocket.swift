import Bytes
import Glibc

/// The service manager that started this process: it is told when the service is ready, alive, stopping (`sd_notify(3)`).
///
/// Nothing happens where there is none. A message that cannot be sent is dropped: the manager then acts by its own rules.
package struct NotifySocket: Sendable {
    private let address: [UInt8]?
    /// How often the manager wants to hear that the service is alive; nil when it does not.
    package let watchdog: Duration?

    /// The one of this process, from `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    package init() {
        let name = environmentVariable("NOTIFY_SOCKET")?.bytes ?? []
        address = name.first == UInt8(ascii: "/") || name.first == UInt8(ascii: "@") ? name : nil
        func number(_ name: String) -> Int64? {
            environmentVariable(name).flatMap { Int64(String(decoding: $0.bytes, as: UTF8.self)) }
        }
        let isOurs = number("WATCHDOG_PID").map { $0 == Int64(getpid()) } ?? true
        let microseconds = number("WATCHDOG_USEC") ?? 0
        watchdog = isOurs && microseconds > 0 && address != nil ? .microseconds(microseconds) : nil
    }

    /// Sends lines such as `READY=1`, or `STATUS=waiting`.
    package func notify(_ lines: String) {
        guard let address else { return }
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return }
        defer { close(number) }
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: target.sun_path)
        guard address.count < room else { return }
        withUnsafeMutableBytes(of: &target.sun_path) { path in
            path.copyBytes(from: address)
            // A name that begins with @ is abstract: its first byte is zero.
            if address[0] == UInt8(ascii: "@") { path[0] = 0 }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + address.count)
        let bytes = Array(lines.utf8)
        _ = withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                sendto(number, bytes, bytes.count, Int32(MSG_NOSIGNAL), address, length)
            }
        }
    }
}
