import Bytes
import Foundation
import ObjectStorage
import Outcome
import ResticFormat
import Testing

import ResticRepository

/// Fail-at-call-N (fault-plan 2.3): every call of the store that a restore makes, and everything that can become of it.
@Suite struct RestoreCallPointTests {
    /// Thirteen entries of all kinds; the parts of the large file lie in four packs.
    static let entries: [ForgedEntry] = {
        var random = SplitMix64(seed: 21)
        var entries: [ForgedEntry] = [
            .file("/a.txt", Array("a page that is long enough to be compressed, a page".utf8)),
            .file("/again", Array("a page that is long enough to be compressed, a page".utf8)),
            .directory("/dir", mode: 0o750),
            .file(
                "/dir/big.bin",
                random.bytes(40_000),
                random.bytes(9_000),
                random.bytes(70_000),
                random.bytes(100),
                random.bytes(30_000)
            ),
            .file("/dir/empty", mode: 0o400),
            .file("/dir/zeros", [UInt8](repeating: 0, count: 20_000), random.bytes(500)),
            .directory("/dir/deep"),
            .file("/dir/deep/leaf", Array("leaf".utf8), mode: 0o4755),
            .symlink("/dir/deep/up", "../big.bin"),
            .symlink("/dangling", "/nowhere/at/all"),
        ]
        entries.append(ForgedEntry(path: "/dir/twin", kind: .link("/dir/big.bin")))
        entries.append(ForgedEntry(path: "/pipe", kind: .fifo, mode: 0o600))
        entries.append(.file("/z", random.bytes(2_000)))
        return entries
    }()

    private static let faults: [StorageFault] = [
        .fail(.io), .fail(.notFound), .fail(.permission), .fail(.diskGone), .fail(.timeout), .fail(.busy),
        .fail(.tooShort), .fail(.resources), .fail(.layout), .fail(.unknown), .crashBefore, .flipBit, .zeros,
        .misdirect, .shortRead(toBytes: 0), .shortRead(toBytes: 33),
    ]

    /// What is wrong with a target after a restore under a fault; nothing but whole files may bear their final names.
    private static func breaches(
        _ target: String,
        _ outcome: RestoreOutcome,
        expected: TreeListing,
        old: TreeListing = TreeListing(expecting: [])
    ) -> [String] {
        let found = TreeListing(target) { $0.hasSuffix(".partial") }
        var breaches: [String] = []
        for (path, entry) in found.entries where entry.kind != S_IFDIR {
            guard let right = expected.entries[path] else {
                breaches.append("\(path) is not of the snapshot")
                continue
            }
            let isUntouched = old.entries[path].map { $0.content == entry.content } ?? false
            if !isUntouched, (right.kind, right.content) != (entry.kind, entry.content) {
                breaches.append("\(path) has its final name and wrong content")
            }
        }
        if outcome.isSuccess { return breaches + found.differences(from: expected) }
        guard outcome.error == nil else { return breaches }
        // Everything that is not there is named, itself or by a directory above it or by the file that it is a name of.
        let named = outcome.log.failedPaths
        for (path, right) in expected.entries where found.entries[path]?.content != right.content {
            let isNamed = named.contains { path == $0 || path.hasPrefix($0 == "/" ? "/" : $0 + "/") }
            if !isNamed { breaches.append("\(path) is missing or old, and nobody said so") }
        }
        if named.isEmpty { breaches.append("a failure without a name") }
        return breaches
    }

    private static func clean(_ forged: ForgedRepository, _ tree: BlobID) async throws -> [StorageCall] {
        let store = FaultyStorage(wrapping: forged.store)
        let target = TestFolder()
        let outcome = await forged.restore(tree, to: target.path, from: store)
        try #require(outcome.isSuccess, "\(outcome.text)")
        let different = TreeListing(target.path).differences(from: TreeListing(expecting: entries))
        try #require(different.isEmpty, "\(different)")
        return store.calls
    }

