import Bytes
import Messaging
import Testing
import TestSupport

/// The text of a mail.
struct MailMessageTests {
    private func text(_ message: OutgoingMessage, _ from: String, _ to: [String]) throws -> String {
        let people = try to.map { try #require(MailAddress($0)) }
        return String(
            decoding: MailMessage.bytes(message, from: try #require(MailAddress(from)), to: people),
            as: UTF8.self
        )
    }

    @Test func `a mail has these bytes`() throws {
        let message = OutgoingMessage.sample(
            "Sicherung fehlgeschlagen: Kellerraum für Daten, zweite Platte fehlt",
            body: "100 % = all\n.\nblank at the end \nGrüße\n" + String(repeating: "abcdefghi ", count: 9) + "end"
        )
        let expected = """
            From: Holdfast\r
             <holdfast@rig.test>\r
            To: ops@rig.test,\r
             =?UTF-8?B?SsO8cmdlbg==?=\r
             <j@rig.test>\r
            Subject: =?UTF-8?B?U2ljaGVydW5nIGZlaGxnZXNjaGxhZ2VuOiBLZWxsZXJyYXVtIGY=?=\r
             =?UTF-8?B?w7xyIERhdGVuLCB6d2VpdGUgUGxhdHRlIGZlaGx0?=\r
            Date: Sun, 22 Nov 2026 09:30:00 +0000\r
            Message-ID: <ID@rig.test>\r
            Auto-Submitted: auto-generated\r
            X-Priority: 1\r
            X-Holdfast-Event: failed\r
            X-Holdfast-Lab: cellar\r
            X-Holdfast-Host: pve1\r
            MIME-Version: 1.0\r
            Content-Type: text/plain; charset=utf-8\r
            Content-Transfer-Encoding: quoted-printable\r
            \r
            100 % =3D all\r
            .\r
            blank at the end=20\r
            Gr=C3=BC=C3=9Fe\r
            abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcdefghi abcde=\r
            fghi abcdefghi end\r

            """
        let made = try text(message, "Holdfast <holdfast@rig.test>", ["ops@rig.test", "\"Jürgen\" <j@rig.test>"])
        let id = try #require(made.firstMatch(of: /holdfast\.[0-9a-f]{32}/))
        #expect(made.replacing(id.output, with: "ID") == expected)
    }

    @Test func `the same message to the same people is the same mail, and any other is not`() throws {
        let first = try text(.sample(), "a@b.test", ["c@d.test"])
        #expect(try text(.sample(), "a@b.test", ["c@d.test"]) == first)
        var later = OutgoingMessage.sample()
        later.when.seconds += 1
        let identifier = { (text: String) in text.firstMatch(of: /Message-ID: (.*)\r\n/).map { String($0.1) } }
        #expect(identifier(try text(later, "a@b.test", ["c@d.test"])) != identifier(first))
        #expect(identifier(try text(.sample(), "a@b.test", ["c@e.test"])) != identifier(first))
    }

    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 +0000"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
        (-5, "Thu, 01 Jan 1970 00:00:00 +0000"), (Int64.max, "Fri, 31 Dec 9999 23:59:59 +0000"),
    ])
    func `a date is written as mail has it`(_ seconds: Int64, _ expected: String) {
        #expect(MailDate.text(Timestamp(seconds: seconds)) == expected)
    }

    @Test(arguments: [
        "", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\r\nRCPT TO:<x@y>", "a@b>\r\nDATA", "<a@b", "a@b, c@d", "a@b;c@d",
        "ä@b", "a@bü", "a\u{0}@b",
        "-a@b", "\"a b\"@c", "a@[::1]", "Name <>", "a@b\nBcc: <c@d>", "Name <a@b> more", "a<b@c>@d",
        String(repeating: "a", count: 300) + "@b",
    ])
    func `S-09 what could be more than one address is none`(_ text: String) {
        #expect(MailAddress(text) == nil)
    }

    @Test func `addresses are read with and without a name`() {
        #expect(MailAddress("root")?.address == "root")
        #expect(MailAddress("a.b+c@d-e.test")?.address == "a.b+c@d-e.test")
        let named = MailAddress("\"Ops, Bcc:\u{202E} x\" <a@b>")
        #expect(named?.address == "a@b")
        #expect(named?.name == "Ops, Bcc: x")
    }
}
