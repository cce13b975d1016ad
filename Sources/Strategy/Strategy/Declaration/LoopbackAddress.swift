/// An address and a port that only this machine reaches.
package struct LoopbackAddress: Sendable, Hashable {
    /// `127.0.0.1` or `::1`.
    package var host: String
    package var port: Int

    /// As it is written: `127.0.0.1:9847`, `[::1]:9847`.
    package var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    init(reading text: String) throws(NotationError) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            throw NotationError("\"\(printable(text))\" has no port", next: loopbackAdvice)
        }
        switch text[..<colon] {
        case "localhost", "127.0.0.1": host = "127.0.0.1"
        case "[::1]": host = "::1"
        default:
            throw NotationError(
                "\"\(printable(text))\" is reached from elsewhere, and what answers there asks for no password",
                next: loopbackAdvice
            )
        }
        self.port = Int(port)
    }
}

let loopbackAdvice = "write 127.0.0.1:PORT or [::1]:PORT"
