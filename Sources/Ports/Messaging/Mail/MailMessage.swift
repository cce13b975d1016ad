import Bytes
import Sealing

/// A message as RFC 5322 has it.
///
/// The same message to the same people has the same bytes (L6), its Message-ID included: a second attempt after an answer that was lost
/// is the same mail to those who look for that.
package enum MailMessage {
    /// Head and body; every line ends in CR LF and has at most 76 bytes, but for an address that alone has more.
    package static func bytes(_ message: OutgoingMessage, from: MailAddress, to: [MailAddress]) -> [UInt8] {
        let label = { (text: String) in MessageText.oneLine(text, bytesMax: MessagingLimits.labelBytes) }
        var head = MailHeader.addresses("From", [from])
        head += MailHeader.addresses("To", to)
        head += MailHeader.text("Subject", MessageText.oneLine(message.title))
        head += MailHeader.text("Date", MailDate.text(message.when))
        head += "Message-ID: <\(identifier(message, from, to))@\(from.domain)>\r\n"
        head += MailHeader.text("Auto-Submitted", "auto-generated")
        if let priority = priority(message.urgency) { head += MailHeader.text("X-Priority", priority) }
        head += MailHeader.text("X-Holdfast-Event", label(message.event))
        head += MailHeader.text("X-Holdfast-Lab", label(message.lab))
        head += MailHeader.text("X-Holdfast-Host", label(message.host))
        head += MailHeader.text("MIME-Version", "1.0")
        head += MailHeader.text("Content-Type", "text/plain; charset=utf-8")
        head += MailHeader.text("Content-Transfer-Encoding", "quoted-printable")
        return Array((head + "\r\n").utf8) + QuotedPrintable.encode(text(message))
    }

    private static func text(_ message: OutgoingMessage) -> String {
        let whole = MessageText.lines(message.body)
        let bytesMax = MessagingLimits.mailTextBytes
        return MessageText.cut(whole, bytesMax: bytesMax, notice: MessageText.cutNotice(whole, bytesMax: bytesMax))
    }

    private static func priority(_ urgency: MessageUrgency) -> String? {
        switch urgency {
        case .calm: nil
        case .attention: "2"
        case .alarm: "1"
        }
    }

    private static func identifier(_ message: OutgoingMessage, _ from: MailAddress, _ to: [MailAddress]) -> String {
        let moment = "\(message.when.seconds).\(message.when.nanoseconds)"
        let parts =
            [message.title, message.body, message.event, message.lab, message.host, moment, from.address]
            + to.map(\.address)
        // Lengths first, so that no two lists of parts are one text.
        let text = parts.map { "\($0.utf8.count):\($0)" }.joined()
        return "holdfast." + String(sha256(text).hex.prefix(32))
    }
}
