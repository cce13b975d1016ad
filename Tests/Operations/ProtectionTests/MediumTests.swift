import Foundation
import Spawning
import Testing

import Bytes
import HostSystem
import Outcome
import Protection
import ResticRepository
import Strategy
import TestSupport

/// A file system in an image, mounted; root alone can have one.
///
/// Unmounted and removed afterwards.
final class MountedImage: Sendable {
    let image: String
    let point: String

    init?(in folder: String, _ name: String) throws {
        image = "\(folder)/\(name).img"
        point = "\(folder)/media/usb-ssd"
        guard isSuperuser else { return nil }
        try FileManager.default.createDirectory(atPath: point, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: image, contents: nil)
        guard truncate(image, 64 << 20) == 0, shell("mkfs.ext4 -q -F \(image)"), mount() else { return nil }
    }

    deinit { unmount() }

    @discardableResult func mount() -> Bool { shell("mount -o loop \(image) \(point)") }
    @discardableResult func unmount() -> Bool { shell("umount -l \(point) 2>/dev/null") }
    /// Unmounts it and waits until its loop device is gone, too: what was just closed may be busy for a moment, and whoever looks at all
    /// disks beside this keeps the device for as long.
    func detach() -> Bool {
        shell(
            """
            until umount \(point) 2>/dev/null || ! mountpoint -q \(point); do sleep 0.1; done
            while losetup -j \(image) | grep -q .; do sleep 0.1; done
            """
        )
    }
    func remountReadOnly() -> Bool { shell("mount -o remount,ro \(point)") }

    var uuid: String? { (try? DiskSources().identity(of: ByteString(point)))?.uuid.text }
}

@discardableResult
func shell(_ line: String) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", line]
    guard (try? process.start()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
}

let canMount = isSuperuser && shell("command -v mkfs.ext4 >/dev/null")

