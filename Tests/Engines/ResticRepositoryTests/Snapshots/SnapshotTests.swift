import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Testing

import ResticRepository

@Suite struct SnapshotTests {
    private func document(
        _ seconds: Int64,
        host: ByteString = "web",
        paths: [ByteString] = ["/etc"],
        tags: [ByteString] = [],
        nanoseconds: Int32 = 0
    ) -> SnapshotDocument {
        var document = SnapshotDocument(
            time: ZonedTime(Timestamp(seconds: seconds, nanoseconds: nanoseconds)),
            tree: BlobID(Digest(a: 1, b: 1, c: 1, d: 1)),
            paths: paths
        )
        document.hostname = host
        document.tags = tags
        return document
    }

    private func repository(_ documents: [SnapshotDocument]) async throws -> (SmallRepository, Repository, [SnapshotID])
    {
        var small = try await SmallRepository.make()
        for snapshot in small.snapshots { try await small.store.remove(ObjectName(.snapshot, snapshot.id.digest)) }
        small.snapshots = []
        let repository = try await small.open()
        var ids: [SnapshotID] = []
        for document in documents { ids.append(try await repository.saveSnapshot(document)) }
        return (small, repository, ids)
    }

    private func load(_ repository: Repository, _ filter: SnapshotFilter = SnapshotFilter()) async throws
        -> [SnapshotID]
    {
        try await repository.loadSnapshots(filter: filter) { throw $1 }.map(\.id)
    }

    // MARK: Filters

    @Test func `hosts are alternatives, paths have to be there all, tag lists are alternatives of conjunctions`() {
        let plain = document(1)
        let rich = document(1, host: "db", paths: ["/etc", "/srv"], tags: ["a", "b"])
        func matching(_ filter: SnapshotFilter) -> [Bool] { [plain, rich].map { filter.matches($0) } }
        #expect(matching(SnapshotFilter()) == [true, true])
        #expect(matching(SnapshotFilter(hosts: ["db"])) == [false, true])
        #expect(matching(SnapshotFilter(hosts: ["db", "web"])) == [true, true])
        #expect(matching(SnapshotFilter(paths: ["/etc"])) == [true, true])
        #expect(matching(SnapshotFilter(paths: ["/etc", "/srv"])) == [false, true])
        #expect(matching(SnapshotFilter(paths: ["/sr"])) == [false, false])
        #expect(matching(SnapshotFilter(tags: [["a"]])) == [false, true])
        #expect(matching(SnapshotFilter(tags: [["a", "c"]])) == [false, false])
        #expect(matching(SnapshotFilter(tags: [["a", "c"], ["b"]])) == [false, true])
        #expect(matching(SnapshotFilter(tags: [[""]])) == [true, false], "the empty tag stands for no tags")
        #expect(matching(SnapshotFilter(tags: [["", "a"]])) == [true, false])
        #expect(matching(SnapshotFilter(tags: [["a", ""]])) == [false, false], "restic decides at the first tag")
        #expect(matching(SnapshotFilter(tags: [[]])) == [true, true])
        #expect(SnapshotFilter().isEmpty && !SnapshotFilter(tags: [[""]]).isEmpty)
    }

    @Test(arguments: [
        ("/a/b", "/a/b"), ("b", "/work/b"), ("./b/../c", "/work/c"), ("/a//b/", "/a/b"), ("..", "/"), ("../../..", "/"),
        (".", "/work"), ("/", "/"),
    ])
    func `paths are made absolute by text alone`(given: String, wanted: String) {
        var filter = SnapshotFilter(paths: [ByteString(given)])
        filter.makePathsAbsolute(workingDirectory: "/work")
        #expect(filter.paths == [ByteString(wanted)])
    }

    // MARK: Reading

