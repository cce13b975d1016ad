import Testing

import Bytes
import Outcome
import Protection
import Recovery
import Strategy
import TestSupport

@Suite struct NameSearchTests {
    private static func find(_ pattern: String, _ lab: TestLab, workloads: [String] = []) async throws -> NameFindings {
        var query = NameQuery([ByteString(pattern)])
        query.workloads = workloads
        return try await NameSearch(try lab.environment).run(query) { _, _, _ in }
    }

    @Test func `each version of a name is one line, with its times and all who hold it`() async throws {
        let lab = try TestLab()
        try lab.write("source/letter.txt", "first")
        try await lab.runDaily(2)
        try lab.write("source/letter.txt", "second, longer")
        try await lab.runDaily(1)
        let found = try await Self.find("letter.*", lab)
        #expect(found.problems.isEmpty)
        #expect(found.versions.map(\.size) == [14, 5])
        #expect(found.versions.allSatisfy { $0.stores == ["host-os", "host-usb", "offsite"] && $0.workload == "host" })
        let older = try #require(found.versions.last)
        #expect(older.oldest.dayAndTime.hasPrefix("2026-03-01") && older.newest.dayAndTime.hasPrefix("2026-03-02"))
        // Copies of a snapshot are searched once.
        #expect(found.snapshots == 3)
    }

    @Test func `what is not here is said, and the rest is searched`() async throws {
        let lab = try TestLab()
        try lab.write("source/letter.txt", "first")
        try await lab.runDaily(1)
        try lab.move("media/os-ssd", to: "away")
        let found = try await Self.find("letter.txt", lab)
        #expect(found.versions.map(\.stores) == [["host-usb", "offsite"]])
        #expect(found.problems.count == 1 && found.problems[0].contains("host-os on os-ssd"))
        #expect(try await Self.find("nothing-of-that-name", lab).versions.isEmpty)
    }

    @Test func `a workload that is not declared is refused by name`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        let failure = await #expect(throws: RecoveryFailure.self) {
            _ = try await Self.find("x", lab, workloads: ["hots"])
        }
        #expect(failure?.code == .unknown && failure?.next.contains("host") == true)
    }
}
