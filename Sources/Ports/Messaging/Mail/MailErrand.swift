import CMail
import Dispatch
import Glibc
import Synchronization

/// Brings one mail to a mail server and says in words how it went.
struct MailErrand {
    var target: MailTarget
    var deadlineSeconds: Int
    var library: String

    func send(_ message: OutgoingMessage) async -> MessageDelivery {
        guard target.isSound else {
            return .lasting("the mail server's host or port is none; write such as mail.example.org and 587")
        }
        guard let from = MailAddress(target.from) else {
            return .lasting("the sender for \(target.place) is no mail address")
        }
        let to = target.to.compactMap { MailAddress($0) }
        guard !to.isEmpty, to.count == target.to.count else {
            return .lasting("a recipient for \(target.place) is no mail address, or there is none")
        }
        guard [target.user, target.password].allSatisfy({ $0?.utf8.contains(0) != true }) else {
            return .lasting("user or password for \(target.place) holds a zero byte")
        }
        if let file = target.certificates, access(file, R_OK) != 0 {
            return .lasting("\(file) cannot be read, by which \(target.place) is verified")
        }
        let call = MailCall(
            target: target,
            from: from,
            to: to,
            message: MailMessage.bytes(message, from: from, to: to),
            deadlineSeconds: deadlineSeconds,
            library: library
        )
        let stop = MailStop()
        let end = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // libcurl blocks: a thread of the system's, for as long as the deadline lets it.
                MailErrand.threads.async { continuation.resume(returning: call.run(stop)) }
            }
        } onCancel: {
            stop.set()
        }
        return delivery(end)
    }

    private static let threads = DispatchQueue(label: "mail", attributes: .concurrent)

    private func delivery(_ end: MailEnd) -> MessageDelivery {
        let place = target.place
        switch end.outcome {
        case CMAIL_SENT: return .delivered
        case CMAIL_NO_LIBRARY:
            return .lasting("\(library) is not on this machine, which carries mail; next: apt-get install libcurl4")
        case CMAIL_NO_SMTP:
            return .lasting("\(library) of this machine carries no mail; next: apt-get install libcurl4")
        case CMAIL_STOPPED: return .passing("stopped before \(place) took it")
        case CMAIL_LATE: return .passing("\(place) does not answer in time (\(deadlineSeconds) s for all of it)")
        case CMAIL_UNKNOWN_NAME: return .passing("\(place) does not answer: its name is not found")
        case CMAIL_NO_CONNECTION:
            let why = end.error == ECONNREFUSED ? "the connection is refused" : "no connection"
            return .passing("\(place) does not answer: \(why)")
        case CMAIL_UNTRUSTED:
            return .lasting("\(place) shows a certificate that is not trusted; name the file of its own authority")
        case CMAIL_BAD_CERTIFICATE_FILE:
            return .lasting(
                "\(target.certificates ?? "the system's certificates") cannot be used, by which \(place) is verified"
            )
        case CMAIL_NO_STARTTLS where end.reply == 0: return .lasting("\(place) offers no STARTTLS")
        case CMAIL_NO_TLS: return .passing("\(place) does not speak TLS there")
        case CMAIL_LOGIN where end.reply == 0: return .lasting("\(place) offers no way to log in that is known")
        case CMAIL_LOGIN: return refusal("\(place) refuses user and password", end.reply)
        default:
            if end.reply == 0 { return .passing("\(place) does not answer as a mail server does") }
            return refusal("\(place) refuses it", end.reply)
        }
    }

    /// Servers say 4xx for what may pass and 5xx for what will not.
    private func refusal(_ words: String, _ reply: Int) -> MessageDelivery {
        reply >= 500
            ? .lasting("\(words) (SMTP \(reply)): see user, sender and recipients")
            : .passing("\(words) for now (SMTP \(reply))")
    }
}

extension MailTarget {
    /// For texts.
    var place: String { isSound ? "\(hostInAddress):\(port)" : "a mail server without a host" }

    /// A name or a number and a port; anything else could be more than that in an address.
    var isSound: Bool {
        let isName = host.utf8.allSatisfy { byte in
            (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a) || "-._".utf8.contains(byte)
        }
        let isNumber = host.contains(":") && host.allSatisfy { $0.isASCII && ($0.isHexDigit || $0 == ":" || $0 == ".") }
        return (isName || isNumber) && !host.isEmpty && (1...65_535).contains(port)
    }

    /// For libcurl, of a target that is sound.
    var url: String { "\(security == .tls ? "smtps" : "smtp")://\(hostInAddress):\(port)" }

    private var hostInAddress: String { host.contains(":") ? "[\(host)]" : host }
}

/// Set once, read by the thread that waits.
final class MailStop: Sendable {
    private let flag = Atomic<Bool>(false)

    func set() { flag.store(true, ordering: .relaxed) }
    var isSet: Bool { flag.load(ordering: .relaxed) }
}
