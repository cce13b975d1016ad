import Foundation
import Testing

import Strategy

/// The manual of the declaration says what the schema says, and its example is one.
@Suite struct DeclarationManualTests {
    private func page(_ name: String = "holdfast-yaml") throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent("docs/manual/\(name).md"), encoding: .utf8)
    }

    @Test(arguments: ["holdfast-yaml", "what-to-protect", "media", "off-site", "retention"])
    func `each example of the manual is read`(name: String) throws {
        let blocks = try page(name).components(separatedBy: "```yaml\n").dropFirst()
        #expect(!blocks.isEmpty)
        for block in blocks {
            let text = try #require(block.components(separatedBy: "```").first)
            let lab = try decode(text)
            #expect(lab.warnings.isEmpty)
            #expect(!lab.workloads.isEmpty)
        }
    }

    @Test(arguments: ["alarms", "secrets"])
    func `each part of a file in the manual is read beside a lab`(name: String) throws {
        let blocks = try page(name).components(separatedBy: "```yaml\n").dropFirst()
        #expect(!blocks.isEmpty)
        for block in blocks {
            let text = try #require(block.components(separatedBy: "```").first)
            let lab = try decode(completeDeclaration + "\n" + text)
            #expect(!lab.channels.isEmpty || lab.vault != nil)
        }
    }

    @Test func `the table of all keys is that of the schema`() throws {
        // The policy of a role may stand in two more places; the page says so once.
        let policy = ["objective", "backup", "verify"]
        let again = ["defaults."] + policy.map { "protect[].\($0)." }
        let references = labSchema.keyReferences.filter { reference in !again.contains { reference.path.hasPrefix($0) }
        }
        let rows = references.map { reference in
            let absent = reference.key.isRequired ? "refused" : reference.key.fallback.map { "`\($0)`" } ?? ""
            return "| `\(reference.path)` | \(reference.key.shape.noun) | \(absent) | \(reference.key.summary) |"
        }
        let table = try #require(
            page().components(separatedBy: "| key | takes | absent | meaning |\n|---|---|---|---|\n").last
        )
        let found = table.split(separator: "\n").prefix { $0.hasPrefix("|") }.map(String.init)
        #expect(found == rows, "the table should be:\n\(rows.joined(separator: "\n"))")
    }
}
