import Bytes
import HTTPTransport

/// A message as ntfy publishes it: as JSON to the server's root, so that no word of it is ever part of a header (S-09).
///
/// **Source**: docs.ntfy.sh/publish, "Publish as JSON"; `message-size-limit` 4,096 bytes, JSON at most twice that.
enum NtfyPublication {
    static func request(_ message: OutgoingMessage, _ target: NtfyTarget) -> Result<WebCall, WebCallRefusal> {
        guard var address = WebAddress(target.url) else {
            return .failure(
                WebCallRefusal(why: "ntfy has no address that can be asked; write such as https://ntfy.example/topic")
            )
        }
        while address.path.hasSuffix("/") { address.path.removeLast() }
        let slash = address.path.lastIndex(of: "/")
        let topic = slash.map { String(address.path[address.path.index(after: $0)...]) } ?? ""
        guard let slash, isTopic(topic) else {
            return .failure(
                WebCallRefusal(
                    why: "\(address.origin) has no topic of letters, digits, - and _ at the end of its address"
                )
            )
        }
        address.path = String(address.path[...slash])
        var headers = [HTTPHeader("Content-Type", "application/json")]
        if let token = target.token {
            headers.append(HTTPHeader("Authorization", "Bearer \(token)"))
        } else if let user = target.user {
            let pair = "\(user):\(target.password ?? "")"
            headers.append(HTTPHeader("Authorization", "Basic " + Base64.encode(pair.utf8)))
        }
        return WebCall.make(.post, address, headers: headers, body: document(message, topic: topic))
    }

    private static func document(_ message: OutgoingMessage, topic: String) -> String {
        let tags = tags(message).map(quoted).joined(separator: ",")
        return """
            {"topic":\(quoted(topic)),"title":\(quoted(MessageText.oneLine(message.title))),\
            "message":\(quoted(text(message))),"priority":\(priority(message.urgency)),"tags":[\(tags)]}
            """
    }

    private static func text(_ message: OutgoingMessage) -> String {
        let whole = MessageText.lines(message.body)
        let bytesMax = MessagingLimits.ntfyTextBytes
        let notice = MessageText.cutNotice(whole, bytesMax: bytesMax)
        let text = MessageText.cut(whole, bytesMax: bytesMax, notice: notice)
        if text.utf8.reduce(0, { $0 + quotedLength($1) }) <= MessagingLimits.ntfyQuotedBytes { return text }
        return MessageText.cut(whole, bytesMax: MessagingLimits.ntfyQuotedBytes, notice: notice, weight: quotedLength)
    }

    /// Of one to five: two makes no sound, four sounds, five sounds through what a phone keeps quiet.
    private static func priority(_ urgency: MessageUrgency) -> Int {
        switch urgency {
        case .calm: 2
        case .attention: 4
        case .alarm: 5
        }
    }

    /// The first ones are names of pictures.
    private static func tags(_ message: OutgoingMessage) -> [String] {
        let picture =
            switch message.urgency {
            case .calm: ""
            case .attention: "warning"
            case .alarm: "rotating_light"
            }
        let words = [message.event, message.lab, message.host].map { word in
            // The server joins tags by commas.
            MessageText.oneLine(word, bytesMax: MessagingLimits.labelBytes).map { $0 == "," ? " " : String($0) }
                .joined()
        }
        return ([picture] + words).filter { !$0.isEmpty }
    }

    private static func isTopic(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
    }

    // MARK: JSON

    private static func quoted(_ text: String) -> String {
        var bytes = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): bytes += "\\n".utf8
            case UInt8(ascii: "\t"): bytes += "\\t".utf8
            case ..<0x20: bytes += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func quotedLength(_ byte: UInt8) -> Int {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "\n"), UInt8(ascii: "\t"): 2
        case ..<0x20: 6
        default: 1
        }
    }
}
