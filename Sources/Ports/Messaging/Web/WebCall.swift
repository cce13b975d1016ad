import Bytes
import HTTPTransport

/// A question that is ready to go, and by which words its server is named.
struct WebCall {
    var request: HTTPRequest
    var origin: String
}

/// Why there is nothing to ask; the text is fit to be shown.
struct WebCallRefusal: Error {
    var why: String
}

extension WebCall {
    /// What every question has; the address's own user becomes a header, unless there is one.
    static func make(
        _ method: HTTPMethod,
        _ address: WebAddress,
        headers: [HTTPHeader],
        body: String
    ) -> Result<WebCall, WebCallRefusal> {
        var headers = headers
        if let user = address.user, !headers.contains(where: { $0.name.lowercased() == "authorization" }) {
            headers.append(HTTPHeader("Authorization", "Basic " + Base64.encode(percentDecoded(user))))
        }
        if !headers.contains(where: { $0.name.lowercased() == "user-agent" }) {
            headers.append(HTTPHeader("User-Agent", "holdfast"))
        }
        for header in headers where !header.isSound {
            let name = MessageText.oneLine(header.name, bytesMax: MessagingLimits.labelBytes)
            return .failure(
                WebCallRefusal(
                    why:
                        "the header \(name) for \(address.origin) has a line end or another character that no header has"
                )
            )
        }
        let request = HTTPRequest(
            method,
            url: address.url,
            headers: headers,
            body: Array(body.utf8),
            reading: .beginning(bytesMax: MessagingLimits.answerBytes)
        )
        return .success(WebCall(request: request, origin: address.origin))
    }

    private static func percentDecoded(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2, digits.first != UInt8(ascii: "+"),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
