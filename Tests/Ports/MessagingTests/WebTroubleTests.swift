import Bytes
import Foundation
import Messaging
import Testing
import TestSupport

/// Servers that are down, slow, wrong or hostile.
@Suite(.onPool) struct WebTroubleTests {
    private let rig = MessageRig.web

    struct Case: Sendable, CustomTestStringConvertible {
        var mode: String
        var isLasting: Bool
        var words: String
        var retryAfterSeconds: ClosedRange<Int>?
        var testDescription: String { mode }
    }

    /// The same trouble for each kind of target, with something in every place that must not be shown.
    private func targets(_ address: String, _ certificates: String? = nil) -> [MessageTarget] {
        let secret = address.replacingOccurrences(of: "//", with: "//canary-user:canary-password@")
        return [
            .ntfy(NtfyTarget(url: address + "/canary-topic", token: "canary-token", certificates: certificates)),
            .ntfy(
                NtfyTarget(
                    url: secret + "/canary-topic?canary-query",
                    user: "canary-user",
                    password: "canary-password",
                    certificates: certificates
                )
            ),
            .webhook(
                WebhookTarget(
                    url: secret + "/canary-path?canary-query#canary-fragment",
                    headers: [WebhookTarget.Header(name: "X-Key", value: "canary-header")],
                    body: "canary-body",
                    certificates: certificates
                )
            ),
            .ping(
                PingTarget(
                    url: secret + "/canary-path?canary-query",
                    kind: .failure,
                    runID: "canary-run",
                    certificates: certificates
                )
            ),
        ]
    }

    @Test(arguments: [
        Case(mode: "400", isLasting: true, words: "refuses it (HTTP 400)"),
        Case(mode: "401", isLasting: true, words: "refuses it (HTTP 401): see how"),
        Case(mode: "403", isLasting: true, words: "refuses it (HTTP 403): see how"),
        Case(mode: "404", isLasting: true, words: "has nothing there (HTTP 404)"),
        Case(mode: "408", isLasting: false, words: "does not take it now (HTTP 408)"),
        Case(mode: "413", isLasting: true, words: "too large"),
        Case(mode: "425", isLasting: false, words: "does not take it now (HTTP 425)"),
        Case(mode: "429", isLasting: false, words: "does not take it now (HTTP 429)", retryAfterSeconds: 80...91),
        Case(mode: "500", isLasting: false, words: "is out of order (HTTP 500)"),
        Case(mode: "503", isLasting: false, words: "is out of order (HTTP 503)", retryAfterSeconds: 120...120),
        Case(
            mode: "redirect",
            isLasting: true,
            words: "redirect (HTTP 302) to https://other.example, which is not followed"
        ),
        Case(mode: "back", isLasting: true, words: "redirect (HTTP 307) to another place of its own"),
        Case(mode: "slow", isLasting: false, words: "does not answer within 1 s"),
        Case(mode: "down", isLasting: false, words: "does not answer: it closed the connection"),
        Case(mode: "garbage", isLasting: false, words: "does not answer: it does not speak HTTP"),
    ])
    func `M-11 S-04 a server in trouble is told by its host alone, with whether it lasts`(_ entry: Case) async throws {
        let sender = MessageSender(deadlineSeconds: entry.mode == "slow" ? 1 : 60)
        for target in targets(rig.address(entry.mode)) {
            let end = await sender.send(.sample(), to: target)
            #expect(end.isLasting == entry.isLasting, "\(end)")
            #expect(end.why?.hasPrefix("http://127.0.0.1:\(rig.port) ") == true, "\(end)")
            #expect(end.why?.contains(entry.words) == true, "\(end)")
            if let range = entry.retryAfterSeconds {
                #expect(end.retryAfterSeconds.map(range.contains) == true, "\(end)")
            } else {
                #expect(end.retryAfterSeconds == nil)
            }
            #expect(!"\(end)".contains("canary"), "\(end)")
        }
    }

    @Test(arguments: ["stall", "huge"])
    func `M-11 a message is delivered once the head says so, whatever befalls the rest`(_ mode: String) async throws {
        let address = rig.address(mode)
        let target = NtfyTarget(url: address + "/t")
        let sender = MessageSender(deadlineSeconds: mode == "stall" ? 2 : 60)
        #expect(await sender.send(.sample(), to: .ntfy(target)) == .delivered)
        #expect(try rig.requests(address).count == 1)
    }

    @Test func `M-11 S-04 nobody there, and a name that stands for nobody, may pass`() async {
        for address in ["http://127.0.0.1:1/x", "http://nobody.invalid/x"] {
            for target in targets(address) {
                let end = await MessageSender(deadlineSeconds: 20).send(.sample(), to: target)
                #expect(end.isLasting == false, "\(end)")
                #expect(!"\(end)".contains("canary"), "\(end)")
                if address.contains(":1/") { #expect(end.why?.contains("the connection is refused") == true, "\(end)") }
            }
        }
    }

    @Test func `TLS is verified: a foreign certificate is refused, and that of our own authority taken`() async {
        let secure = MessageRig.secureWeb
        let address = secure.address("ok", scheme: "https")
        for target in targets(address) {
            let end = await MessageSender().send(.sample(), to: target)
            #expect(end.isLasting == true && end.why?.contains("certificate that is not trusted") == true, "\(end)")
            #expect(!"\(end)".contains("canary"), "\(end)")
        }
        for target in targets(address, MessageRig.certificate.chain) {
            #expect(await MessageSender().send(.sample(), to: target) == .delivered)
        }
        for target in targets(address, "/none.pem") {
            let end = await MessageSender().send(.sample(), to: target)
            #expect(end.isLasting == true && end.why?.hasPrefix("/none.pem cannot be read") == true, "\(end)")
        }
    }

    @Test func `a cancelled message ends and may be sent again`() async {
        let address = rig.address("slow")
        let end = await withTaskGroup(of: MessageDelivery.self) { group in
            group.addTask {
                await MessageSender(deadlineSeconds: 900).send(.sample(), to: .ntfy(NtfyTarget(url: address + "/t")))
            }
            while (try? rig.requests(address).isEmpty) != false { await Task.yield() }
            group.cancelAll()
            return await group.next()
        }
        #expect(end?.isLasting == false)
        #expect(end?.why?.hasPrefix("stopped before http://127.0.0.1") == true, "\(String(describing: end))")
    }

    @Test func `S-04 a target prints and reflects as its kind and host`() {
        let mail = MailTarget(
            host: "mail.example",
            port: 587,
            security: .starttls,
            user: "canary-user",
            password: "canary-password",
            from: "a@b.test",
            to: ["c@d.test"]
        )
        for target in targets("https://Host.example:8443/canary") + [.mail(mail)] {
            var dumped = ""
            dump(target, to: &dumped)
            for text in ["\(target)", String(reflecting: target), "\([target])", dumped] {
                #expect(!text.contains("canary"), "\(text)")
                #expect(text.contains("host.example:8443") || text.contains("mail.example:587"), "\(text)")
            }
        }
    }
}
