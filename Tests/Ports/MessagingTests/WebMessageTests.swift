import Bytes
import Foundation
import Messaging
import Testing
import TestSupport

/// What ntfy, webhooks and checks get, and what is told when they do not take it.
@Suite(.onPool) struct WebMessageTests {
    private let rig = MessageRig.web

    private func published(_ message: OutgoingMessage) async throws -> (entry: [String: Any], json: [String: Any]) {
        let address = rig.address("ok")
        let end = await MessageSender().send(message, to: .ntfy(NtfyTarget(url: address + "/topic_1", token: "tk_a")))
        #expect(end == .delivered)
        let entry = try #require(try rig.requests(address).first)
        let body = try #require(entry["body"] as? String)
        return (entry, try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]))
    }

    private func header(_ name: String, _ entry: [String: Any]) -> String? {
        (entry["headers"] as? [[String]])?.first { $0[0].lowercased() == name.lowercased() }?[1]
    }

    @Test func `ntfy gets a message as JSON at its root, with its token`() async throws {
        let (entry, json) = try await published(.sample())
        #expect((entry["path"] as? String)?.hasSuffix("/") == true)
        #expect(entry["method"] as? String == "POST")
        #expect(header("Authorization", entry) == "Bearer tk_a")
        #expect(header("Content-Type", entry) == "application/json")
        #expect(json["topic"] as? String == "topic_1")
        #expect(json["title"] as? String == "cellar: backup failed")
        #expect(json["message"] as? String == "vm/101 was not backed up\nits disk is full\n")
        #expect(json["priority"] as? Int == 5)
        #expect(json["tags"] as? [String] == ["rotating_light", "failed", "cellar", "pve1"])
    }

    @Test func `urgency becomes ntfy's priority`() async throws {
        #expect(try await published(.sample(urgency: .calm)).json["priority"] as? Int == 2)
        #expect(try await published(.sample(urgency: .calm)).json["tags"] as? [String] == ["failed", "cellar", "pve1"])
        #expect(try await published(.sample(urgency: .attention)).json["priority"] as? Int == 4)
    }

    @Test func `ntfy takes user and password, given beside the address or in it`() async throws {
        let address = rig.address("ok")
        let pair = NtfyTarget(url: address + "/t", user: "me", password: "p:ä")
        #expect(await MessageSender().send(.sample(), to: .ntfy(pair)) == .delivered)
        let within = NtfyTarget(url: address.replacingOccurrences(of: "//", with: "//me:p%3A%C3%A4@") + "/t")
        #expect(await MessageSender().send(.sample(), to: .ntfy(within)) == .delivered)
        let said = try rig.requests(address).map { header("Authorization", $0) }
        #expect(said == ["Basic bWU6cDrDpA==", "Basic bWU6cDrDpA=="])
    }

    @Test(arguments: ["😀", "line\n", "\"\\", "e\u{301}\u{302}", "\u{1}", "a"])
    func `a text that is too long for ntfy is cut between characters and says so`(_ piece: String) async throws {
        let (entry, json) = try await published(.sample(body: String(repeating: piece, count: 9000)))
        let text = try #require(json["message"] as? String)
        #expect(text.utf8.count <= 4096)
        #expect(text.utf8.count > 3000)
        #expect(text.contains("\n[cut here: the text has "))
        let kept = String(text[..<(try #require(text.range(of: "\n[cut here")).lowerBound)])
        #expect(Set(kept).isSubset(of: Set(piece.replacingOccurrences(of: "\u{1}", with: "\u{FFFD}"))))
        // The server refuses documents of more than twice its limit.
        #expect(try #require(entry["bytes"] as? Int) < 8192)
    }

    @Test func `a text that just fits is not cut`() async throws {
        let body = String(repeating: "ü", count: 2048)
        #expect(try await published(.sample(body: body)).json["message"] as? String == body)
    }

    @Test(arguments: NastyTitle.all.indices)
    func `W-03 S-09 whatever a title holds, ntfy gets one line of it in its place`(_ index: Int) async throws {
        let nasty = NastyTitle.all[index]
        let (entry, json) = try await published(.sample(nasty, body: nasty))
        let title = try #require(json["title"] as? String)
        #expect(title.utf8.count <= 250)
        #expect(!title.unicodeScalars.contains { $0.properties.generalCategory == .control || $0.value == 0x202E })
        #expect(Set(json.keys) == ["topic", "title", "message", "priority", "tags"])
        #expect(header("Bcc", entry) == nil)
        if nasty.utf8.count < 200, nasty.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) { #expect(title == nasty) }
    }

    @Test func `a webhook gets what its owner wrote`() async throws {
        let address = rig.address("ok")
        let target = WebhookTarget(
            url: address + "/hook?key=1",
            method: "PUT",
            headers: [WebhookTarget.Header(name: "X-Key", value: "canary")],
            contentType: "text/plain",
            body: "told\r\nas it is"
        )
        #expect(await MessageSender().send(.sample(), to: .webhook(target)) == .delivered)
        let entry = try #require(try rig.requests(address).first)
        #expect(entry["method"] as? String == "PUT")
        #expect((entry["path"] as? String)?.hasSuffix("/hook?key=1") == true)
        #expect(header("X-Key", entry) == "canary")
        #expect(header("Content-Type", entry) == "text/plain")
        #expect(entry["body"] as? String == "told\r\nas it is")
    }

    @Test(arguments: ["a\r\nX-Forged: 1", "a\nb", "a\rb", "a\u{0}b", "a\u{7f}"])
    func `S-09 a line end in a header, a token or a password is refused, and nothing is sent`(_ value: String)
        async throws
    {
        let address = rig.address("ok")
        let targets: [MessageTarget] = [
            .webhook(
                WebhookTarget(url: address, headers: [WebhookTarget.Header(name: "X-A", value: value)], body: "")
            ),
            .webhook(
                WebhookTarget(url: address, headers: [WebhookTarget.Header(name: value, value: "1")], body: "")
            ),
            .webhook(WebhookTarget(url: address, contentType: value, body: "")),
            .ntfy(NtfyTarget(url: address + "/t", token: value)),
        ]
        for target in targets {
            let end = await MessageSender().send(.sample(), to: target)
            #expect(end.isLasting == true)
            #expect(end.why?.contains("Forged: 1\n") == false && end.why?.contains("\n") == false)
        }
        #expect(try rig.requests(address).isEmpty)
    }

    @Test(arguments: [
        "", "topic", "ftp://ntfy.example/t", "https://", "https:///t", "https://ho st/t", "https://host/a\r\nb",
        "https://host:99999/t",
        "https://host\\evil/t", "https://ntfy.example", "https://ntfy.example/", "https://ntfy.example/to%20pic",
    ])
    func `an address that is none is a lasting failure`(_ url: String) async {
        #expect(await MessageSender().send(.sample(), to: .ntfy(NtfyTarget(url: url))).isLasting == true)
    }

    @Test func `a webhook does not frame its own question, and has one of two methods`() async {
        for name in ["Content-Length", "transfer-encoding", "Host"] {
            let header = WebhookTarget.Header(name: name, value: "1")
            let target = WebhookTarget(url: rig.address("ok"), headers: [header], body: "")
            #expect(await MessageSender().send(.sample(), to: .webhook(target)).isLasting == true)
        }
        let target = WebhookTarget(url: rig.address("ok"), method: "DELETE", body: "")
        #expect(await MessageSender().send(.sample(), to: .webhook(target)).isLasting == true)
    }

    @Test(arguments: [
        (PingTarget.Kind.start, "/start"), (.success, ""), (.failure, "/fail"), (.log, "/log"),
    ])
    func `a ping says its kind before any query, and names its run`(_ kind: PingTarget.Kind, _ path: String)
        async throws
    {
        let address = rig.address("ok")
        let run = "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"
        #expect(
            await MessageSender().ping(PingTarget(url: address + "?create=1", kind: kind, runID: run, body: "b"))
                == .delivered
        )
        #expect(await MessageSender().ping(PingTarget(url: address + "/", kind: kind, body: "b")) == .delivered)
        let entries = try rig.requests(address)
        let room = address.split(separator: "/")[2]
        #expect(
            entries.map { $0["path"] as? String } == [
                "/\(room)\(path)?create=1&rid=\(run.lowercased())", "/\(room)\(path)",
            ]
        )
        #expect(entries.allSatisfy { $0["method"] as? String == "POST" && $0["body"] as? String == "b" })
    }

    @Test func `a run that is no UUID is told by one made from it, the same each time`() async throws {
        let address = rig.address("ok")
        for run in ["2026-11-22T03:00", "2026-11-22T03:00", "another&rid=x"] {
            #expect(await MessageSender().ping(PingTarget(url: address, kind: .start, runID: run)) == .delivered)
        }
        let told = try rig.requests(address).compactMap {
            ($0["path"] as? String)?.components(separatedBy: "rid=").last
        }
        #expect(told.count == 3 && told[0] == told[1] && told[0] != told[2])
        #expect(told.allSatisfy { UUID(uuidString: $0) != nil })
    }

    @Test func `a long ping is cut, and a message stands in for a ping without a text`() async throws {
        let address = rig.address("ok")
        let long = PingTarget(url: address, kind: .failure, body: String(repeating: "ü", count: 9000))
        #expect(await MessageSender().ping(long) == .delivered)
        let empty = PingTarget(url: address, kind: .failure)
        #expect(await MessageSender().send(.sample(), to: .ping(empty)) == .delivered)
        let bodies = try rig.requests(address).compactMap { $0["body"] as? String }
        #expect(bodies[0].utf8.count <= 10_000 && bodies[0].hasSuffix("18000 bytes, and 10000 are taken]"))
        #expect(bodies[1] == "cellar: backup failed\n\nvm/101 was not backed up\nits disk is full\n")
    }

    @Test func `M-11 a check that its server does not know is a failure, although the answer is 200`() async {
        let unknown = await MessageSender().ping(PingTarget(url: rig.address("unknown"), kind: .success))
        #expect(unknown.isLasting == true)
        let often = await MessageSender().ping(PingTarget(url: rig.address("often"), kind: .success))
        #expect(often.isLasting == false && often.retryAfterSeconds == 60)
    }
}