    @Test(.timeLimit(.minutes(10)), arguments: [false, true])
    func `2.3 A-07 H-10 any store call of a restore may fail, lie or be the last one`(intoOld: Bool) async throws {
        let forged = try await ForgedRepository()
        let tree = try await forged.save(Self.entries, packs: 4)
        let expected = TreeListing(expecting: Self.entries)
        let calls = try await Self.clean(forged, tree)
        #expect(Set(calls.filter { $0.kind == .pack }.map(\.name)).count >= 5, "several packs")
        var covered = 0
        var failures = 0
        for point in calls.indices {
            for fault in Self.faults where !(calls[point].operation == .list && Self.isOfBytes(fault)) {
                let target = TestFolder()
                if intoOld { try Self.writeOld(target) }
                let old = TreeListing(target.path)
                let store = FaultyStorage(
                    wrapping: forged.store,
                    rules: [StorageRule(fault, when: .overall(point))],
                    seed: UInt64(point)
                )
                let outcome = await forged.restore(tree, to: target.path, from: store)
                let wrong = Self.breaches(target.path, outcome, expected: expected, old: old)
                #expect(wrong.isEmpty, "point \(point) \(calls[point]) \(fault): \(wrong) after \(outcome.text)")
                if !outcome.isSuccess { failures += 1 }
                if fault == .crashBefore { #expect(!outcome.isSuccess, "point \(point) \(calls[point])") }
                let again = await forged.restore(tree, to: target.path)
                #expect(again.isSuccess, "point \(point) \(fault), then: \(again.text)")
                let different = TreeListing(target.path).differences(from: expected)
                #expect(different.isEmpty, "point \(point) \(fault), then: \(different)")
            }
            covered += 1
        }
        print(
            "restore\(intoOld ? " over old files" : ""): call-points \(covered)/\(calls.count), \(failures) runs failed aloud"
        )
        #expect(failures > 0, "otherwise nothing was proven")
    }

    private static func isOfBytes(_ fault: StorageFault) -> Bool {
        switch fault {
        case .flipBit, .zeros, .misdirect, .shortRead: true
        default: false
        }
    }

    /// Other files under the names of the snapshot's, of one length with them and not.
    private static func writeOld(_ target: TestFolder) throws {
        try target.write("a.txt", Array("an older page".utf8))
        try target.write("dir/big.bin", [UInt8](repeating: 9, count: 149_100))
        try target.write("dir/deep/leaf", Array("fael".utf8))
        try target.write("z", [])
    }

    @Test(.timeLimit(.minutes(10)))
    func `D-01 a pack that stays damaged costs exactly its files, and each is named`() async throws {
        let forged = try await ForgedRepository()
        let tree = try await forged.save(Self.entries, packs: 4)
        let expected = TreeListing(expecting: Self.entries)
        var packs = Set(try await Self.clean(forged, tree).filter { $0.kind == .pack }.compactMap(\.name))
        var harmed = 0
        for fault in [StorageFault.flipBit, .zeros, .misdirect, .shortRead(toBytes: 5), .fail(.io), .fail(.notFound)] {
            for pack in packs {
                let target = TestFolder()
                let store = FaultyStorage(wrapping: forged.store, rules: [StorageRule(fault, on: .get, name: pack)])
                let outcome = await forged.restore(tree, to: target.path, from: store)
                let wrong = Self.breaches(target.path, outcome, expected: expected)
                #expect(wrong.isEmpty, "\(fault) \(wrong) after \(outcome.text)")
                if outcome.isSuccess { continue }
                harmed += 1
                guard outcome.error == nil else { continue }
                for path in outcome.log.failedPaths where expected.entries[path]?.kind == S_IFREG {
                    let isThere = FileManager.default.fileExists(atPath: target.path + path)
                    #expect(!isThere, "\(path) was said to have failed")
                }
            }
        }
        #expect(harmed >= 4 * 4)
        packs.removeAll()
    }
}
