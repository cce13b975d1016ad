import Foundation
import Testing

import Bytes
import Protection
import Recovery
import ResticRepository
import Strategy
import TestSupport

/// What comes back when the disks of the house are gone.
@Suite(.serialized, .onPool) struct OffsiteRestoreTests {
    private let scratch = Scratch()

    @Test(arguments: OffsiteService.here)
    func `a workload is found and comes back from behind a network`(_ service: OffsiteService) async throws {
        let (lab, _) = try service.lab(in: scratch)
        try lab.write("source/letter.txt", "dear all")
        try await lab.runDaily(1)
        try lab.move("media", to: "elsewhere")
        for name in lab.names(in: "state/cache") where name.utf8.count == 64 { try lab.remove("state/cache/\(name)") }
        let found = try await NameSearch(try lab.environment).run(NameQuery(["letter.*"])) { _, _, _ in }
        #expect(found.versions.map(\.stores) == [["offsite"]])
        #expect(found.problems.count == 2)
        let place = RestorePlace.folder(ByteString("\(lab.root)/back"))
        let restore = WorkloadRestore(try lab.environment)
        let prepared = try await restore.prepare(WorkloadRestoreRequest(CopyWish("host"), to: place))
        #expect(prepared.choice.copy.store.name == "offsite")
        #expect(prepared.choice.concessions.count == 2, "\(prepared.choice.concessions)")
        let result = try await restore.perform(prepared, counters: RestoreCounters())
        #expect(result.failed.isEmpty)
        let source = "\(lab.root)/source"
        for name in try FileManager.default.subpathsOfDirectory(atPath: source) {
            let (old, new) = ("\(source)/\(name)", "\(lab.root)/back\(source)/\(name)")
            #expect(FileManager.default.contentsEqual(atPath: old, andPath: new), "\(name)")
        }
    }

    @Test func `in place, what is saved before goes to a disk, and the copy comes from behind the network`()
        async throws
    {
        let (lab, _) = try OffsiteService.rest.lab(in: scratch)
        try lab.write("source/letter.txt", "dear all")
        try await lab.runDaily(1)
        try lab.write("source/letter.txt", "spoiled")
        var wish = CopyWish("host")
        wish.medium = "cloud"
        let restore = WorkloadRestore(try lab.environment)
        let prepared = try await restore.prepare(WorkloadRestoreRequest(wish, to: .original))
        let saved = try #require(try await restore.saveFirst(prepared))
        #expect(saved.repository == "host-os")
        #expect(try await restore.perform(prepared, counters: RestoreCounters()).failed.isEmpty)
        #expect(try String(contentsOfFile: "\(lab.root)/source/letter.txt", encoding: .utf8) == "dear all")
    }
}
