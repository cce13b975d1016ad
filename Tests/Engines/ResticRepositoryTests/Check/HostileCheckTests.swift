import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Synchronization
import Testing

import ResticRepository

/// Repositories that authenticate and are wrong all the same.
@Suite struct HostileCheckTests {
    private func addSnapshot(_ small: SmallRepository, _ build: (BlobWriter, BlobWorker) async throws -> BlobID)
        async throws
    {
        let repository = try await small.open()
        try await repository.loadIndex()
        let worker = repository.makeWorker()
        let root = try await repository.withBlobWriter { try await build($0, worker) }
        _ = try await repository.saveSnapshot(
            SnapshotDocument(time: ZonedTime(Timestamp(seconds: 1_770_000_000)), tree: root, paths: [])
        )
    }

    @Test(.timeLimit(.minutes(10)))
    func `I-09 sixty levels that each name the next one twice are walked once each`() async throws {
        let small = try await SmallRepository.make()
        try await addSnapshot(small) { writer, worker in
            var tree = try await writer.saveTree([], worker: worker)
            for _ in 0..<60 {
                tree = try await writer.saveTree([.directory("a", tree), .directory("b", tree)], worker: worker)
            }
            return tree
        }
        let result = try await small.check()
        #expect(result.findings.isEmpty)
    }

    @Test(.timeLimit(.minutes(10)))
    func `I-09 damage below doubled levels is counted, and named up to a bound`() async throws {
        let small = try await SmallRepository.make()
        let absent = BlobID(Digest(a: 1, b: 2, c: 3, d: 4))
        try await addSnapshot(small) { writer, worker in
            var tree = try await writer.saveTree([.file("lost", [absent])], worker: worker)
            for _ in 0..<14 {
                tree = try await writer.saveTree([.directory("a", tree), .directory("b", tree)], worker: worker)
            }
            return tree
        }
        let result = try await small.check(nil, CheckRequest())
        #expect(result.errorCount == 1)
        #expect(result.affected.count == 1 && result.affected[0].pathCount == 1 << 14)
        #expect(result.affected[0].paths.count == CheckLimits.affectedPathsNamed)
    }

    @Test(.timeLimit(.minutes(10)))
    func `I-09 damage below sixty doubled levels ends at the budget and says so`() async throws {
        let small = try await SmallRepository.make()
        try await addSnapshot(small) { writer, worker in
            var tree = try await writer.saveTree(
                [.file("lost", [BlobID(Digest(a: 1, b: 2, c: 3, d: 4))])],
                worker: worker
            )
            for _ in 0..<60 {
                tree = try await writer.saveTree([.directory("a", tree), .directory("b", tree)], worker: worker)
            }
            return tree
        }
        let result = try await small.check(nil, CheckRequest())
        #expect(result.errorCount == 1 && !result.isAffectedComplete)
        #expect(result.affected.count == 1 && result.affected[0].pathCount > 1000)
    }

    @Test(.timeLimit(.minutes(10)))
    func `I-09 a tree three thousand levels deep is walked without recursion`() async throws {
        let small = try await SmallRepository.make()
        try await addSnapshot(small) { writer, worker in
            var tree = try await writer.saveTree(
                [.file("end", [BlobID(Digest(a: 9, b: 9, c: 9, d: 9))])],
                worker: worker
            )
            for _ in 0..<3000 { tree = try await writer.saveTree([.directory("d", tree)], worker: worker) }
            return tree
        }
        let result = try await small.check(nil, CheckRequest())
        #expect(result.errorCount == 1)
        #expect(result.affected.first?.paths.first?.bytes.count == 3000 * 2 + 4)
    }

