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
        #expect(
            older.oldest.time.dayAndTime.hasPrefix("2026-03-01") && older.newest.time.dayAndTime.hasPrefix("2026-03-02")
        )
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

    @Test func `unchanged folders, renamed ones, and paths that are asked for from the root`() async throws {
        let lab = try TestLab()
        try lab.write("source/one/letter.txt", "same")
        try await lab.runDaily(2)
        try lab.move("source/one", to: "source/two")
        try await lab.runDaily(1)
        let found = try await Self.find("letter.txt", lab)
        #expect(found.versions.map { $0.path.lastPart } == ["one/letter.txt", "two/letter.txt"])
        let old = try #require(found.versions.first)
        #expect(old.newest != old.oldest && old.newest.time.dayAndTime.hasPrefix("2026-03-02"))
        let rooted = try await Self.find("\(lab.root)/source/two/*", lab)
        #expect(rooted.versions.map { $0.path.lastPart } == ["two/letter.txt"])
        #expect(try await Self.find("one/letter.txt", lab).versions.count == 1)
    }

    @Test func `what was saved before a restore is searched too, and snapshots of others are named as not searched`()
        async throws
    {
        let lab = try TestLab()
        try lab.write("source/letter.txt", "first")
        try await lab.runDaily(1)
        try lab.write("source/letter.txt", "edited since")
        let restore = WorkloadRestore(try lab.environment)
        let prepared = try await restore.prepare(WorkloadRestoreRequest(CopyWish("host"), to: .original))
        _ = try await restore.saveFirst(prepared)
        let found = try await Self.find("letter.txt", lab)
        #expect(found.versions.map(\.newest.kind) == [.safety, .complete])
        #expect(found.notes.isEmpty)
        lab.hostName = "another"
        let other = try await Self.find("letter.txt", lab)
        #expect(other.versions.isEmpty && other.notes.count == 3)
    }
}

extension ByteString {
    /// The last two parts.
    fileprivate var lastPart: String { display.split(separator: "/").suffix(2).joined(separator: "/") }
}
