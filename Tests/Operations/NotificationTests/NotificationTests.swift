import Foundation
import Glibc
import Spawning
import Testing

import Bytes
import HostSystem
import Journal
import Notification
import Outcome
import Protection
import ResticRepository
import Strategy
import TestSupport

/// What channels hear of a lab, through real servers.
@Suite struct NotificationTests {
    private let rig = MessageRig.web

    private func hook(_ address: String, _ more: String = "") -> String {
        "  - webhook: { url: \"\(address)\" }\n    remind: 1d\n\(more)"
    }

    @Test func `M-11: a failure is told once, its end once, and a good run is silent`() async throws {
        let address = rig.address("ok")
        let notified = try NotifiedLab(hook(address))
        try await notified.run()
        #expect(try rig.requests(address).isEmpty)
        try notified.lab.move("source", to: "away")
        for _ in 0..<3 {
            try await notified.run()
            notified.lab.clock.advance(60)
        }
        let told = try rig.requests(address)
        #expect(told.count == 1)
        let first = try #require(told.bodies.first)
        let fields = try #require(try JSONSerialization.jsonObject(with: Data(first.utf8)) as? [String: Any])
        #expect(fields["event"] as? String == "failed")
        #expect((fields["title"] as? String)?.contains("host") == true)
        #expect((fields["body"] as? String)?.contains("holdfast run host") == true)
        // The cause, and what is safe.
        #expect((fields["body"] as? String)?.contains("none of the paths is there") == true)
        #expect((fields["body"] as? String)?.contains("earlier snapshots are not touched") == true)
        try notified.lab.move("away", to: "source")
        try await notified.run()
        try await notified.run()
        let all = try rig.requests(address).bodies
        #expect(all.count == 2)
        #expect(all.last?.contains("\"event\":\"recovered\"") == true)
    }

    @Test func `a check hears each run begin and end, and that a promise is broken`() async throws {
        let address = rig.address("ok")
        let notified = try NotifiedLab("  - ping: { url: \"\(address)\" }\n")
        try await notified.run()
        let room = address.split(separator: "/")[2]
        #expect(try rig.requests(address).ends == ["start", String(room)])
        try notified.lab.move("source", to: "away")
        try await notified.run()
        #expect(try rig.requests(address).ends.suffix(2) == ["start", "fail"])
        #expect(try rig.requests(address).bodies.last?.contains("host: failed") == true)
    }

    @Test func `M-11: what cannot be judged while the source is away is not said to be over`() async throws {
        let address = rig.address("ok")
        let events = "    events: [amber, failed, recovered]\n"
        let notified = try NotifiedLab("  - webhook: { url: \"\(address)\" }\n    remind: 1d\n\(events)")
        try await notified.run()
        #expect(try rig.requests(address).bodies.last?.contains("shares a disk") == true)
        try notified.lab.move("source", to: "away")
        try await notified.run()
        let last = try #require(try rig.requests(address).bodies.last)
        #expect(last.contains("none of the paths is there") && !last.contains("Over"))
    }

    @Test func `P-06 a check hears no success of a run whose source lost its files`() async throws {
        let address = rig.address("ok")
        let notified = try NotifiedLab("  - ping: { url: \"\(address)\" }\n")
        try await notified.run()
        for index in 0..<40 { try notified.lab.remove("source/folder/file-\(index)") }
        #expect(try await notified.run().exitStatus == .incomplete)
        #expect(try rig.requests(address).ends.suffix(2) == ["start", "log"])
        #expect(try rig.requests(address).bodies.last?.contains("shrank from 40 files to 0") == true)
    }

    @Test func `a run that is cut off tells of no end, so that the check notices`() async throws {
        let address = rig.address("ok")
        let notified = try NotifiedLab("  - ping: { url: \"\(address)\" }\n")
        await (try await notified.notifier()).runBegan()
        #expect(try rig.requests(address).ends == ["start"])
    }