    @Test func `nodes without content, subtree, name or known type are each told in restic's words`() async throws {
        let small = try await SmallRepository.make()
        let absent = BlobID(Digest(a: 0xAB << 56, b: 0, c: 0, d: 1))
        let observer = RecordingObserver()
        var root = BlobID(.zero)
        var odd = Node(name: "odd", type: .file)
        odd.content = nil
        var nowhere = Node(name: "nowhere", type: .directory)
        nowhere.subtree = nil
        let nodes: [Node] = [
            .file("", []), odd, .file("lost\"", [absent, BlobID(.zero)]), nowhere, .directory("zero", BlobID(.zero)),
            .directory("gone", BlobID(Digest(a: 5, b: 5, c: 5, d: 5))), Node(name: "strange", type: .irregular),
        ]
        try await addSnapshot(small) { writer, worker in
            root = try await writer.saveTree(nodes, worker: worker)
            return root
        }
        let result = try await small.check(nil, CheckRequest(), observer: observer)
        let tree = "  tree \(root.hex): "
        let gone = BlobID(Digest(a: 5, b: 5, c: 5, d: 5))
        let lines = observer.lines.withLock { $0 }
        #expect(
            lines.prefix(9) == [
                "error for tree \(root.short):", tree + "node with empty name", tree + "file \"odd\" has nil blob list",
                tree + "file \"lost\\\"\" blob \(absent.hex) not found in index",
                tree + "file \"lost\\\"\" blob 1 has null ID",
                tree + "dir node \"nowhere\" has no subtree", tree + "dir node \"zero\" subtree id is null",
                tree + "node \"strange\" with invalid type \"irregular\"", "error for tree \(gone.short):",
            ]
        )
        #expect(lines.last == "  id \(gone.hex) not found in repository")
        #expect(result.errorCount == 8)
    }

    // MARK: Indexes that lie (D-06)

    private func indexFile(_ packs: [(PackID, [PackedBlob])]) -> [UInt8] {
        var writer = IndexWriter()
        for (pack, blobs) in packs { writer.append(pack: pack, blobs: blobs) }
        return writer.finish()
    }

    private func packs(_ small: SmallRepository) async throws -> (Repository, [(PackID, [PackedBlob])]) {
        let repository = try await small.open()
        try await repository.loadIndex()
        return (
            repository,
            (0..<repository.index.packCount).map { (repository.index.packID($0), repository.index.blobs(ofPack: $0)) }
        )
    }

    @Test func `D-06 an index entry that says the same again is a hint`() async throws {
        let small = try await SmallRepository.make()
        let (repository, packs) = try await packs(small)
        let id = try await repository.saveUnpacked(.index, indexFile([packs[0]]))
        let result = try await small.check()
        #expect(!result.hasErrors && result.suggestRepairIndex)
        let line = try #require(result.findings.first?.checkText)
        #expect(result.findings.count == 1 && line.hasPrefix("pack \(packs[0].0.hex) contained in several indexes: {"))
        #expect(line.contains(id.short))
    }

    @Test func `D-06 two indexes that differ about a pack are damage`() async throws {
        let small = try await SmallRepository.make()
        let (repository, packs) = try await packs(small)
        let pack = try #require(packs.first { $0.1.count > 1 })
        _ = try await repository.saveUnpacked(.index, indexFile([(pack.0, Array(pack.1.dropLast()))]))
        let result = try await small.check(nil, CheckRequest())
        #expect(result.errorCount == 1 && result.brokenPacks == [pack.0])
        #expect(result.findings[0].checkText.hasPrefix("pack \(pack.0.hex) has different data in indexes: {"))
    }

    @Test func `D-06 wrong offsets, lengths, types, sizes and names in an index are found and never trap`() async throws
    {
        let lies: [(String, (inout PackedBlob) -> Void)] = [
            ("offset", { $0.offset += 1 }), ("offset at the end", { $0.offset = .max }), ("length", { $0.length -= 1 }),
            ("longest", { $0.length = .max }), ("shortest", { $0.length = 32 }),
            ("type", { $0.type = $0.type == .data ? .tree : .data }),
            ("unpacked length", { $0.uncompressedLength = $0.uncompressedLength == 0 ? 5 : $0.uncompressedLength + 1 }),
            ("largest unpacked length", { $0.uncompressedLength = .max >> 1 }),
            ("name", { $0.id = BlobID(Digest(a: 1, b: 1, c: 1, d: 1)) }),
        ]
        for (what, lie) in lies {
            let small = try await SmallRepository.make()
            var (repository, packs) = try await packs(small)
            lie(&packs[1].1[0])
            for entry in try await small.store.list(.index) {
                try await small.store.remove(ObjectName(.index, entry.digest))
            }
            _ = try await repository.saveUnpacked(.index, indexFile(packs))
            let result = try await small.check()
            #expect(result.hasErrors, "\(what)")
        }
    }

    @Test func `D-06 a pack that an index names and nobody has is missing`() async throws {
        let small = try await SmallRepository.make()
        let (repository, packs) = try await packs(small)
        let ghost = PackID(Digest(a: 7, b: 7, c: 7, d: 7))
        _ = try await repository.saveUnpacked(.index, indexFile([(ghost, packs[0].1)]))
        let result = try await small.check(nil, CheckRequest())
        #expect(result.errorCount == 1 && result.findings[0].checkText == "pack \(ghost.hex): does not exist")
        #expect(result.affected.isEmpty, "the real copies are there")
    }

    @Test func `an index with names twice, no packs, or an unknown type is damage of that index alone`() async throws {
        let small = try await SmallRepository.make()
        for text in [
            "{\"packs\":[],\"packs\":[]}", "{\"packs\":[{\"id\":\"00\",\"blobs\":[]}]}", "[",
            "{\"packs\":[{\"blobs\":null}]}",
        ] {
            let (repository, _) = try await packs(small)
            let id = try await repository.saveUnpacked(.index, Array(text.utf8))
            let result = try await small.check()
            #expect(result.isIndexDamaged && result.suggestRepairIndex && result.errorCount == 1, "\(text)")
            #expect(result.findings.first?.checkText.hasPrefix("error: error loading index \(id.hex): ") == true)
            try await small.store.remove(ObjectName(.index, id))
        }
    }
}
