import Foundation
import Synchronization
import Testing

import Bytes
import Daemon
import HostSystem
import Outcome
import Protection
import ResticRepository
import Sealing
import Strategy

@Suite struct DaemonTests {
    @Test func `what was never run is run at once, and then once at each due time`() async throws {
        let served = try Served()
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
            #expect(served.witness.runs.sorted() == ["one missed 0", "two missed 0"])
            // 02:00 of the next day, then 03:00.
            served.clock.set(Served.noon + 14 * 3600 + 5)
            try await served.wait("the run at 02:00") { served.endedRuns == 2 }
            served.clock.set(Served.noon + 15 * 3600 + 5)
            try await served.wait("the run at 03:00") { served.endedRuns == 3 }
            try await Task.sleep(nanoseconds: 200_000_000)
        }
        #expect(served.witness.runs.dropFirst(2) == ["one missed 0", "two missed 0"])
        #expect(served.witness.lines.last == "stopped")
    }

    @Test func `M-04 F-02 F-07 three due times that passed while it was down or asleep are one run each`() async throws
    {
        let served = try Served()
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
        }
        served.clock.set(Served.noon + 3 * Served.day)
        let again = try Served(continuing: served)
        try await again.whileServing { served in
            try await served.wait("the catch-up") { served.endedRuns == 1 }
            try await Task.sleep(nanoseconds: 200_000_000)
        }
        #expect(again.witness.runs == ["one missed 2", "two missed 2"])
    }

    @Test func `M-05 what was left by one that was killed goes at the start, though nothing is due`() async throws {
        let served = try Served()
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
        }
        let left = served.root + "/state/record/ledger.json-tmp-0123456789abcdef"
        try "half".write(toFile: left, atomically: false, encoding: .utf8)
        let again = try Served(continuing: served)
        try await again.whileServing { served in
            try await served.wait("the look at what was left") { !FileManager.default.fileExists(atPath: left) }
        }
        #expect(again.witness.runs.isEmpty)
    }

    @Test
    func
        `F-01 a clock that is set back an hour starts nothing again, and one set back a year keeps nothing from running`()
        async throws
    {
        let served = try Served()
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
            served.clock.set(Served.noon - 3600)
            try await Task.sleep(nanoseconds: 300_000_000)
            served.clock.set(Served.noon + 60)
            try await Task.sleep(nanoseconds: 300_000_000)
            #expect(served.witness.runs.count == 2)
            served.clock.set(Served.noon - 365 * Served.day)
            try await served.wait("the run of a year ago") { served.endedRuns == 2 }
            try await Task.sleep(nanoseconds: 300_000_000)
        }
        #expect(served.witness.runs.count == 4)
    }

    @Test func `M-10 SIGHUP reads the declaration anew, and a broken one changes nothing`() async throws {
        let served = try Served()
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
            try served.declare(Served.text.replacing("schedule", with: "shedule"))
            served.sender.yield(.hangup)
            try await served.wait("the refusal") { served.witness.lines.contains { $0.contains("the old one stays") } }
            try served.declare(Served.text.replacing("02:00", with: "13:00"))
            served.sender.yield(.hangup)
            try await served.wait("the reload") {
                served.witness.lines.contains { $0.contains("read the declaration anew") }
            }
            served.clock.set(Served.noon + 3605)
            try await served.wait("the run at 13:00") { served.endedRuns == 2 }
        }
        #expect(served.witness.runs.last == "one missed 0")
        #expect(served.witness.runs.count == 3)
    }

    @Test func `M-06 a workload that somebody else runs is left to them, and asked for again a minute later`()
        async throws
    {
        let served = try Served()
        let lock = try #require(try StateFolder.takeLock("workload-one", in: served.root + "/state"))
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
            try await Task.sleep(nanoseconds: 300_000_000)
            #expect(served.endedRuns == 1)
            lock.unlock()
            served.clock.set(Served.noon + 70)
            try await served.wait("the second run") { served.endedRuns == 2 }
        }
        #expect(served.witness.runs.filter { $0.hasPrefix("one") }.count == 2)
        #expect(served.witness.runs.filter { $0.hasPrefix("two") }.count == 1)
    }

    @Test func `B-09 a disk that comes is caught up with after 15 minutes, before anything is due`() async throws {
        let served = try Served()
        let text = Served.text.replacing("{ path: media } }", with: "{ path: media }, b: { path: other } }")
        try served.declare(
            text.replacing(
                "file:password\" } }",
                with: "file:password\" }, q: { medium: b, password: \"file:other.password\" } }"
            )
            .replacing("to: r,", with: "to: [r, q],")
        )
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
            try FileManager.default.createDirectory(atPath: served.root + "/other", withIntermediateDirectories: true)
            served.clock.set(Served.noon + 700)
            try await Task.sleep(nanoseconds: 300_000_000)
            #expect(served.endedRuns == 1)
            served.clock.set(Served.noon + CatchUp.pauseSeconds + 70)
            try await served.wait("the catch-up") { served.endedRuns == 2 }
        }
        #expect(served.witness.lines.contains("run ended: one ok, two ok"), "\(served.witness.lines)")
    }

    @Test func `M-05 what a run before it left undone is done when the daemon starts`() async throws {
        let served = try Served()
        let path = served.root + "/app-stopped"
        try served.declare(Served.text.replacing("\"02:00\" } }", with: "\"02:00\" }, after: [rm, \(path)] }"))
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
        }
        try "".write(toFile: path, atomically: false, encoding: .utf8)
        let again = try Served(continuing: served)
        try await again.whileServing { served in
            try await served.wait("the command") { !FileManager.default.fileExists(atPath: path) }
        }
        #expect(again.endedRuns == 0)
    }

    @Test func `L-19 a second daemon on the same lab is refused`() async throws {
        let served = try Served()
        try await served.whileServing { served in
            try await served.wait("the first run") { served.endedRuns == 1 }
            let second = try Served(continuing: served)
            await #expect {
                try await second.whileServing { _ in }
            } throws: { error in
                (error as? ProtectionFailure)?.code == .busy
            }
        }
    }
}

@Suite(.serialized) struct NotifySocketTests {
    @Test func `readiness reaches the socket that the service manager listens on`() throws {
        let path = FileManager.default.temporaryDirectory.path + "/notify-\(getpid())"
        unlink(path)
        defer { unlink(path) }
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(number) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        setenv("NOTIFY_SOCKET", path, 1)
        setenv("WATCHDOG_USEC", "2000000", 1)
        let manager = NotifySocket()
        unsetenv("NOTIFY_SOCKET")
        unsetenv("WATCHDOG_USEC")
        #expect(manager.watchdog == .seconds(2))
        manager.notify("READY=1")
        var buffer = [UInt8](repeating: 0, count: 100)
        let count = recv(number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        #expect(count == 7 && String(decoding: buffer.prefix(7), as: UTF8.self) == "READY=1")
        #expect(NotifySocket().watchdog == nil)
    }
}
