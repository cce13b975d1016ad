import Foundation
import Testing

import Bytes
import Outcome
import Protection
import Strategy
import TestSupport

@Suite struct DamageTests {
    /// Flips a byte of the largest pack of a repository and returns its path and what it held.
    private func damage(_ lab: TestLab, _ repository: String) throws -> (path: String, bytes: Data) {
        let base = lab.root + "/media/" + repository + "/data"
        var packs: [(path: String, size: Int)] = []
        for name in try FileManager.default.subpathsOfDirectory(atPath: base) where name.utf8.count == 67 {
            let path = base + "/" + name
            packs.append((path, try Data(contentsOf: URL(fileURLWithPath: path)).count))
        }
        let largest = try #require(packs.max { $0.size < $1.size })
        let bytes = try Data(contentsOf: URL(fileURLWithPath: largest.path))
        var spoilt = bytes
        spoilt[spoilt.startIndex + 40] ^= 1
        try FileManager.default.removeItem(atPath: largest.path)
        try spoilt.write(to: URL(fileURLWithPath: largest.path))
        return (largest.path, bytes)
    }

    @Test func `L7 damage holds retention and prune of its repository alone, until it is seen mended`() async throws {
        let lab = try TestLab { $0.replacing("last: 3", with: "last: 2") }
        try await lab.runDaily(2)
        let (path, bytes) = try damage(lab, "usb-ssd/host-usb")
        let found = try await lab.run(verifiesAll: true)
        #expect(found.exitStatus == .damageFound)
        #expect(found.results(.verify) == ["host-os": "done", "host-usb": "E-VERIFY", "offsite": "done"])
        lab.clock.advance(86_400)
        let held = try await lab.run()
        #expect(held.results(.forget) == ["host-os": "done", "host-usb": "skipped", "offsite": "done"])
        #expect(try await lab.counts()["host-usb"] == 3)
        let status = try await lab.status()
        #expect(
            status.problems.contains { $0.severity == .wrong && $0.object == "host-usb" && $0.what.contains("damaged") }
        )

        try FileManager.default.removeItem(atPath: path)
        try bytes.write(to: URL(fileURLWithPath: path))
        lab.clock.advance(86_400)
        let mended = try await lab.run()
        #expect(mended.results(.verify)["host-usb"] == "done")
        #expect(try lab.ledger().repositories["host-usb"]?.finding == nil)
        lab.clock.advance(86_400)
        try await lab.run()
        #expect(try await lab.counts()["host-usb"] == 2)
    }

    @Test func `R-09 snapshots that vanished are told until the operator releases it, and nothing goes from there`()
        async throws
    {
        let lab = try TestLab { $0.replacing("last: 3", with: "last: 2") }
        try await lab.runDaily(2)
        let before = lab.names(in: "media/usb-ssd/host-usb/snapshots")
        try await lab.runDaily(1)
        // The index files stay: this is no earlier state.
        for name in lab.names(in: "media/usb-ssd/host-usb/snapshots") where !before.contains(name) {
            try lab.remove("media/usb-ssd/host-usb/snapshots/" + name)
        }
        let status = try await lab.status()
        let copy = try #require(status.workloads[0].copies.first { $0.repository == "host-usb" })
        #expect(copy.wasSetBack && copy.readBack == nil)
        try lab.write("source/new", "a change")
        try await lab.run()
        for _ in 0..<3 {
            lab.clock.advance(86_400)
            let report = try await lab.run()
            #expect(report.results(.forget)["host-usb"] != "done")
            #expect(report.results(.prune)["host-usb"] == nil)
            #expect(try await lab.status().problems.contains { $0.severity == .wrong && $0.object == "host-usb" })
        }
        let digits = try #require(try await lab.lookAhead().digits)
        try await lab.run(release: digits)
        #expect(try lab.ledger().repositories["host-usb"]?.doubt == nil)
    }

    @Test func `L7 damage that a copy meets counts as damage, and holds retention at once`() async throws {
        let lab = try TestLab { $0.replacing("last: 3", with: "last: 1") }
        try await lab.runDaily(2)
        for name in lab.names(in: "media/usb-ssd/host-usb/index") {
            let path = lab.root + "/media/usb-ssd/host-usb/index/" + name
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            bytes[bytes.startIndex + bytes.count / 2] ^= 1
            try FileManager.default.removeItem(atPath: path)
            try bytes.write(to: URL(fileURLWithPath: path))
        }
        let report = try await lab.run()
        #expect(report.exitStatus == .damageFound)
        #expect(report.results(.forget)["host-usb"] == nil || report.results(.forget)["host-usb"] == "skipped")
        #expect(try lab.ledger().repositories["host-usb"]?.finding != nil)
        #expect(try await lab.status().isDamaged)
    }

    @Test func `damage found later does not hide damage found before`() {
        var history = RepositoryHistory(id: "", seen: Timestamp(seconds: 1))
        history.add(OpenFinding(since: Timestamp(seconds: 5), text: "one", packs: ["a", "b"]))
        history.add(OpenFinding(since: Timestamp(seconds: 9), text: "two", packs: ["b", "c"]))
        #expect(history.finding == OpenFinding(since: Timestamp(seconds: 5), text: "two", packs: ["a", "b", "c"]))
        #expect(history.finding?.isCut == false)
        history.add(OpenFinding(since: Timestamp(seconds: 9), text: "many", packs: (0..<300).map { "p\($0)" }))
        #expect(history.finding?.isCut == true)
    }

    @Test func `the rotation reads every pack within its period`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        _ = try damage(lab, "os-ssd/host-os")
        // The period is eight days.
        var codes: [String] = []
        for _ in 0..<11 {
            let report = try await lab.run()
            codes.append(report.results(.verify)["host-os"] ?? "none")
            lab.clock.advance(86_400)
        }
        #expect(codes.contains("E-VERIFY"), "\(codes)")
    }
}
