import Foundation
import Testing

import Bytes
import Outcome
import Protection
import Recovery
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
    private static func back(_ path: String, _ lab: TestLab) -> String? { content("back\(lab.root)/source/\(path)", lab) }

    @Test func `the newest copy comes back from the nearest medium, into a new folder`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try lab.write("source/folder/file-1", "newer")
        try await lab.runDaily(1)
        let prepared = try await Self.prepare(lab)
        #expect(prepared.choice.copy.store.name == "host-os")
        #expect(prepared.choice.twins.map(\.store.name) == ["host-usb", "offsite"])
        #expect(prepared.choice.concessions.isEmpty && prepared.preview.isHarmless)
        #expect(prepared.preview.newFiles == 40)
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
        let failure = await #expect(throws: RecoveryFailure.self) {
            _ = try await Self.prepare(lab) { $0.wish.medium = "os-ssd" }
        }
        #expect(failure?.code == .noCopy)
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
        try await lab.runDaily(1)
        let base = lab.root + "/media/os-ssd/host-os/data"
        for name in try FileManager.default.subpathsOfDirectory(atPath: base) where name.utf8.count == 67 {
            let url = URL(fileURLWithPath: "\(base)/\(name)")
            var bytes = try Data(contentsOf: url)
            // Where the tree lies is small: only packs of contents are spoilt.
            guard bytes.count > 8_000 else { continue }
            bytes[bytes.startIndex + 40] ^= 1
            try FileManager.default.removeItem(at: url)
            try bytes.write(to: url)
        }
        let prepared = try await Self.prepare(lab)
        let result = try await Self.perform(prepared, lab)
        let damaged = result.failed.filter(\.isDamage).map(\.path)
        #expect(!damaged.isEmpty)
        let again = try await WorkloadRestore(try lab.environment).perform(
            prepared,
            only: damaged,
            from: try #require(prepared.choice.twins.first),
            counters: RestoreCounters()
        )
        #expect(again.failed.isEmpty)
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
        #expect(prepared.preview.newFiles == 2)
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

    @Test func `in place, what would be lost is told first and saved before, and the saved copy counts as none`() async throws {
        let lab = try TestLab()
        try await lab.runDaily(1)
        try lab.write("source/folder/file-1", "edited since, and longer than it was")
        try lab.write("source/folder/new", "made since")
        let prepared = try await Self.prepare(lab) { $0.place = .original }
        #expect(prepared.preview.overwritten == 1 && prepared.preview.deleted == 0)
        #expect(prepared.preview.losses.first?.display.hasSuffix("folder/file-1") == true)
        let saved = try await WorkloadRestore(try lab.environment).saveFirst(prepared)
        let snapshot = try #require(saved)
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
        #expect(again.preview.newFiles == 1 && again.preview.unchangedFiles == 39 && again.preview.isHarmless)
        _ = try await Self.perform(again, lab)
        #expect(Self.back("folder/file-5", lab) == Self.content("source/folder/file-5", lab))
    }
}
