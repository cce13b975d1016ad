import Foundation
import Testing

import Bytes
import Outcome
import Protection
import Recovery
import ResticFormat
import ResticRepository
import Strategy
import TestSupport

/// A workload brought back from what runs made.
@Suite struct WorkloadRestoreTests {
    private static func prepare(
        _ lab: TestLab,
        _ change: (inout WorkloadRestoreRequest) -> Void = { _ in }
    ) async throws -> PreparedRestore {
        var request = WorkloadRestoreRequest(CopyWish("host"), to: .folder(ByteString("\(lab.root)/back")))
        change(&request)
        return try await WorkloadRestore(try lab.environment).prepare(request)
    }

    private static func perform(_ prepared: PreparedRestore, _ lab: TestLab) async throws -> WorkloadRestored {
        try await WorkloadRestore(try lab.environment).perform(prepared, counters: RestoreCounters())
    }

    private static func content(_ path: String, _ lab: TestLab) -> String? {
        try? String(contentsOfFile: "\(lab.root)/\(path)", encoding: .utf8)
    }

    /// Where a file of the source lies in a restored folder.
    private static func back(_ path: String, _ lab: TestLab) -> String? {
        content("back\(lab.root)/source/\(path)", lab)
    }

    @Test func `the newest copy comes back from the nearest medium, into a new folder`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try lab.write("source/folder/file-1", "newer")
        try await lab.runDaily(1)
        let prepared = try await Self.prepare(lab)
        #expect(prepared.choice.copy.store.name == "host-os")
        #expect(prepared.choice.twins.map(\.store.name) == ["host-usb", "offsite"])
        #expect(prepared.choice.concessions.isEmpty && prepared.preview.isHarmless)
        #expect(prepared.preview.writtenFiles == 40)
        #expect(lab.names(in: "back").isEmpty)
        let result = try await Self.perform(prepared, lab)
        #expect(result.failed.isEmpty)
        #expect(Self.back("folder/file-1", lab) == "newer")
        for number in [0, 7, 39] {
            #expect(Self.back("folder/file-\(number)", lab) == Self.content("source/folder/file-\(number)", lab))
        }
    }

    @Test func `an older moment brings back what was there then, and before the first there is nothing`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try lab.write("source/folder/file-1", "newer")
        try await lab.runDaily(1)
        let prepared = try await Self.prepare(lab) { $0.wish.moment = Timestamp(seconds: TestLab.noon + 3600) }
        _ = try await Self.perform(prepared, lab)
        #expect(Self.back("folder/file-1", lab)?.hasPrefix("1 1 ") == true)
        let failure = await #expect(throws: RecoveryFailure.self) {
            _ = try await Self.prepare(lab) { $0.wish.moment = Timestamp(seconds: TestLab.noon - 3600) }
        }
        #expect(failure?.code == .noCopy)
        #expect(failure?.what.contains("the oldest is of 2026-03-01 12:00") == true, "\(String(describing: failure))")
    }

    @Test func `a medium that is not here is said, and asked about, before another one is taken`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try lab.move("media/os-ssd", to: "away")
        let prepared = try await Self.prepare(lab)
        #expect(prepared.choice.copy.store.name == "host-usb")
        #expect(prepared.choice.concessions.count == 1)
        #expect(prepared.choice.concessions.first?.contains("host-os on os-ssd is not looked at") == true)
        // Who names the medium has agreed to it.
        let named = try await Self.prepare(lab) { $0.wish.medium = "usb-ssd" }
        #expect(named.choice.concessions.isEmpty && named.choice.copy.store.name == "host-usb")
        let failure = await #expect(throws: ProtectionFailure.self) {
            _ = try await Self.prepare(lab) { $0.wish.medium = "os-ssd" }
        }
        #expect(failure?.code == .mediumMissing)
    }

    @Test func `a newer copy that is known and not here is not passed over in silence`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try lab.move("media/usb-ssd", to: "away")
        try await lab.runDaily(1)
        try lab.move("media/os-ssd", to: "away-too")
        try lab.move("media/cloud", to: "away-three")
        try lab.move("away", to: "media/usb-ssd")
        let prepared = try await Self.prepare(lab)
        #expect(prepared.choice.copy.store.name == "host-usb")
        #expect(prepared.choice.concessions.contains { $0.contains("its last known copy is newer by") })
    }

    @Test func `D-01 what is damaged is named, and another medium gives it`() async throws {
        let lab = try TestLab()
        try Self.writeNoise(lab)
        try await lab.runDaily(1)
        try Self.spoil("os-ssd/host-os", lab)
        let prepared = try await Self.prepare(lab)
        let result = try await Self.perform(prepared, lab)
        let damaged = result.failed.filter(\.isDamage).map(\.path)
        #expect(damaged.count >= 5)
        let finding = try #require(try lab.ledger().repositories["host-os"]?.finding)
        #expect(finding.text.contains("was not brought back") && !finding.packs.isEmpty)
        let again = try await WorkloadRestore(try lab.environment).perform(
            prepared,
            only: damaged,
            from: try #require(prepared.choice.twins.first),
            counters: RestoreCounters()
        )
        #expect(again.failed.isEmpty)
        for number in 0..<5 {
            #expect(Self.back("noise/\(number)", lab) == Self.content("source/noise/\(number)", lab))
        }
        for number in 0..<40 {
            #expect(Self.back("folder/file-\(number)", lab) == Self.content("source/folder/file-\(number)", lab))
        }
    }

    @Test func `paths are names and not patterns, and one that is not there is refused before anything is made`()
        async throws
    {
        let lab = try TestLab()
        try lab.write("source/odd [1]*/file?", "odd")
        try lab.write("source/odd 1x/file2", "other")
        try await lab.runDaily(1)
        let prepared = try await Self.prepare(lab) {
            $0.paths = [ByteString("\(lab.root)/source/odd [1]*"), ByteString("\(lab.root)/source/folder/file-3")]
        }
        #expect(prepared.preview.writtenFiles == 2)
        _ = try await Self.perform(prepared, lab)
        #expect(Self.back("odd [1]*/file?", lab) == "odd")
        #expect(Self.back("odd 1x/file2", lab) == nil)
        let failure = await #expect(throws: RecoveryFailure.self) {
            _ = try await Self.prepare(lab) {
                $0.place = .folder(ByteString("\(lab.root)/other"))
                $0.paths = [ByteString("\(lab.root)/source/nothing")]
            }
        }
        #expect(failure?.code == .unknown)
        #expect(!lab.names(in: "").contains("other"))
    }

    @Test func `in place, what would be lost is told first and saved before, and the saved copy counts as none`()
        async throws
    {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try lab.write("source/folder/file-1", "edited since, and longer than it was")
        try lab.write("source/folder/new", "made since")
        let prepared = try await Self.prepare(lab) { $0.place = .original }
        #expect(prepared.preview.replaced == 1 && prepared.preview.deleted == 0)
        #expect(prepared.preview.losses.first?.display.hasSuffix("folder/file-1") == true)
        let saved = try await WorkloadRestore(try lab.environment).saveFirst(prepared)
        let snapshot = try #require(saved).snapshot
        let result = try await Self.perform(prepared, lab)
        #expect(result.failed.isEmpty)
        #expect(Self.content("source/folder/file-1", lab)?.hasPrefix("1 1 ") == true)
        #expect(Self.content("source/folder/new", lab) == "made since")
        #expect(try await lab.counts() == ["host-os": 1, "host-usb": 1, "offsite": 1])
        // No rule removes it.
        try await lab.runDaily(5)
        let repository = try await #require(try lab.environment.store(named: "host-os")).open()
        #expect(try await repository.listSnapshots().contains(snapshot))
        // What was saved is what was there.
        try await repository.loadIndex()
        let tree = try #require(try await repository.loadSnapshot(snapshot).document.tree)
        let item = try await repository.dumpItem(
            ByteString("\(lab.root)/source/folder/file-1"),
            in: tree,
            worker: repository.makeWorker()
        )
        guard case .file(let node) = item else { return #expect(Bool(false), "no file was saved") }
        #expect(node.size == 36)
    }

    @Test func `a restore that was broken off goes on: what is right already is not written again`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        _ = try await Self.perform(try await Self.prepare(lab), lab)
        try lab.remove("back\(lab.root)/source/folder/file-5")
        let again = try await Self.prepare(lab)
        #expect(again.preview.writtenFiles == 1 && again.preview.unchangedFiles == 39 && again.preview.isHarmless)
        _ = try await Self.perform(again, lab)
        #expect(Self.back("folder/file-5", lab) == Self.content("source/folder/file-5", lab))
    }

    /// Writes files that do not shrink, so that a pack of contents is told by its size.
    private static func writeNoise(_ lab: TestLab) throws {
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        for number in 0..<5 {
            let text = String((0..<30_000).map { _ in letters[Int.random(in: 0..<letters.count)] })
            try lab.write("source/noise/\(number)", text)
        }
    }

    /// Spoils the packs of contents in a repository; those of trees are small.
    private static func spoil(_ store: String, _ lab: TestLab, trees: Bool = false) throws {
        let base = "\(lab.root)/media/\(store)/data"
        for name in try FileManager.default.subpathsOfDirectory(atPath: base) where name.utf8.count == 67 {
            let url = URL(fileURLWithPath: "\(base)/\(name)")
            var bytes = try Data(contentsOf: url)
            guard trees || bytes.count > 50_000 else { continue }
            for place in stride(from: 40, to: bytes.count, by: 100) { bytes[bytes.startIndex + place] ^= 1 }
            try FileManager.default.removeItem(at: url)
            try bytes.write(to: url)
        }
    }

    /// Forgets what this machine has copied of the stores' metadata.
    private static func dropCache(_ lab: TestLab) throws {
        for name in lab.names(in: "state/cache") where name.utf8.count == 64 { try lab.remove("state/cache/\(name)") }
    }

    @Test func `D-01 a copy whose folders cannot be read gives way to its twin, and that is to be agreed to`()
        async throws
    {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try Self.spoil("os-ssd/host-os", lab, trees: true)
        try Self.dropCache(lab)
        let prepared = try await Self.prepare(lab)
        #expect(prepared.choice.copy.store.name == "host-usb")
        let reason = prepared.choice.concessions.first { $0.contains("host-os on os-ssd cannot be used") }
        #expect(reason?.contains("host-usb on usb-ssd is taken instead") == true, "\(prepared.choice.concessions)")
        let result = try await Self.perform(prepared, lab)
        #expect(result.failed.isEmpty && Self.back("folder/file-1", lab) == Self.content("source/folder/file-1", lab))
        let finding = try #require(try lab.ledger().repositories["host-os"]?.finding)
        #expect(!finding.packs.isEmpty, "the next verification reads them")
        let status = try await lab.status()
        #expect(status.isDamaged)
        let verified = try await lab.run()
        #expect(verified.results(.verify)["host-os"] == "E-VERIFY", "\(verified.lines)")
        #expect(try lab.ledger().repositories["host-usb"]?.finding == nil)
    }

    @Test func `D-01 when no copy of that day can be read, an older one is offered as such, and none at all is said`()
        async throws
    {
        let lab = try TestLab { $0.replacing("to: [offsite, host-usb, host-os]", with: "to: [host-os]") }
        try Self.writeNoise(lab)
        let oldest = Self.content("source/noise/1", lab)
        try await lab.runDaily(1)
        let before = Set(try FileManager.default.subpathsOfDirectory(atPath: "\(lab.root)/media/os-ssd/host-os/data"))
        try Self.writeNoise(lab)
        try await lab.runDaily(1)
        let after = Set(try FileManager.default.subpathsOfDirectory(atPath: "\(lab.root)/media/os-ssd/host-os/data"))
        for name in after.subtracting(before) where name.utf8.count == 67 {
            let path = "media/os-ssd/host-os/data/\(name)"
            let size = try FileManager.default.attributesOfItem(atPath: "\(lab.root)/\(path)")[.size] as? Int ?? 0
            if size > 50_000 { try lab.remove(path) }
        }
        let prepared = try await Self.prepare(lab)
        let result = try await Self.perform(prepared, lab)
        #expect(result.damaged.count == 5)
        let older = try #require(prepared.choice.others.first)
        #expect(older.standsIn(for: prepared.choice.copy).contains("older by 24 h"))
        let again = try await WorkloadRestore(try lab.environment).perform(
            prepared,
            only: result.damaged,
            from: older,
            counters: RestoreCounters()
        )
        #expect(again.failed.isEmpty && Self.back("noise/1", lab) == oldest)
        try Self.spoil("os-ssd/host-os", lab, trees: true)
        try Self.dropCache(lab)
        let failure = await #expect(throws: RecoveryFailure.self) { _ = try await Self.prepare(lab) }
        #expect(failure?.code == .damaged && failure?.exitStatus == .damageFound)
    }

    @Test func `what gives way is told, whatever it is: files, links, what stands where a folder belongs`() async throws
    {
        let lab = try TestLab()
        try lab.write("source/deep/a/file", "kept")
        try FileManager.default.createSymbolicLink(atPath: "\(lab.root)/source/link", withDestinationPath: "folder")
        try await lab.runDaily(1)
        _ = try await Self.perform(try await Self.prepare(lab), lab)
        let again = try await Self.prepare(lab)
        #expect(again.preview.isHarmless, "\(again.preview.losses)")
        let base = "back\(lab.root)/source"
        try lab.remove("\(base)/link")
        try lab.write("\(base)/link", "a file of somebody")
        try lab.remove("\(base)/deep/a")
        try lab.write("\(base)/deep/a", "another")
        let losing = try await Self.prepare(lab)
        let lost = losing.preview.losses.map(\.display).sorted()
        #expect(
            lost.count == 2 && lost.first?.hasSuffix("/deep/a") == true && lost.last?.hasSuffix("/link") == true,
            "\(lost)"
        )
    }

    @Test func `in place, a folder above that is a link now is not taken away`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try lab.move("source", to: "elsewhere")
        try FileManager.default.createSymbolicLink(
            atPath: "\(lab.root)/source",
            withDestinationPath: "\(lab.root)/elsewhere"
        )
        let failure = await #expect(throws: RecoveryFailure.self) {
            _ = try await Self.prepare(lab) { request in
                request.place = .original
                request.paths = [ByteString("\(lab.root)/source/folder/file-1")]
            }
        }
        #expect(failure?.code == .occupied && failure?.object.hasSuffix("/source") == true)
    }

    @Test func `what was saved before a restore is found by its name, listed and brought back`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try lab.write("source/folder/file-1", "edited since")
        let prepared = try await Self.prepare(lab) { $0.place = .original }
        let saved = try #require(try await WorkloadRestore(try lab.environment).saveFirst(prepared))
        #expect(saved.repository == "host-os")
        _ = try await Self.perform(prepared, lab)
        let listing = try await CopySearch(try lab.environment).list(CopyWish("host"))
        #expect(Set(listing.copies.map(\.kind)) == [.complete, .safety])
        // The newest copy stays the newest copy.
        #expect(try await CopySearch(try lab.environment).choose(CopyWish("host")).copy.kind == .complete)
        let undo = try await Self.prepare(lab) { request in
            request.wish.snapshot = saved.snapshot.hex
            request.place = .original
        }
        _ = try await Self.perform(undo, lab)
        #expect(Self.content("source/folder/file-1", lab) == "edited since")
    }

    @Test func `what cannot be saved is not overwritten, and a broken repository is passed over for the next`()
        async throws
    {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try lab.write("source/folder/file-1", "edited since")
        let prepared = try await Self.prepare(lab) { $0.place = .original }
        for (number, store) in ["os-ssd/host-os", "usb-ssd/host-usb"].enumerated() {
            try lab.move("media/\(store)", to: "away-\(number)")
        }
        let saved = try await WorkloadRestore(try lab.environment).saveFirst(prepared)
        #expect(saved?.repository == "offsite")
        try lab.move("media/cloud/offsite", to: "away-2")
        let failure = await #expect(throws: RecoveryFailure.self) {
            _ = try await WorkloadRestore(try lab.environment).saveFirst(prepared)
        }
        #expect(failure?.code == .notSaved && failure?.exitStatus == .refusedByGuard)
        #expect(Self.content("source/folder/file-1", lab) == "edited since")
    }

    @Test func `a new folder is named after the copy, so that the same command goes on in it`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        let place = RestorePlace.newFolder(below: ByteString(lab.root))
        let first = try await Self.prepare(lab) { $0.place = place }
        #expect(first.target == ByteString("\(lab.root)/restored-host-20260301-120000"))
        lab.clock.advance(3600)
        #expect(try await Self.prepare(lab) { $0.place = place }.target == first.target)
        try await lab.runDaily(1)
        #expect(try await Self.prepare(lab) { $0.place = place }.target != first.target)
    }

    @Test func `a name that is nearly right is met with the right one`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        for change: (inout WorkloadRestoreRequest) -> Void in [
            { $0.wish.workload = "hots" }, { $0.wish.medium = "usb-sdd" },
        ] {
            let failure = await #expect(throws: RecoveryFailure.self) { _ = try await Self.prepare(lab, change) }
            #expect(
                failure?.code == .unknown && failure?.next.contains("did you mean") == true,
                "\(String(describing: failure))"
            )
        }
    }

    @Test func `D-01 in place, a copy that turns out damaged leaves the file that is there as it is`() async throws {
        let lab = try TestLab()
        var bytes = (0..<3_000_000).map { _ in UInt8.random(in: .min ... .max) }
        let url = URL(fileURLWithPath: "\(lab.root)/source/large")
        try Data(bytes).write(to: url)
        try await lab.runDaily(1)
        for place in stride(from: 0, to: bytes.count, by: 100_000) { bytes[place] ^= 1 }
        try Data(bytes).write(to: url)
        let base = "\(lab.root)/media/os-ssd/host-os/data"
        for name in try FileManager.default.subpathsOfDirectory(atPath: base) where name.utf8.count == 67 {
            let pack = URL(fileURLWithPath: "\(base)/\(name)")
            var content = try Data(contentsOf: pack)
            guard content.count > 50_000 else { continue }
            content[content.startIndex + content.count / 2] ^= 1
            try FileManager.default.removeItem(at: pack)
            try content.write(to: pack)
        }
        let prepared = try await Self.prepare(lab) { $0.place = .original }
        let result = try await Self.perform(prepared, lab)
        #expect(result.damaged.map(\.display) == ["\(lab.root)/source/large"])
        #expect(try Data(contentsOf: url) == Data(bytes))
        #expect(!lab.names(in: "source").contains { $0.hasPrefix(".holdfast") })
    }
}
