import Bytes
import Foundation
import Glibc
import Spawning
package import Messaging
import Testing

/// A server on this machine that takes messages; it ends when the tests do.
package final class MessageRig: Sendable {
    package static let web = MessageRig("web")
    package static let secureWeb = MessageRig("web", certified: true)
    /// Offers no STARTTLS.
    package static let mail = MessageRig("smtp")
    package static let startedMail = MessageRig("smtp", certified: true)
    package static let secureMail = MessageRig("smtps", certified: true)
    package static let muteMail = MessageRig("mute")
    package static let busyMail = MessageRig("busy")

    /// A certificate for this machine, by nobody's authority but its own.
    package static let certificate: (chain: String, key: String) = {
        let chain = files.path + "/chain.pem"
        let key = files.path + "/key.pem"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=rig", "-addext",
            "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key, "-out", chain,
        ]
        process.standardError = FileHandle.nullDevice
        try? process.start()
        process.waitUntilExit()
        return (chain, key)
    }()

    private static let files = Scratch()

    package let port: Int
    private let log: String
    private let input: Pipe

    package init(_ kind: String, certified: Bool = false) {
        let process = Process()
        let output = Pipe()
        input = Pipe()
        log = MessageRig.files.path + "/" + UUID().uuidString
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "\(root.path)/Support/MessageRig/message_rig.py", log, kind]
        if certified { process.arguments? += [MessageRig.certificate.chain, MessageRig.certificate.key] }
        process.standardInput = input
        process.standardOutput = output
        try? process.start()
        port = Int(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).filter(\.isNumber)) ?? 0
    }

    /// Where this server behaves so, in a room of its own.
    package func address(_ mode: String, scheme: String = "http") -> String {
        "\(scheme)://127.0.0.1:\(port)/\(mode)-\(UUID().uuidString)"
    }

    /// What came, oldest first, as the server wrote it down.
    package func entries(_ isMeant: ([String: Any]) -> Bool) throws -> [[String: Any]] {
        guard FileManager.default.fileExists(atPath: log) else { return [] }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: log))
        // The last line may be on its way, for another test.
        let whole = bytes.prefix(bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0)
        let lines = String(decoding: whole, as: UTF8.self).split(separator: "\n")
        return try lines.compactMap { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
            .filter(isMeant)
    }

    /// What came below an address.
    package func requests(_ address: String) throws -> [[String: Any]] {
        let room = address.split(separator: "/")[2]
        return try entries { ($0["path"] as? String)?.hasPrefix("/\(room)") == true }
    }

    /// A mail to this server, from and to whom its behaviour is named by.
    package func target(
        _ security: MailTarget.Security = .none,
        from: String = "holdfast@rig.test",
        to: [String] = ["ops@rig.test"],
        user: String? = nil,
        password: String? = nil,
        certificates: String? = nil
    ) -> MailTarget {
        MailTarget(
            host: "127.0.0.1",
            port: port,
            security: security,
            user: user,
            password: password,
            from: from,
            to: to,
            certificates: certificates
        )
    }
}

/// Whether this machine has what carries mail.
package let hasMailLibrary = dlopen(MessagingLimits.mailLibrary, RTLD_NOW) != nil

extension OutgoingMessage {
    /// Of the fixtures.
    package static func sample(
        _ title: String = "cellar: backup failed",
        body: String = "vm/101 was not backed up\nits disk is full\n",
        urgency: MessageUrgency = .alarm
    ) -> OutgoingMessage {
        OutgoingMessage(
            title: title,
            body: body,
            event: "failed",
            urgency: urgency,
            lab: "cellar",
            host: "pve1",
            when: Timestamp(seconds: 1_795_339_800)
        )
    }
}

extension MessageDelivery {
    package var why: String? { if case .failed(let why, _, _) = self { why } else { nil } }
    package var isLasting: Bool? { if case .failed(_, let isLasting, _) = self { isLasting } else { nil } }
    package var retryAfterSeconds: Int? { if case .failed(_, _, let seconds) = self { seconds } else { nil } }
}

/// Titles that guests and files could give us.
package enum NastyTitle {
    package static let all: [String] = [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\" onmouseover=\"alert(1)",
        "{{7*7}} ${7*7} #{7*7}",
        "a\r\nBcc: thief@evil.test", "a\nSubject: another", "a\r\n\r\nbody of another", "a\u{0}b",
        "a\u{1b}[31mred\u{7}",
        "a\u{202E}exe.cod\u{2066}b\u{2069}", "\u{200F}\u{061C}rtl", "line\u{2028}and\u{2029}paragraph", "\u{85}next",
        "=?UTF-8?Q?forged=0D=0ABcc:_thief@evil.test?=", "Grüße aus dem Keller", "👩‍👩‍👧‍👦 🏳️‍🌈 e\u{301}\u{301}\u{301}",
        "日本語の題名が長く続いて一行に収まらない場合の折り返しを確かめるための文",
        "  blanks   within  ", "", ".", "..\r\n.\r\nQUIT", "\\\"\\u0000\\", "%0d%0aBcc: thief@evil.test",
        "-oProxyCommand=x",
        String(repeating: "x", count: 10_000), String(repeating: "ü", count: 5_000),
        String(repeating: "\" \\", count: 3_000),
        "a" + String(repeating: "\u{301}", count: 2_000),
    ]
}
