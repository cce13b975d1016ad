import Bytes
import Foundation
import Messaging
import Testing
import TestSupport

/// Mails through libcurl to a mail server on this machine, which reads them with another's parser.
@Suite(.onPool, .enabled(if: hasMailLibrary, "libcurl.so.4 is not on this machine")) struct MailDeliveryTests {
    /// What the server took from this sender.
    private func taken(_ rig: MessageRig, _ sender: String) throws -> [[String: Any]] {
        try rig.entries { $0["sender"] as? String == sender }
    }

    private func sender() -> String { "m\(UUID().uuidString)@rig.test" }

    @Test func `a mail arrives as it was meant`() async throws {
        let from = sender()
        let message = OutgoingMessage.sample("Grüße 👩‍👩‍👧‍👦", body: "first\n.\n..\n.hidden\n\nFrom here\nlast ü\u{1F600}")
        let target = MessageRig.mail.target(from: "Höld <\(from)>", to: ["ops@rig.test", "Ops Two <two@rig.test>"])
        #expect(await MessageSender().send(message, to: .mail(target)) == .delivered)
        let mail = try #require(try taken(MessageRig.mail, from).first)
        #expect(mail["people"] as? [String] == ["ops@rig.test", "two@rig.test"])
        #expect(mail["subject"] as? String == "Grüße 👩‍👩‍👧‍👦")
        #expect(mail["from"] as? String == "Höld <\(from)>")
        #expect(mail["to"] as? String == "ops@rig.test, Ops Two <two@rig.test>")
        #expect(mail["body"] as? String == "first\n.\n..\n.hidden\n\nFrom here\nlast ü\u{1F600}\n")
        #expect(mail["date"] as? String == "2026-11-22T09:30:00+00:00")
        #expect(mail["defects"] as? [String] == [])
        #expect(mail["tls"] as? Bool == false)
    }

    @Test func `W-03 S-09 whatever a title, a lab or a text holds, a mail keeps its head`() async throws {
        let target = { (from: String) in MessageRig.mail.target(from: from) }
        for nasty in NastyTitle.all {
            let from = sender()
            var message = OutgoingMessage.sample(nasty, body: nasty)
            (message.event, message.lab, message.host) = (nasty, nasty, nasty)
            #expect(await MessageSender().send(message, to: .mail(target(from))) == .delivered)
            let mail = try #require(try taken(MessageRig.mail, from).first)
            #expect(
                mail["headers"] as? [String] == [
                    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Priority", "X-Holdfast-Event",
                    "X-Holdfast-Lab", "X-Holdfast-Host", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
                ]
            )
            #expect(mail["people"] as? [String] == ["ops@rig.test"])
            #expect(mail["defects"] as? [String] == [])
            #expect(try #require(mail["longest"] as? Int) <= 76)
            #expect(mail["bare"] as? Bool == false)
            #expect((mail["raw"] as? String)?.utf8.allSatisfy { $0 < 0x80 } == true)
            let subject = try #require(mail["subject"] as? String)
            #expect(
                !subject.unicodeScalars.contains { $0.properties.generalCategory == .control || $0.value == 0x202E }
            )
            if !nasty.isEmpty, nasty.utf8.count < 200, nasty.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) {
                #expect(subject == nasty)
                #expect(mail["body"] as? String == nasty + "\n")
            }
        }
    }

    @Test func `mail goes by TLS from the start or by STARTTLS, with a certificate that is named, and logs in`()
        async throws
    {
        let chain = MessageRig.certificate.chain
        for (rig, security) in [(MessageRig.startedMail, MailTarget.Security.starttls), (.secureMail, .tls)] {
            let from = sender()
            var target = rig.target(security, from: from, user: "user", password: "sesame")
            let foreign = await MessageSender().send(.sample(), to: .mail(target))
            #expect(foreign.isLasting == true, "\(foreign)")
            #expect(foreign.why?.contains("shows a certificate that is not trusted") == true, "\(foreign)")
            target.certificates = "/none.pem"
            let absent = await MessageSender().send(.sample(), to: .mail(target))
            #expect(absent.isLasting == true && absent.why?.hasPrefix("/none.pem cannot be read") == true, "\(absent)")
            target.certificates = chain
            #expect(await MessageSender().send(.sample(), to: .mail(target)) == .delivered)
            let mail = try #require(try taken(rig, from).first)
            #expect(mail["tls"] as? Bool == true)
            #expect(mail["user"] as? String == "user")
        }
    }

    @Test func `a server without STARTTLS gets nothing when it is asked for`() async throws {
        let from = sender()
        let target = MessageRig.mail.target(.starttls, from: from, user: "user", password: "canary-password")
        let end = await MessageSender().send(.sample(), to: .mail(target))
        #expect(
            end == .failed(why: "127.0.0.1:\(target.port) offers no STARTTLS", isLasting: true, retryAfterSeconds: nil)
        )
        #expect(try taken(MessageRig.mail, from).isEmpty)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var from = "holdfast@rig.test"
        var to = ["ops@rig.test"]
        var user: String?
        var isLasting: Bool
        var words: String
        var testDescription: String { words }
    }

    @Test(arguments: [
        Case(user: "canary-user", isLasting: true, words: "refuses user and password (SMTP 535)"),
        Case(user: "late", isLasting: false, words: "refuses user and password for now (SMTP 454)"),
        Case(to: ["ops@rig.test", "nobody@rig.test"], isLasting: true, words: "refuses it (SMTP 550)"),
        Case(to: ["later@rig.test"], isLasting: false, words: "refuses it for now (SMTP 450)"),
        Case(from: "tangled@rig.test", isLasting: false, words: "refuses it for now (SMTP 451)"),
        Case(from: "spam@rig.test", isLasting: true, words: "refuses it (SMTP 554)"),
    ])
    func `M-11 S-04 a refusal is told by its number, and lasts when the server says so`(_ entry: Case) async {
        let rig = MessageRig.mail
        let password = entry.user.map { _ in "canary-password" }
        let target = rig.target(from: entry.from, to: entry.to, user: entry.user, password: password)
        let end = await MessageSender().send(.sample(), to: .mail(target))
        #expect(end.isLasting == entry.isLasting, "\(end)")
        #expect(end.why?.contains("127.0.0.1:\(rig.port) \(entry.words)") == true, "\(end)")
        #expect(!"\(end)".contains("canary"), "\(end)")
    }

    @Test func `M-11 a mail server that is down, mute, busy or slow may be there later`() async {
        var down = MessageRig.mail.target()
        down.port = 1
        let slow = MessageRig.mail.target(from: "slow@rig.test")
        let noTLS = MessageRig.mail.target(.tls)
        var unknown = MessageRig.mail.target()
        unknown.host = "nobody.invalid"
        let cases: [(MailTarget, Int, String?)] = [
            (down, 60, "does not answer: the connection is refused"),
            (MessageRig.muteMail.target(), 2, "in time (2 s for all of it)"),
            (MessageRig.busyMail.target(), 60, "(SMTP 421)"),
            (slow, 2, "in time (2 s for all of it)"),
            (noTLS, 60, "does not speak TLS there"),
            (unknown, 20, nil),
        ]
        for (target, seconds, words) in cases {
            let end = await MessageSender(deadlineSeconds: seconds).send(.sample(), to: .mail(target))
            #expect(end.isLasting == false, "\(end)")
            if let words { #expect(end.why?.contains(words) == true, "\(end)") }
        }
    }

    @Test func `M-11 a server that does not say goodbye has taken the mail all the same`() async {
        // The rig would answer after ten minutes; libcurl alone would wait for two.
        let clock = ContinuousClock()
        let start = clock.now
        let target = MessageRig.mail.target(from: "rude@rig.test")
        #expect(await MessageSender().send(.sample(), to: .mail(target)) == .delivered)
        #expect(clock.now - start < .seconds(100))
    }

    @Test func `a cancelled mail ends, on its way or before it, and may be sent again`() async {
        for isOnItsWay in [true, false] {
            let from = "slow@\(UUID().uuidString).test"
            let target = MessageRig.mail.target(from: from)
            let end = await withTaskGroup(of: MessageDelivery.self) { group in
                group.addTask { await MessageSender(deadlineSeconds: 900).send(.sample(), to: .mail(target)) }
                let isMeant = { (entry: [String: Any]) in entry["waiting"] as? String == from }
                while isOnItsWay, (try? MessageRig.mail.entries(isMeant).isEmpty) != false { await Task.yield() }
                group.cancelAll()
                return await group.next()
            }
            #expect(end?.isLasting == false)
            #expect(end?.why?.hasPrefix("stopped before 127.0.0.1:") == true, "\(String(describing: end))")
        }
    }

    @Test func `many mails at once arrive`() async throws {
        let from = sender()
        await withTaskGroup(of: MessageDelivery.self) { group in
            for index in 0..<12 {
                group.addTask {
                    let target = MessageRig.mail.target(from: from, user: "user", password: "sesame")
                    return await MessageSender().send(.sample("mail \(index)"), to: .mail(target))
                }
            }
            for await end in group { #expect(end == .delivered) }
        }
        #expect(Set(try taken(MessageRig.mail, from).compactMap { $0["subject"] as? String }).count == 12)
    }
}

/// What is known before a mail server is asked.
struct MailRefusalTests {
    @Test func `a machine without libcurl says which package has it`() async {
        let sender = MessageSender(mailLibrary: "libabsent.so.9")
        let end = await sender.send(.sample(), to: .mail(MessageRig.mail.target()))
        #expect(
            end
                == .failed(
                    why: "libabsent.so.9 is not on this machine, which carries mail; next: apt-get install libcurl4",
                    isLasting: true,
                    retryAfterSeconds: nil
                )
        )
    }

    @Test func `a library that is another one is no library for mail`() async {
        let end = await MessageSender(mailLibrary: "libc.so.6").send(.sample(), to: .mail(MessageRig.mail.target()))
        #expect(end.isLasting == true)
    }

    @Test func `S-09 hosts, people and passwords that would be more than they are never reach a server`() async throws {
        let rig = MessageRig.mail
        var host = rig.target()
        host.host = "127.0.0.1/x\r\nRSET"
        var user = rig.target(user: "user", password: "ses\u{0}ame")
        let targets = [
            host, user, rig.target(from: "a@b>\r\nRCPT TO:<thief@evil.test"), rig.target(to: ["a@b\nDATA"]),
            rig.target(to: []),
            rig.target(to: ["ops@rig.test", "two three"]),
        ]
        for target in targets {
            let end = await MessageSender().send(.sample(), to: .mail(target))
            #expect(end.isLasting == true, "\(end)")
            #expect(end.why?.contains("\n") == false)
        }
        user.password = nil
        #expect(try rig.entries { ($0["people"] as? [String])?.contains { $0.contains("thief") } == true }.isEmpty)
    }
}
