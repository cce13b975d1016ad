import Foundation
import Testing

import Bytes
import HostSystem
import Outcome
import Protection
import Strategy
import TestSupport

@Suite struct LedgerTests {
    private static func sample() -> Ledger {
        var ledger = Ledger()
        ledger.updated = Timestamp(seconds: 1_772_366_400, nanoseconds: 5)
        var workload = WorkloadHistory()
        workload.lastAttempt = Timestamp(seconds: 1_772_366_000)
        workload.lastOutcome = .partial
        workload.lastTrouble = RunTrouble(what: "/srv is gone", state: "the copies are safe")
        workload.runSeconds = [1, 0, 300]
        workload.size = SourceSize(files: 3, bytes: 1 << 50)
        workload.shrunkTo = SourceSize(files: 0, bytes: 1)
        workload.live = ["/srv/a (SQLite)"]
        workload.missing = ["host-usb"]
        workload.failures = ["host-usb": 3]
        workload.caughtUp = Timestamp(seconds: 1_772_366_100)
        ledger.workloads["ho\"st\n"] = workload
        var repository = RepositoryHistory(id: "ab12", seen: Timestamp(seconds: 1_772_000_000))
        repository.storedBytes = 77
        repository.copies["host"] = CopySeen(snapshot: "cd", time: Timestamp(seconds: 1_771_000_000), count: 4)
        repository.readBack["host"] = ReadBack(snapshot: "cd", time: Timestamp(seconds: 1_771_000_001), bytes: 9)
        repository.retained["host"] = "keep 3 daily snapshots"
        repository.rotation.done = 17
        repository.rotation.completed = .init(since: Timestamp(seconds: 1), ended: Timestamp(seconds: 2))
        repository.finding = OpenFinding(since: Timestamp(seconds: 3), text: "pack <1> is gone", packs: ["ef"])
        repository.pruned = Timestamp(seconds: 4)
        repository.reseeding = Timestamp(seconds: 5)
        repository.removedSincePrune = 2
        repository.rate = ReadingRate(bytesPerSecond: 12, time: Timestamp(seconds: 5), isOfRestore: false)
        repository.place = MediumPlace(fileSystem: "7f42-4cf8", disks: ["a", "b"])
        ledger.repositories["host-os"] = repository
        var moved = Traffic()
        (moved.uploadedBytes, moved.downloadedBytes, moved.writes, moved.reads) = (1, 2, 3, 4)
        ledger.traffic["cl\"oud"] = BucketTraffic()
        ledger.traffic["cl\"oud"]?.days = [20_454: moved, 20_455: moved]
        return ledger
    }

    @Test func `what is written is read again`() {
        let ledger = Self.sample()
        #expect(Ledger(decoding: ledger.encode()) == ledger)
        #expect(Ledger(decoding: Ledger().encode()) == Ledger())
    }

    @Test func `I-01 I-05 a damaged ledger is none, or one with plausible values, and never a trap`() {
        let bytes = Self.sample().encode()
        for count in 0..<(bytes.count - 2) { #expect(Ledger(decoding: Array(bytes.prefix(count))) == nil) }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            var spoilt = bytes
            for _ in 0..<3 { spoilt[Int.random(in: 0..<spoilt.count, using: &generator)] = .random(in: 0x20...0x7e) }
            guard let ledger = Ledger(decoding: spoilt) else { continue }
            for repository in ledger.repositories.values {
                #expect((0...VerifyRotation.groups).contains(repository.rotation.done))
                #expect(repository.removedSincePrune >= 0)
            }
        }
    }

    @Test(arguments: ["removed", "empty", "garbage", "half"])
    func `M-03 a ledger that is lost or damaged is found again in the repositories`(_ how: String) async throws {
        let lab = try TestLab()
        try await lab.runDaily(2)
        let before = try await lab.status()
        let known = try lab.ledger()
        let path = "state/record/ledger.json"
        switch how {
        case "removed": try lab.remove("state")
        case "empty": try lab.write(path, "")
        case "garbage": try lab.write(path, "\u{0}\u{1}not a ledger")
        default:
            let text = try String(contentsOfFile: lab.root + "/" + path, encoding: .utf8)
            try lab.write(path, String(text.prefix(text.count / 2)))
        }
        let after = try await lab.status()
        #expect(after.problems == before.problems)
        #expect(after.workloads.map(\.copies.count) == before.workloads.map(\.copies.count))
        let found = try lab.ledger()
        #expect(found.workloads["host"]?.lastAttempt == known.workloads["host"]?.lastAttempt)
        #expect(found.repositories["host-os"]?.rotation == known.repositories["host-os"]?.rotation)
        #expect(found.repositories["host-os"]?.readBack == known.repositories["host-os"]?.readBack)
        #expect(how == "removed" || lab.warnings.all.contains { $0.contains("ledger") })
        #expect(try await lab.run().exitStatus == .success)
    }