    @Test func `snapshots that were read while the lock settled are read once, and what is left of them is forgotten`()
        async throws
    {
        let bench = BackupBench(pool: BackupBench.wide)
        let memory = MemoryStorage()
        try await bench.create(memory)
        for number in 0..<5 {
            try bench.source.write("file", [UInt8(number)])
            _ = try await bench.backUp(into: memory)
        }
        let store = FaultyStorage(wrapping: memory)
        let repository = try await bench.open(store)
        try await repository.withLock(.shared, readsSnapshots: true) {
            let all = try await load(repository)
            #expect(all.count == 5)
            // One may have been under way when the lock had settled, and was read again.
            let read = store.count(.get, .snapshot)
            #expect(read == 5 || read == 6)
            let none = try await load(repository, SnapshotFilter(hosts: ["nobody"]))
            #expect(none.isEmpty)
            #expect(store.count(.get, .snapshot) == read + 5, "the second list is told by the store")
        }
    }

    @Test func `D-10 a snapshot that did not open while the lock settled is asked for again`() async throws {
        let bench = BackupBench(pool: BackupBench.wide)
        let memory = MemoryStorage()
        try await bench.create(memory)
        try bench.source.write("file", [1])
        _ = try await bench.backUp(into: memory)
        let rules = [StorageRule(.flipBit, on: .get, kind: .snapshot, when: .calls([0]))]
        let store = FaultyStorage(wrapping: memory, rules: rules, seed: 3)
        let repository = try await bench.open(store)
        try await repository.withLock(.shared, readsSnapshots: true) {
            let all = try await load(repository)
            #expect(all.count == 1)
        }
    }

    // MARK: Order

    @Test func `F-04 snapshots of the same nanosecond are all kept, in one order for everybody`() async throws {
        let (_, repository, ids) = try await repository(
            (0..<9).map { document(100, paths: [ByteString("/\($0)")], nanoseconds: 5) } + [document(99)]
        )
        #expect(Set(ids).count == 10)
        let first = try await load(repository)
        #expect(first == [ids[9]] + ids.dropLast().sorted())
        #expect(try await repository.latestSnapshot()?.id == ids.dropLast().max())
    }

