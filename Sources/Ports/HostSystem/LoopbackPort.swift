import Glibc

/// Ports of this machine's own address, 127.0.0.1.
package enum LoopbackPort {
    /// One that nobody listens on at this moment.
    ///
    /// Errors: those of `socket`, `bind`.
    package static func free() throws(Errno) -> Int {
        let socket = try stream()
        var address = address(0)
        try checked("bind", withAddress(&address) { bind(socket.rawValue, $0, $1) })
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket.rawValue, $0, &length) }
        }
        try checked("getsockname", result)
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// Whether somebody takes connections there.
    package static func isListening(_ port: Int) -> Bool {
        guard let port = UInt16(exactly: port), let socket = try? stream() else { return false }
        var address = address(port)
        return withAddress(&address) { connect(socket.rawValue, $0, $1) } == 0
    }

    private static func stream() throws(Errno) -> FileDescriptor {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try checked("socket", number)
        return FileDescriptor(number)
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private static func withAddress(
        _ address: inout sockaddr_in,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
