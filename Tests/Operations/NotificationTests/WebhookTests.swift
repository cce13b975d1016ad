import Foundation
import Testing

import Bytes
import Notification
import Protection
import Strategy
import TestSupport

/// The bodies of webhooks: the operator's template with values that break nothing.
@Suite struct WebhookTests {
    private let rig = MessageRig.web

    private func lab(_ address: String, _ template: String, type: String = "application/json") throws -> NotifiedLab {
        let notified = try NotifiedLab(
            """
              - webhook:
                  url: "\(address)"
                  content-type: \(type)
                  template: '\(template)'

            """
        ) { $0.replacing("- host: {", with: "- name: host\n    host: {") }
        return notified
    }

    @Test func `a template is filled in, escaped for JSON`() async throws {
        let address = rig.address("ok")
        let template =
            #"{"text": "{{title}}", "all": [{{#began}}{"o": "{{object}}", "w": "{{what}}"},{{/began}}null], "b": "{{body}}"}"#
        let notified = try lab(address, template)
        try notified.lab.move("source", to: "away")
        try await notified.run()
        let body = try #require(try rig.requests(address).bodies.first)
        let fields = try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
        #expect((fields["text"] as? String)?.hasPrefix("test: ") == true)
        // Line breaks of the text are those of JSON.
        #expect((fields["b"] as? String)?.contains("\n") == true)
        #expect(((fields["all"] as? [Any])?.count ?? 0) > 1)
    }

    @Test func `W-03: values are escaped as the content type asks`() async throws {
        for (type, expected) in [("text/html", "&quot;"), ("text/plain", "\""), ("application/json", "\\\"")] {
            let address = rig.address("ok")
            let notified = try NotifiedLab(
                "  - webhook: { url: \"\(address)\", content-type: \(type), template: 'x {{lab}} {{host}} {{body}}' }\n"
            )
            notified.lab.hostName = "a\"b<i>"
            try notified.lab.move("source", to: "away")
            try await notified.run()
            let body = try #require(try rig.requests(address).bodies.first)
            #expect(body.contains("x test a\(expected)b"), "\(type): \(body)")
            if type == "text/html" { #expect(!body.contains("<i>")) }
        }
    }

    @Test(arguments: ["{{title", "{{#began}}x", "{{#began}}x{{/other}}"])
    func `a broken template is told with its place`(_ template: String) {
        #expect(WebhookBody.problem(of: template)?.hasPrefix("line 1, column ") == true)
    }

    @Test(arguments: ["{{", "{{titel}}", "{{> other}}", "{{{title}}}", "{{#began}}{{nobody}}{{/began}}"])
    func `a template that would send nothing, or break its body, is refused`(_ template: String) {
        #expect(WebhookBody.problem(of: template) != nil)
    }

    @Test func `a whole template is right`() {
        #expect(WebhookBody.problem(of: "{{title}} {{#began}}{{object}}{{/began}}") == nil)
    }
}