@Suite(.serialized, .enabled(if: canMount, "needs root and mkfs.ext4")) struct MediumTests {
    /// A lab whose second medium is a real file system with its identity declared.
    private func lab() throws -> (TestLab, MountedImage) {
        let lab = try TestLab()
        try lab.makeFolder("media/usb-ssd")
        let disk = try #require(try MountedImage(in: lab.root, "usb"), "a loop device could not be mounted")
        let uuid = try #require(disk.uuid)
        lab.declare { $0.replacing("path: media/usb-ssd }", with: "path: media/usb-ssd, identity: \"\(uuid)\" }") }
        return (lab, disk)
    }

    @Test func `B-09 a disk that is pulled between runs leaves nothing in the empty mount point, and catches up`()
        async throws
    {
        let (lab, disk) = try lab()
        try await lab.runDaily(1)
        disk.unmount()
        let report = try await lab.run()
        #expect(report.results(.open) == ["host-usb": "E-MEDIUM"])
        #expect(report.results(.copy) == ["offsite": "done"])
        #expect(lab.names(in: "media/usb-ssd").isEmpty)
        let away = try #require(try await lab.status().workloads[0].copies.first { $0.repository == "host-usb" })
        #expect(away.remembered != nil && away.count == 1)
        lab.clock.advance(86_400)
        disk.mount()
        #expect(try await lab.run().exitStatus == .success)
        #expect(try await lab.counts()["host-usb"] == 3)
    }

    @Test func `B-10 another disk in its place is refused by its identity, and a first run makes nothing on it`()
        async throws
    {
        let (lab, disk) = try lab()
        disk.unmount()
        let other = try #require(try MountedImage(in: lab.root, "other"))
        let report = try await lab.run()
        #expect(report.results(.open) == ["host-usb": "E-FOREIGN"])
        #expect(lab.names(in: "media/usb-ssd") == ["lost+found"])
        other.unmount()
        disk.mount()
        #expect(try await lab.run().exitStatus == .success)
    }

    @Test func `a new disk in the place of a dead one is reseeded from the other copies and read back`() async throws {
        let (lab, dead) = try lab()
        try await lab.runDaily(3)
        let old = try #require(dead.uuid)
        dead.unmount()
        let new = try #require(try MountedImage(in: lab.root, "new"))
        let uuid = try #require(new.uuid)
        lab.declare { $0.replacing(old, with: uuid) }
        // A run does not make it: the repository was seen before.
        #expect(try await lab.run().results(.open) == ["host-usb": "E-MEDIUM"])
        let environment = try lab.environment
        let report = try await MediumReplacement(environment, observer: SilentRunObserver()).run("usb-ssd")
        #expect(report.exitStatus == .success)
        #expect(report.results(.copy) == ["host-usb": "done"])
        #expect(report.results(.verify) == ["host-usb": "done"])
        let copy = try #require(try await lab.status().workloads[0].copies.first { $0.repository == "host-usb" })
        #expect(copy.count == 3 && copy.readBack != nil && !copy.point.isBreached)
        lab.clock.advance(86_400)
        #expect(try await lab.run().exitStatus == .success)
    }

    @Test func `C-01 a disk that is full is told with what is free, what is needed and what is safe`() async throws {
        let (lab, disk) = try lab()
        defer { withExtendedLifetime(disk) {} }
        // Two mebibytes stay, and what is kept for root.
        let count = "count=$(( $(df --output=avail -m \(disk.point) | tail -1) - 2 ))"
        let fill = "dd if=/dev/zero of=\(disk.point)/ballast bs=1M \(count) 2>/dev/null"
        /// About nine mebibytes that nothing compresses further.
        func writeSource(_ name: String) throws {
            for number in 0..<16 {
                let text = (0..<(64 << 10)).map { _ in String(UInt64.random(in: 0...(.max))) }.joined()
                try lab.write("source/\(name)-\(number)", text)
            }
        }
        try #require(shell(fill))
        try writeSource("first")
        let first = try await lab.run()
        #expect(first.results(.copy)["host-usb"] == "E-NOSPACE", "\(first.results(.copy))")
        let failure = try #require(first.failure(.copy, in: "host-usb"))
        #expect(failure.what.contains(" are free on usb-ssd (\(lab.root)/media/usb-ssd)"), "\(failure.what)")
        #expect(failure.state.hasPrefix("no snapshot of host was there before; what this run wrote is named by no"))
        #expect(failure.next.contains("MiB more, less what compression saves: the source holds "), "\(failure.next)")
        try lab.remove("media/usb-ssd/ballast")
        lab.clock.advance(86_400)
        #expect(try await lab.run().exitStatus == .success)
        try #require(shell(fill))
        try writeSource("second")
        lab.clock.advance(86_400)
        let later = try #require(try await lab.run().failure(.copy, in: "host-usb"))
        #expect(later.state.hasPrefix("the last good snapshot there, ") && later.state.contains(" UTC, is whole; "))
        #expect(later.next.contains("room for what changed"), "\(later.next)")
    }

    @Test func `B-07 a disk that became read-only is read from, and not written to`() async throws {
        let (lab, disk) = try lab()
        try await lab.runDaily(1)
        try #require(disk.remountReadOnly())
        let report = try await lab.run()
        #expect(report.results(.open) == ["host-usb": "E-READONLY"])
        let copy = try #require(try await lab.status().workloads[0].copies.first { $0.repository == "host-usb" })
        #expect(copy.remembered == nil && copy.count == 1)
    }

    @Test func `B-05 a disk that is pulled while a run writes to it fails its step alone`() async throws {
        let (lab, disk) = try lab()
        try await lab.runDaily(1)
        for index in 0..<200 { try lab.write("source/big/\(index)", String(repeating: "\(index)-", count: 20_000)) }
        let environment = try lab.environment
        let puller = Puller(disk: { disk.unmount() })
        let report = try await ProtectionRun(environment, observer: puller).run(.init(.all))
        #expect(report.results(.copy)["offsite"] == "done")
        let result = report.results(.copy)["host-usb"] ?? report.results(.readBack)["host-usb"]
        #expect(result != nil && result != "done", "\(String(describing: result))")
        #expect(lab.names(in: "media/usb-ssd").isEmpty)
        #expect(try await lab.run(.due).lines.isEmpty)
        disk.mount()
        let back = try await lab.run(.due)
        #expect(back.results(.copy) == ["host-usb": "done"] && back.results(.readBack) == ["host-usb": "done"])
        #expect(back.exitStatus == .success)
        lab.clock.advance(86_400)
        #expect(try await lab.run(verifiesAll: true).exitStatus == .success)
    }
}

/// Pulls a disk as soon as the copy to it begins.
private final class Puller: RunObserver {
    private let disk: @Sendable () -> Void

    init(disk: @escaping @Sendable () -> Void) { self.disk = disk }

    func began(_ item: RunPlan.Item) {}
    func began(_ step: RunStep) { if step.kind == .copy, step.repository == "host-usb" { disk() } }
    func counting(_ counters: BackupCounters, of step: RunStep) {}
    func progressed(_ done: UInt64, of total: UInt64, unit: String, in step: RunStep) {}
    func finished(_ step: RunStep, _ result: StepResult, seconds: Double) {}
    func unreadable(_ path: String, workload: String) {}
}
