import Foundation
import Testing

import Bytes
import HostSystem
import Outcome
import Protection
import ResticRepository
import Strategy
import TestSupport

/// What is told of a copy that is gone, cannot be opened, or was never made: never that it is well.
@Suite struct LostCopyTests {
    /// Looks at what the status says of one repository.
    private func copy(_ repository: String, in status: LabStatus) throws -> LabStatus.Copy {
        try #require(status.workloads[0].copies.first { $0.repository == repository })
    }

    private func expectLost(_ loss: CopyPresence.Loss, _ repository: String, in lab: TestLab) async throws {
        let status = try await lab.status()
        let copy = try copy(repository, in: status)
        #expect(copy.presence == .lost(loss) && copy.remembered == nil && !copy.counts)
        #expect(copy.point == .never && copy.newest == nil && copy.count == 0 && copy.readBack == nil)
        #expect(status.isBreached || status.isDamaged)
        let posture = try #require(status.posture["host"])
        // All lies on one disk here: there is the live data, and nothing that a loss could add.
        #expect(posture.text == "1-1-0-0-?")
        #expect(
            status.problems.contains {
                $0.severity == .wrong && $0.kind == .never && $0.object == "host on \(copy.medium.name)"
            }
        )
    }

    @Test(arguments: ["host-os", "host-usb"])
    func `B-09 a repository that is gone from a medium that is there is no copy`(_ repository: String) async throws {
        let lab = try TestLab()
        try await lab.run()
        let medium = repository == "host-os" ? "os-ssd" : "usb-ssd"
        try lab.move("media/\(medium)/\(repository)", to: "taken")
        try await expectLost(.gone, repository, in: lab)
        try lab.move("taken", to: "media/\(medium)/\(repository)")
        #expect(try await !lab.status().isBreached)
    }

    @Test func `B-09 a disk that stays in the machine is never away`() async throws {
        let lab = try TestLab()
        try await lab.run()
        try lab.move("media/os-ssd", to: "taken")
        try await expectLost(.gone, "host-os", in: lab)
    }

    @Test func `a copy that the password does not open is no copy`() async throws {
        let lab = try TestLab()
        try await lab.run()
        try lab.remove("secrets/host-usb")
        try lab.write("secrets/host-usb", "another password\n")
        try await expectLost(.closed, "host-usb", in: lab)
    }

    @Test func `a copy whose password is lost is no copy, and what is said names the reference`() async throws {
        let lab = try TestLab()
        try await lab.run()
        try lab.move("secrets/host-usb", to: "taken")
        try await expectLost(.closed, "host-usb", in: lab)
        let ahead = try await lab.lookAhead()
        let failure = try #require(ahead.failures["host-usb"])
        #expect(ahead.toBeMade.isEmpty)
        #expect(failure.object.contains("host-usb") && failure.what.contains("secrets/host-usb"))
        #expect(failure.next.contains("secrets/host-usb"))
    }

    @Test func `a repository that was never made is told so, and the next run makes it`() async throws {
        let lab = try TestLab {
            $0.replacing("to: [offsite, host-usb, host-os]", with: "to: [host-os]")
        }
        try await lab.run()
        lab.declare { $0.replacing("to: [host-os]", with: "to: [host-os, host-usb]") }
        let status = try await lab.status()
        let copy = try copy("host-usb", in: status)
        #expect(copy.presence == .notMade && copy.point == .never && !copy.counts)
        let problem = try #require(status.problems.first { $0.object == "host on usb-ssd" })
        #expect(problem.what.contains("not made yet") && problem.next == "holdfast run host")
        #expect(!status.problems.contains { $0.object == "host-usb" })
        let ahead = try await lab.lookAhead()
        #expect(ahead.toBeMade == ["host-usb": 1, "offsite": 0] && ahead.failures.isEmpty)
        #expect(try await lab.run().exitStatus == .success)
        #expect(try await lab.lookAhead().toBeMade == ["offsite": 0])
    }
}

