import Bytes
import Testing

import Strategy

@Suite struct RunPlanTests {
    /// 2026-03-01 12:00 UTC, a Sunday.
    private let noon = Timestamp(seconds: 1_772_366_400)

    private func order(_ entries: String, _ choice: RunChoice = .due) throws -> [String] {
        let text = """
            lab: home
            media: { disk: { path: /disk } }
            repositories: { all: { medium: disk, password: "file:all" } }
            protect:
            \(entries)
            """
        let plan = RunPlan(try decode(text), choice, ledger: Ledger(), now: noon, zone: { _ in .utc })
        return plan.items.map(\.workload.name)
    }

    private func entry(_ name: String, _ schedule: String, _ rest: String = "") -> String {
        "  - { name: \(name), host: { paths: [/\(name)] }, to: all, backup: { schedule: \"\(schedule)\" }\(rest) }\n"
    }

    @Test func `what is due longest runs first where no priority is said`() throws {
        let entries = entry("late", "11:00") + entry("early", "02:00") + entry("middle", "05:00")
        #expect(try order(entries) == ["early", "middle", "late"])
    }

    @Test func `the lower priority runs first, and due times decide among equal ones`() throws {
        let entries =
            entry("usual", "02:00") + entry("bulk", "01:00", ", priority: 9") + entry("vault", "11:00", ", priority: 1")
            + entry("mail", "09:00", ", priority: 1") + entry("said", "03:00", ", priority: 5")
        #expect(try order(entries) == ["mail", "vault", "usual", "said", "bulk"])
        #expect(try order(entries, .named(["bulk", "usual"])) == ["usual", "bulk"])
    }

    @Test(arguments: ["0", "10", "-1", "high", "1.5"])
    func `P-02 what is no priority is refused with its line`(text: String) {
        let found = problems(
            completeDeclaration.replacing("role: production", with: "role: production\n    priority: \(text)")
        )
        #expect(found.count == 1)
        #expect(found.allSatisfy { $0.hasPrefix("holdfast.yaml:22:15: protect.priority: \"\(text)\" is ") })
        #expect(found.allSatisfy { $0.hasSuffix("write a whole number from 1 to 9") })
    }

    @Test func `an edit of the priority is named, and nobody loses by it`() throws {
        let old = try decode(completeDeclaration)
        let new = try decode(
            completeDeclaration.replacing("role: production", with: "role: production\n    priority: 2")
        )
        let changes = LabDifference(from: old, to: new).changes
        #expect(changes == [LabDifference.Change(.neutral, "host", "has priority 2 (was: 5)")])
    }
}