    @Test func `M-14 a copy that the ledger knows and the store lacks is not counted`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        for name in lab.names(in: "media/usb-ssd/host-usb/snapshots") {
            try lab.remove("media/usb-ssd/host-usb/snapshots/\(name)")
        }
        let status = try await lab.status()
        let copy = try #require(status.workloads[0].copies.first { $0.repository == "host-usb" })
        #expect(copy.point == .never)
        #expect(status.isBreached)
        #expect(status.problems.contains { $0.object == "host on usb-ssd" && $0.severity == .wrong })
    }

    @Test func `C-04 a run whose state cannot be written goes on, and says so`() async throws {
        let lab = try TestLab { $0.replacing("state: state", with: "state: blocked/state") }
        try lab.write("blocked", "a file where the folder should be")
        let report = try await lab.run()
        #expect(report.results(.backUp) == ["host-os": "done"])
        #expect(report.results(.readBack) == ["host-os": "done", "host-usb": "done", "offsite": "done"])
        #expect(lab.warnings.all.contains { $0.contains("ledger cannot be written") })
    }

    @Test func `S-06 what this machine remembers is for its owner alone`() async throws {
        let lab = try TestLab()
        try await lab.run()
        for name in try FileManager.default.subpathsOfDirectory(atPath: lab.root + "/state")
        where !name.hasSuffix("CACHEDIR.TAG") {
            let attributes = try FileManager.default.attributesOfItem(atPath: lab.root + "/state/" + name)
            let mode = try #require(attributes[.posixPermissions] as? Int)
            #expect(mode & 0o077 == 0, "\(name) has mode \(String(mode, radix: 8))")
        }
    }

    @Test func `M-05 temporary files of writers that were killed go with the next run, and those of a living one stay`()
        async throws
    {
        let lab = try TestLab()
        try await lab.run()
        let dead = ["record/ledger.json-tmp-0123456789abcdef", "record/holdfast.yaml-tmp-00000000000000ff"]
        let old =
            ["probe-tmp-0123456789abcdef", "journal-pending.jsonl.unread-1-tmp-0123456789abcdef"]
            + ["owed/5e1b0000-0000-4000-8000-000000000000-tmp-0123456789abcdef"]
        let others = [
            "probe-tmp-fedcba9876543210", "notes-tmp-0123456789abcdef", "record/notes-tmp-1",
            "owed/notes-tmp-0123456789abcdef", "owed/5e1b0000-0000-4000-8000-000000000000-tmp-fedcba9876543210",
        ]
        for name in dead + old + others { try lab.write("state/\(name)", "half") }
        let hoursAgo = Date(timeIntervalSince1970: Double(TestLab.noon - 7200))
        for name in old + ["notes-tmp-0123456789abcdef", "owed/notes-tmp-0123456789abcdef"] {
            let path = "\(lab.root)/state/\(name)"
            try FileManager.default.setAttributes([.modificationDate: hoursAgo], ofItemAtPath: path)
        }
        func present(_ names: [String]) -> [String] {
            names.filter { FileManager.default.fileExists(atPath: "\(lab.root)/state/\($0)") }
        }
        let state = try lab.environment.stateFolder
        let writer = try #require(try StateFolder.takeLock("ledger", in: state))
        await ProtectionRun(try lab.environment, observer: SilentRunObserver()).clearUp()
        #expect(present(dead + old) == dead + old)
        writer.unlock()
        // Nothing is due: it is done all the same.
        #expect(try await lab.run(.due).workloads.isEmpty)
        #expect(present(dead + old).isEmpty)
        #expect(present(others) == others)
        #expect(lab.names(in: "state/record").contains("ledger.json"))
    }

    @Test func `M-05 a writer that is killed between writing and naming leaves nothing for good`() async throws {
        let lab = try TestLab()
        try await lab.run()
        let before = try lab.ledger().workloads["host"]
        await #expect(processExitsWith: .signal(SIGKILL)) { [root = lab.root as String] in
            let hooks = SystemHooks { call, _, _ in
                if call == .rename { kill(getpid(), SIGKILL) }
                return .proceed
            }
            let record = try Directory.open(ByteString(root + "/state/record"), hooks: hooks)
            try writeDurably([1], to: "ledger.json", in: record, ifExists: .replace, entropy: SystemEntropy())
        }
        #expect(lab.names(in: "state/record").contains { $0.contains("-tmp-") })
        try await lab.run(.due)
        #expect(!lab.names(in: "state/record").contains { $0.contains("-tmp-") })
        #expect(try lab.ledger().workloads["host"] == before)
    }

    @Test func `the newer of two ledgers wins, and of each repository what was seen last`() {
        var old = Self.sample()
        var new = Self.sample()
        new.updated = Timestamp(seconds: 1_872_366_400)
        new.repositories["host-os"]?.storedBytes = 1
        old.repositories["offsite"] = RepositoryHistory(id: "x", seen: Timestamp(seconds: 5))
        for merged in [old.merged(with: new), new.merged(with: old)] {
            #expect(merged.updated == new.updated)
            #expect(merged.repositories["offsite"]?.id == "x")
        }
    }
}
