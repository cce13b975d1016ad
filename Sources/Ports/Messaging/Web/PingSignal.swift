import Bytes
import HTTPTransport
import Sealing

/// A ping as healthchecks.io takes it.
///
/// **Source**: healthchecks.io/docs/http_api: base, `/start`, `/fail`, `/log`; `rid` names a run by a UUID.
enum PingSignal {
    static func request(_ target: PingTarget) -> Result<WebCall, WebCallRefusal> {
        guard var address = WebAddress(target.url) else {
            return .failure(
                WebCallRefusal(why: "the check has no address that can be asked; write such as https://hc-ping.com/…")
            )
        }
        while address.path.hasSuffix("/") { address.path.removeLast() }
        switch target.kind {
        case .success: break
        case .start: address.path += "/start"
        case .failure: address.path += "/fail"
        case .log: address.path += "/log"
        }
        if let run = target.runID {
            let asked = address.query.map { $0.isEmpty ? "" : $0 + "&" } ?? ""
            address.query = asked + "rid=" + runUUID(run)
        }
        let whole = MessageText.lines(target.body)
        let bytesMax = MessagingLimits.pingTextBytes
        let notice = MessageText.cutNotice(whole, bytesMax: bytesMax)
        return WebCall.make(
            .post,
            address,
            headers: [HTTPHeader("Content-Type", "text/plain; charset=utf-8")],
            body: MessageText.cut(whole, bytesMax: bytesMax, notice: notice)
        )
    }

    /// A server of this kind says OK with status 200 also to a check that it does not know.
    static func judge(_ answer: HTTPAnswer, _ origin: String) -> MessageDelivery? {
        let words = String(decoding: answer.body.prefix(40), as: UTF8.self)
        if words.hasPrefix("OK (not found)") {
            return .lasting("\(origin) does not know the check: see what stands behind the host")
        }
        if words.hasPrefix("OK (rate limited)") {
            return .passing(
                "\(origin) was pinged too often",
                retryAfterSeconds: MessagingLimits.pingPauseSeconds
            )
        }
        return nil
    }

    private static func runUUID(_ run: String) -> String {
        let parts = run.split(separator: "-", omittingEmptySubsequences: false)
        let isUUID =
            parts.map(\.utf8.count) == [8, 4, 4, 4, 12] && run.allSatisfy { $0.isASCII && ($0.isHexDigit || $0 == "-") }
        if isUUID { return run.lowercased() }
        var hex = Array(sha256("holdfast run\n\(run)").hex.prefix(32))
        // Version 8 of RFC 9562: bits of our own making.
        hex[12] = "8"
        hex[16] = "8"
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(hex[$0]) }.joined(separator: "-")
    }
}