    @Test(arguments: ["500", "503", "down"])
    func `M-11: a channel in trouble fails no run, is amber, and gets its message later`(_ mode: String) async throws {
        let address = rig.address(mode)
        let notified = try NotifiedLab(hook(address))
        try notified.lab.move("source", to: "away")
        let report = try await notified.run()
        #expect(report.exitStatus == .failed)
        #expect(try rig.requests(address).count == 1)
        #expect(try await notified.lab.status().problems.contains { $0.kind == .deaf && $0.severity == .amber })
        // Not again before its time, and then again.
        let environment = try await notified.environment()
        let notifier = LabNotifier(environment, ledgerFile: LedgerFile(environment))
        notified.lab.clock.advance(30)
        await notifier.look()
        #expect(try rig.requests(address).count == 1)
        notified.lab.clock.advance(100)
        await notifier.look()
        #expect(try rig.requests(address).count == 2)
        // The address is mended: what waited comes, once.
        let well = rig.address("ok")
        notified.lab.declare { $0.replacing(address, with: well) }
        notified.lab.clock.advance(8 * 3600)
        let mended = try await notified.notifier()
        await mended.look()
        await mended.look()
        let told = try rig.requests(well).bodies.filter { $0.contains("\"event\":\"failed\"") }
        #expect(told.count == 1)
        #expect(try await notified.lab.status().problems.contains { $0.kind == .deaf } == false)
    }

    @Test func `M-11: a redirect and a refusal are not tried again, and nobody else hears`() async throws {
        for mode in ["redirect", "404"] {
            let address = rig.address(mode)
            let notified = try NotifiedLab(hook(address))
            try notified.lab.move("source", to: "away")
            try await notified.run()
            let notifier = try await notified.notifier()
            for _ in 0..<5 {
                notified.lab.clock.advance(3600)
                await notifier.look()
            }
            #expect(try rig.requests(address).count == 1, "\(mode)")
            #expect(try await notified.lab.status().problems.contains { $0.kind == .deaf })
        }
    }

    @Test func `M-11: the newest sign alone reaches a check that was down`() async throws {
        let address = rig.address("500")
        let notified = try NotifiedLab("  - ping: { url: \"\(address)\" }\n")
        for _ in 0..<3 {
            try await notified.run()
            notified.lab.clock.advance(10)
        }
        let well = rig.address("ok")
        notified.lab.declare { $0.replacing(address, with: well) }
        notified.lab.clock.advance(7 * 3600)
        let environment = try await notified.environment()
        let notifier = LabNotifier(environment, ledgerFile: LedgerFile(environment))
        await notifier.look()
        await notifier.look()
        #expect(try rig.requests(well).count == 1)
        let waiting = await environment.journal?.dueMessages(now: .distantFuture, limit: 10)
        #expect(waiting?.isEmpty == true)
    }

    @Test func `M-11: the dead man's sign comes twice a day while nothing is due`() async throws {
        let address = rig.address("ok")
        let notified = try NotifiedLab("  - ping: { url: \"\(address)\" }\n") {
            $0.replacing("\"02:00\"", with: "\"sun 02:00\"")
        }
        try await notified.run()
        let before = try rig.requests(address).count
        let notifier = try await notified.notifier()
        for _ in 0..<(3 * 24) {
            await notifier.look()
            notified.lab.clock.advance(3600)
        }
        #expect(try rig.requests(address).count - before == 6)
    }

    @Test func `a promise that passes its time is told without a run`() async throws {
        let address = rig.address("ok")
        let notified = try NotifiedLab(hook(address))
        try await notified.run()
        let notifier = try await notified.notifier()
        var heard: [Int] = []
        for hour in 0..<30 {
            let count = try rig.requests(address).count
            await notifier.look()
            if try rig.requests(address).count > count { heard.append(hour) }
            notified.lab.clock.advance(3600)
        }
        // Due at two the next night, with six hours of grace: twenty hours after Sunday noon.
        #expect(heard.first.map { (20...22).contains($0) } == true, "\(heard)")
        #expect(try rig.requests(address).bodies.first?.contains("\"event\":\"missed\"") == true)
    }

    @Test func `two processes that find the same news send one message`() async throws {
        let address = rig.address("ok")
        let notified = try NotifiedLab(hook(address))
        try await notified.run()
        notified.lab.clock.advance(2 * 86_400)
        let (one, other) = (try await notified.environment(), try await notified.environment())
        let (first, second) = (
            LabNotifier(one, ledgerFile: LedgerFile(one)), LabNotifier(other, ledgerFile: LedgerFile(other))
        )
        async let left: Void = first.look()
        async let right: Void = second.look()
        _ = await (left, right)
        #expect(try rig.requests(address).count == 1)
    }

