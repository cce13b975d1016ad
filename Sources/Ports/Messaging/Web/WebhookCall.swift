import HTTPTransport

/// A webhook as its owner wrote it.
enum WebhookCall {
    /// The client counts and frames the body; another count would split the question in two.
    private static let ownHeaders = ["content-length", "transfer-encoding", "connection", "host"]

    static func request(_ target: WebhookTarget) -> Result<WebCall, WebCallRefusal> {
        guard let address = WebAddress(target.url) else {
            return .failure(
                WebCallRefusal(
                    why: "the webhook has no address that can be asked; write such as https://hooks.example/…"
                )
            )
        }
        guard let method = HTTPMethod(rawValue: target.method), method == .post || method == .put else {
            return .failure(
                WebCallRefusal(why: "the webhook at \(address.origin) has another method than POST and PUT")
            )
        }
        var headers = target.headers.map { HTTPHeader($0.name, $0.value) }
        if let own = headers.first(where: { ownHeaders.contains($0.name.lowercased()) }) {
            return .failure(
                WebCallRefusal(
                    why: "the webhook at \(address.origin) sets the header \(own.name), which is not for it to set"
                )
            )
        }
        if !headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            headers.append(HTTPHeader("Content-Type", target.contentType))
        }
        return WebCall.make(method, address, headers: headers, body: target.body)
    }
}