    @Test func `F-05 a snapshot newer than the given moment is not the latest`() async throws {
        let (_, repository, ids) = try await repository([document(100), document(200), document(300, host: "db")])
        #expect(try await repository.latestSnapshot()?.id == ids[2])
        #expect(try await repository.latestSnapshot(filter: SnapshotFilter(hosts: ["web"]))?.id == ids[1])
        #expect(try await repository.latestSnapshot(notAfter: Timestamp(seconds: 200))?.id == ids[1])
        #expect(
            try await repository.latestSnapshot(notAfter: Timestamp(seconds: 199, nanoseconds: 999_999_999))?.id
                == ids[0]
        )
        #expect(try await repository.latestSnapshot(notAfter: Timestamp(seconds: 99)) == nil)
    }

    // MARK: Finding

    @Test func `a snapshot is found by its name, the start of it, or as the latest`() async throws {
        let (_, repository, ids) = try await repository([document(100), document(200)])
        for text in [ids[0].hex, String(ids[0].hex.prefix(12))] {
            #expect(try await repository.findSnapshot(SnapshotName(ByteString(text))).id == ids[0])
        }
        #expect(try await repository.findSnapshot(SnapshotName("latest")).id == ids[1])
        #expect(try await repository.findSnapshot(SnapshotName("latest:sub/path")).id == ids[1])
        await #expect { _ = try await repository.findSnapshot(SnapshotName("")) } throws: {
            ($0 as? RepositoryFailure)?.code == .ambiguous
        }
        await #expect { _ = try await repository.findSnapshot(SnapshotName("xyz")) } throws: {
            ($0 as? RepositoryFailure)?.code == .notFound
        }
        await #expect {
            _ = try await repository.findSnapshot(SnapshotName("latest"), filter: SnapshotFilter(hosts: ["no"]))
        } throws: {
            ($0 as? RepositoryFailure)?.what == "snapshot filter (Paths:[] Tags:[] Hosts:[no]): no snapshot found"
        }
    }

    @Test func `a name is split at its first colon`() {
        #expect(SnapshotName("abc").subfolder == nil)
        #expect(SnapshotName("abc:").subfolder == nil)
        #expect(SnapshotName("abc:/x:y").name == "abc" && SnapshotName("abc:/x:y").subfolder == "/x:y")
        #expect(SnapshotName("latest:z").isLatest && !SnapshotName("latest1").isLatest)
    }

    @Test func `named snapshots come once each, and what is not found is told`() async throws {
        let (_, repository, ids) = try await repository([document(100), document(200)])
        var ignored: [String] = []
        let names: [ByteString] = [
            "latest", ByteString(ids[1].hex), "latest", ByteString(ids[0].hex), "latest:x", "zz",
        ]
        let found = try await repository.selectSnapshots(names, filter: SnapshotFilter()) { name, _ in
            ignored.append(name)
        }
        #expect(found.map(\.id) == [ids[1], ids[0]])
        #expect(ignored == ["latest:x", "zz"])
        var reasons: [String] = []
        _ = try await repository.selectSnapshots([ByteString(ids[0].hex)], filter: SnapshotFilter(hosts: ["web"])) {
            name,
            error in
            reasons.append("\(name): \((error as? RepositoryFailure)?.what ?? "")")
        }
        #expect(reasons == ["filters: explicit snapshot ids are given"])
    }

    @Test func `an unreadable snapshot is told, and the others are there`() async throws {
        let (small, repository, ids) = try await repository([document(100), document(200), document(300)])
        small.store.overwrite(ObjectName(.snapshot, ids[1].digest), Block([1, 2, 3]))
        var told: [SnapshotID] = []
        let found = try await repository.loadSnapshots { id, _ in told.append(id) }
        #expect(found.map(\.id) == [ids[0], ids[2]] && told == [ids[1]])
        await #expect(throws: RepositoryFailure.self) { _ = try await repository.latestSnapshot() }
    }

    // MARK: Groups

    @Test func `groups have restic's keys`() async throws {
        let snapshots = [
            Snapshot(id: SnapshotID(.zero), document: document(1, paths: ["/b", "/a"], tags: ["y", "x"])),
            Snapshot(id: SnapshotID(.zero), document: document(2, paths: ["/a", "/b"])),
            Snapshot(id: SnapshotID(.zero), document: document(3, host: "db")),
        ]
        let standard = snapshots.grouped(by: .standard)
        #expect(standard.map(\.key.text) == ["host db, path [/etc]", "host web, path [/a /b]"])
        #expect(standard[1].snapshots.map(\.document.time.moment.seconds) == [1, 2])
        #expect(
            standard[1].snapshots[0].document.paths == ["/a", "/b"]
                && standard[1].snapshots[0].document.tags == ["y", "x"]
        )
        let tags = snapshots.grouped(by: SnapshotGrouping(byTags: true))
        #expect(tags.map(\.key.text) == ["", "tags [x y]"] && tags[0].key.tags == nil && tags[0].key.paths == nil)
        #expect(snapshots.grouped(by: SnapshotGrouping()).count == 1)
        #expect(SnapshotGrouping("paths,host")?.text == "host,paths" && SnapshotGrouping("")?.isGrouping == false)
        #expect(SnapshotGrouping("tag,hosts,path")?.text == "host,paths,tags" && SnapshotGrouping("user") == nil)
    }

    // MARK: Storing

    @Test func `nothing is stored when the store is not the one that was opened`() async throws {
        let small = try await SmallRepository.make()
        let store = FaultyStorage(wrapping: small.store)
        let repository = try await small.open(store)
        store.setRules([StorageRule(.fail(.diskGone), on: .checkIdentity)])
        await #expect(throws: StorageFailure.self) { _ = try await repository.saveSnapshot(document(1)) }
        #expect(store.count(.put) == 0)
    }

    @Test func `a stored snapshot reads back equal, and restic lists it`() async throws {
        let wanted = document(1_760_000_000, paths: ["/a b", "/ü<&>"], tags: ["t"], nanoseconds: 123_000_000)
        let (small, repository, ids) = try await repository([wanted])
        #expect(try await repository.loadSnapshot(ids[0]).document == wanted)
        guard StockRestic.isInstalled else { return }
        let folder = TestFolder()
        try folder.write(small.store)
        let run = try StockRestic.run(["cat", "snapshot", ids[0].hex, "--no-lock"], repository: folder.path)
        #expect(run.status == 0 && run.output.contains("\"/a b\""), "\(run.errors)")
    }
}