    @Test func `M-11: what a channel refuses is told when it takes messages again`() async throws {
        let address = rig.address("403")
        let notified = try NotifiedLab(hook(address))
        try notified.lab.move("source", to: "away")
        try await notified.run()
        let well = rig.address("ok")
        notified.lab.declare { $0.replacing(address, with: well) }
        notified.lab.clock.advance(7 * 3600)
        await (try await notified.notifier()).look()
        #expect(try rig.requests(well).bodies.count { $0.contains("\"event\":\"failed\"") } == 1)
    }

    @Test(arguments: ["removed", "garbage"])
    func `M-13: an alarm that waited in a lost journal is news again`(_ way: String) async throws {
        let address = rig.address("500")
        let notified = try NotifiedLab(hook(address))
        try notified.lab.move("source", to: "away")
        try await notified.run()
        for name in notified.lab.names(in: "state") where name.hasPrefix("journal") {
            if way == "removed" {
                try notified.lab.remove("state/\(name)")
            } else {
                try notified.lab.write("state/\(name)", String(repeating: "garbage ", count: 4096))
            }
        }
        let well = rig.address("ok")
        notified.lab.declare { $0.replacing(address, with: well) }
        try await notified.run()
        try await notified.run()
        #expect(try rig.requests(well).bodies.count { $0.contains("\"event\":\"failed\"") } == 1)
    }

    @Test func `C-04 M-03: a run that fails while nothing can be remembered is told all the same`() async throws {
        let address = rig.address("ok")
        let notified = try NotifiedLab(hook(address))
        try await notified.run()
        let size = notified.lab.root + "/state"
        try #require(try await command(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", size]) == 0)
        defer { _ = umount2(size, Int32(MNT_DETACH)) }
        try notified.lab.write("state/fill", String(repeating: "x", count: 100_000))
        _ = try? notified.lab.write("state/fill-2", String(repeating: "x", count: 200_000))
        try notified.lab.move("source", to: "away")
        try await notified.run()
        let told = try rig.requests(address).bodies
        #expect(told.contains { $0.contains("host failed when it ran last") }, "\(told)")
        #expect(told.contains { $0.contains("is on a disk that is full") })
    }

    @Test func `B-07: a run goes on when its locks cannot be written`() async throws {
        let address = rig.address("ok")
        let notified = try NotifiedLab(hook(address))
        try await notified.run()
        let folder = notified.lab.root + "/state"
        try #require(try await command(["mount", "--bind", folder, folder]) == 0)
        defer { _ = umount2(folder, Int32(MNT_DETACH)) }
        try #require(try await command(["mount", "-o", "remount,bind,ro", folder]) == 0)
        let report = try await notified.run()
        #expect(report.workloads == ["host": .ok])
        #expect(try rig.requests(address).bodies.contains { $0.contains("is on a file system that is read-only") })
    }

    private func command(_ words: [String]) async throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        try process.start()
        process.waitUntilExit()
        return process.terminationStatus
    }

    @Test func `M-03: without a journal a message that is not taken is news again`() async throws {
        let address = rig.address("500")
        let notified = try NotifiedLab(hook(address))
        try notified.lab.move("source", to: "away")
        let report = try await notified.lab.run()
        await (try notified.notifierWithoutJournal()).runEnded(report)
        let well = rig.address("ok")
        notified.lab.declare { $0.replacing(address, with: well) }
        await (try notified.notifierWithoutJournal()).runEnded(report)
        await (try notified.notifierWithoutJournal()).runEnded(report)
        #expect(try rig.requests(well).count == 1)
    }

    @Test func `S-04 S-07: an address that is a secret is in no file and no answer`() async throws {
        let address = rig.address("500") + "/canary-7f3a"
        let notified = try NotifiedLab("  - webhook: { url: \"file:hook\" }\n")
        try notified.lab.write("hook", address + "\n")
        try notified.lab.move("source", to: "away")
        try await notified.run()
        #expect(try rig.requests(address).count == 1)
        let problems = try await notified.lab.status().problems
        #expect(problems.contains { $0.kind == .deaf })
        #expect(!problems.contains { "\($0)".contains("canary") })
        let files = FileManager.default.enumerator(atPath: "\(notified.lab.root)/state")
        while let name = files?.nextObject() as? String {
            guard let data = FileManager.default.contents(atPath: "\(notified.lab.root)/state/\(name)") else {
                continue
            }
            #expect(data.range(of: Data("canary-7f3a".utf8)) == nil, "\(name)")
        }
        #expect(!notified.lab.warnings.all.contains { $0.contains("canary") })
    }
}