/// The same of disks that are mounted and taken away.
@Suite(.serialized, .enabled(if: canMount, "needs root and mkfs.ext4")) struct LostDiskTests {
    private func lab(identity: Bool) throws -> (TestLab, MountedImage) {
        let lab = try TestLab()
        try lab.makeFolder("media/usb-ssd")
        let disk = try #require(try MountedImage(in: lab.root, "usb"), "a loop device could not be mounted")
        let uuid = try #require(disk.uuid)
        guard identity else { return (lab, disk) }
        lab.declare { $0.replacing("path: media/usb-ssd }", with: "path: media/usb-ssd, identity: \"\(uuid)\" }") }
        return (lab, disk)
    }

    private func usb(_ status: LabStatus) throws -> LabStatus.Copy {
        try #require(status.workloads[0].copies.first { $0.repository == "host-usb" })
    }

    @Test(arguments: [true, false])
    func `B-09 a disk that is not attached is told from memory, and counts for no more than it did`(identity: Bool)
        async throws
    {
        let (lab, disk) = try lab(identity: identity)
        try await lab.run()
        let before = try #require(try await lab.status().posture["host"])
        // The image lies on a disk of this machine; the disk that it plays does not.
        await LedgerFile(try lab.environment).update {
            $0.repositories["host-usb"]?.place?.disks = ["Portable_0123456789"]
        }
        try #require(disk.detach())
        let status = try await lab.status()
        let copy = try usb(status)
        guard case .away(since: .some, isProven: true) = copy.presence else {
            Issue.record("\(copy.presence)")
            return
        }
        #expect(copy.count == 1 && !copy.point.isBreached && copy.counts)
        let posture = try #require(status.posture["host"])
        #expect(posture.outOfReach == 1 && before.outOfReach == 0)
    }

    @Test func `B-09 a copy that is told from memory counts by the disks that it was seen on`() async throws {
        let (lab, disk) = try lab(identity: true)
        try await lab.run()
        let before = try #require(try await lab.status().posture["host"])
        try #require(disk.detach())
        let status = try await lab.status()
        #expect(try usb(status).remembered != nil)
        // Its image is on the disk of the source.
        #expect(status.posture["host"] == before)
        await LedgerFile(try lab.environment).update { $0.repositories["host-usb"]?.place = nil }
        #expect(try await lab.status().posture["host"]?.copies == 1)
    }

    @Test(arguments: [true, false])
    func `B-09 a disk that is attached and not mounted is not out of reach`(identity: Bool) async throws {
        let (lab, disk) = try lab(identity: identity)
        try await lab.run()
        let before = try #require(try await lab.status().posture["host"])
        let device = "\(lab.root)/device"
        #expect(shell("losetup --find --show \(disk.image) > \(device)"))
        defer { shell("losetup -d $(cat \(device))") }
        disk.unmount()
        let status = try await lab.status()
        guard case .unmounted = try usb(status).presence else {
            Issue.record("\(try usb(status).presence)")
            return
        }
        #expect(status.posture["host"] == before)
        #expect(status.problems.contains { $0.object == "host-usb" && $0.kind == .unreachable })
    }

    @Test func `B-10 another disk in its place is no copy`() async throws {
        let (lab, disk) = try lab(identity: true)
        try await lab.run()
        disk.unmount()
        let other = try #require(try MountedImage(in: lab.root, "other"))
        defer { other.unmount() }
        let status = try await lab.status()
        #expect(try usb(status).presence == .lost(.foreign))
        #expect(status.isBreached && status.posture["host"]?.outOfReach == 0)
    }

    @Test func `B-09 a repository that is gone from a disk that is mounted is no copy`() async throws {
        let (lab, disk) = try lab(identity: false)
        try await lab.run()
        try lab.remove("media/usb-ssd/host-usb")
        let status = try await lab.status()
        #expect(try usb(status).presence == .lost(.gone) && status.isBreached)
        _ = disk
    }

    @Test func `R-09 one old snapshot that is lost, and its return, are told by the run and stay in the status`()
        async throws
    {
        let lab = try TestLab()
        try await lab.runDaily(2)
        let repository = try await #require(try lab.environment.store(named: "offsite")).open()
        let view = try await StoreView(repository, lab: try lab.environment.lab)
        let oldest = try #require(view.workloads["host"]?.first?.snapshot.id.hex)
        try lab.move("media/cloud/offsite/snapshots/\(oldest)", to: "taken")
        try await lab.runDaily(1)
        let lost = try await lab.status().problems.filter { $0.kind == .doubt }
        #expect(lost.count == 1 && lost[0].what.contains("is gone"), "\(lost)")
        #expect(lab.warnings.all.contains { $0.contains("offsite: snapshots") && $0.contains("did not remove it") })
        try lab.move("taken", to: "media/cloud/offsite/snapshots/\(oldest)")
        try await lab.runDaily(1)
        #expect(try lab.ledger().repositories["offsite"]?.doubt?.text.contains("there again") == true)
    }

    @Test func `R-09 one index file that is lost is told by the run`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(2)
        let lost = try #require(lab.names(in: "media/usb-ssd/host-usb/index").first)
        try lab.remove("media/usb-ssd/host-usb/index/\(lost)")
        try await lab.runDaily(1)
        let doubts = try await lab.status().problems.filter { $0.kind == .doubt }
        #expect(doubts.count == 1 && doubts[0].what.contains("index files"), "\(doubts)")
    }
}
