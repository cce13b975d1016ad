import Testing

import Strategy

/// Channels of a declaration: read whole, refused where they cannot be, and never with a secret in a message.
@Suite struct ChannelDeclarationTests {
    private let channels = """
        notify:
          - ntfy: { url: "https://ntfy.example/lab", token: "file:/etc/token" }
            events: [failed, missed]
            remind: never
          - name: mail
            smtp: { host: mail.example, security: starttls, user: lab, password: "env:MAIL", from: lab@x.example, to: [me@x.example] }
          - webhook: { url: "file:/etc/hook", template: '{"t": "{{title}}"}', headers: { X-Token: "env:TOKEN" } }
          - ping: { url: "https://check.example/uuid" }

        """

    private func declaration(_ channels: String) -> String { completeDeclaration + "\n" + channels }

    @Test func `channels are read with all they have`() throws {
        let lab = try decode(declaration(channels))
        #expect(lab.channels.map(\.name) == ["ntfy", "mail", "webhook", "ping"])
        #expect(lab.channels[0].events == [.failed, .missed])
        #expect(lab.channels[0].remind == nil)
        #expect(lab.channels[1].events == Set(AlarmEvent.usual))
        #expect(lab.channels[1].remind == .seconds(86_400))
        guard case .mail(let mail) = lab.channels[1].carrier else { throw Unexpected() }
        #expect(mail.port == 587 && mail.security == .starttls && mail.to == ["me@x.example"])
        guard case .webhook(let hook) = lab.channels[2].carrier else { throw Unexpected() }
        #expect(hook.address == .secret(.file("/etc/hook")) && hook.headers.map(\.name) == ["X-Token"])
        #expect(lab.isWatched)
        let keys = lab.secretReferences.map(\.key).filter { $0.hasPrefix("notify") }
        #expect(
            keys == [
                "notify.ntfy.token", "notify.mail.password", "notify.webhook.url", "notify.webhook.headers.X-Token",
            ]
        )
    }

    private struct Unexpected: Error {}

    @Test(arguments: [
        (
            "https://ntfy.example/lab", "https://me:canary@ntfy.example/lab",
            "notify.ntfy.url: holds a user or password; put the whole address into a file"
        ),
        ("https://ntfy.example/lab", "https://ntfy.example", "notify.ntfy.url: is no address with one topic"),
        ("https://ntfy.example/lab", "canary", "notify.ntfy.url: is neither an address nor a reference to a secret"),
        ("https://ntfy.example/lab", "https:///canary", "notify.ntfy.url: names no host"),
        ("\"file:/etc/token\"", "canary", "notify.ntfy.token: is not a reference to a secret"),
        ("[failed, missed]", "[failed, mist]", "notify.events: \"mist\" is none of the words here"),
        ("[failed, missed]", "[drill-failed]", "notify.events: there are no drills yet"),
        ("remind: never", "remind: sometimes", "notify.remind: "),
        ("host: mail.example", "host: \"-mail example\"", "notify.smtp.host: is no name of a host"),
        ("from: lab@x.example", "from: nobody", "notify.smtp.from: holds no mail address: \"nobody\""),
        ("[me@x.example]", "[\"me@x.example\", \"a@b>\"]", "notify.smtp.to: holds no mail address"),
        ("user: lab, ", "", "notify.smtp.password: stands without user"),
        ("security: starttls", "security: ssl", "notify.smtp.security: \"ssl\" is none of the words here"),
        ("- ping: { url: \"https://check.example/uuid\" }", "- { url: x }", "notify"),
        (
            "- ping: { url: \"https://check.example/uuid\" }",
            "- { ping: { url: \"https://check.example/u\" }, events: [failed] }",
            "notify.events: means nothing beside ping"
        ),
        ("name: mail", "name: ntfy", "notify: is called \"ntfy\", as is the channel at"),
        ("name: mail", "name: \"a b\"", "notify.name: is not a name"),
        (
            "headers: { X-Token: \"env:TOKEN\" }", "headers: { X-Token: canary }",
            "notify.webhook.headers.X-Token: is not"
        ),
        (
            "headers: { X-Token: \"env:TOKEN\" }", "headers: { Content-Length: \"env:T\" }",
            "notify.webhook.headers.Content-Length: is set by the request itself"
        ),
        (
            "https://check.example/uuid", "https://check.example:99999/uuid",
            "notify.ping.url: has a port that is none"
        ),
        (
            "headers: { X-Token: \"env:TOKEN\" }", "headers: { \"X Y\": \"env:T\" }",
            "notify.webhook.headers.X Y: is not a name"
        ),
        (
            "url: \"file:/etc/hook\"", "url: \"vault:hook\"",
            "notify.webhook.url: looks into a vault, and none is declared"
        ),
    ])
    func `what cannot be is refused with its place`(from: String, to: String, problem: String) {
        let text = declaration(channels.replacing(from, with: to))
        #expect(text.contains(to))
        let found = problems(text)
        #expect(found.contains { $0.contains(" \(problem)") }, "\(found)")
        #expect(!found.contains { $0.contains("canary") })
    }

    @Test(arguments: [
        ("https://check.example/uuid", "http://127.0.0.1:8000/uuid", "is on this machine"),
        ("https://ntfy.example/lab", "http://ntfy.lan/lab", "sends a password where everybody on the way reads it"),
    ])
    func `what is likely not meant is a warning`(from: String, to: String, what: String) throws {
        let lab = try decode(declaration(channels.replacing(from, with: to)))
        #expect(lab.warnings.contains { $0.what.contains(what) })
        #expect(lab.isWatched == !to.contains("127.0.0.1"))
    }

    @Test func `a broken template is refused with what is wrong`() {
        let text = declaration(channels.replacing("{{title}}", with: "{{title"))
        #expect(
            problems(text).contains { $0.contains("notify.webhook.template: is no template: a name is not closed") }
        )
    }
}
