import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Testing

import ResticRepository

/// Damage of stored files (fault-plan group D): found, named, and traced to exactly the files that need it.
@Suite struct DamageCheckTests {
    /// Checks a store with one object changed; a repository that does not open has its damage told by the failure.
    private func verdict(_ small: SmallRepository, _ store: MemoryStorage, _ name: ObjectName) async throws -> Bool {
        do {
            let result = try await small.check(store)
            guard result.hasErrors else { return false }
            let named = result.findings.contains { finding in
                finding.object.contains(name.digest.hex) || finding.what.contains(name.digest.hex)
            }
            return named && (name.kind != .snapshot || result.brokenSnapshots.map(\.digest) == [name.digest])
        } catch let failure as RepositoryFailure {
            return failure.code == .damaged && failure.object.contains(name.short)
                || name.kind == .key && failure.code == .wrongPassword
        }
    }

    @Test func `D-01 one bit flipped anywhere in any file is found and the file named`() async throws {
        let seed: UInt64 = 20_260_731
        print("D-01 seed \(seed)")
        let small = try await SmallRepository.make()
        var random = SplitMix64(seed: seed)
        var missed: [String] = []
        for name in small.names {
            let bytes = small.bytes(name)
            let positions =
                bytes.count < 2000
                ? Array(stride(from: Int(seed % 5), to: bytes.count, by: 5))
                : (0..<24).map { _ in Int(random.next() % UInt64(bytes.count)) }
            for position in positions {
                let bit = position * 8 + Int(random.next() % 8)
                var damaged = bytes
                damaged[bit / 8] ^= 1 << UInt8(bit % 8)
                let store = small.store.copy()
                store.overwrite(name, Block(damaged))
                if try await !verdict(small, store, name) { missed.append("\(name) bit \(bit)") }
            }
        }
        #expect(missed.isEmpty, "\(missed)")
    }

    @Test func `D-07 zeros in the place of a range, or of all, are found and the file named`() async throws {
        let seed: UInt64 = 20_261_121
        print("D-07 seed \(seed)")
        let small = try await SmallRepository.make()
        var random = SplitMix64(seed: seed)
        var missed: [String] = []
        for name in small.names {
            let bytes = small.bytes(name)
            for length in [1, 16, 512, 4096, bytes.count] where length <= bytes.count {
                let start = Int(random.next() % UInt64(bytes.count - length + 1))
                var damaged = bytes
                damaged.replaceSubrange(start..<start + length, with: repeatElement(0, count: length))
                if damaged == bytes { continue }
                let store = small.store.copy()
                store.overwrite(name, Block(damaged))
                if try await !verdict(small, store, name) { missed.append("\(name), \(length) bytes at \(start)") }
            }
        }
        #expect(missed.isEmpty, "\(missed)")
    }

    @Test func `D-02 a file cut to any length or with garbage behind it is found`() async throws {
        let small = try await SmallRepository.make()
        var missed: [String] = []
        for name in small.names {
            let bytes = small.bytes(name)
            var lengths = [0, 1, 15, 16, 31, 32, 33, bytes.count / 2, bytes.count - 5, bytes.count - 1]
            lengths = lengths.filter { $0 >= 0 && $0 < bytes.count }
            for variant in lengths.map({ Array(bytes[..<$0]) }) + [
                bytes + [7], bytes + [UInt8](repeating: 0, count: 5000),
            ] {
                let store = small.store.copy()
                store.overwrite(name, Block(variant))
                if try await !verdict(small, store, name) {
                    missed.append("\(name) with \(variant.count) of \(bytes.count) bytes")
                }
            }
        }
        #expect(missed.isEmpty, "\(missed)")
    }

    @Test func `D-03 a missing pack is told as missing, not as unreadable`() async throws {
        let small = try await SmallRepository.make()
        for entry in try await small.store.list(.pack) {
            let store = small.store.copy()
            try await store.remove(ObjectName(.pack, entry.digest))
            let result = try await small.check(store, CheckRequest())
            #expect(result.hasErrors)
            #expect(result.findings.contains { $0.checkText == "pack \(entry.digest.hex): does not exist" })
            #expect(result.brokenPacks.isEmpty, "restic has nothing to salvage from a pack that is gone")
            #expect(!result.affected.isEmpty)
        }
    }

    @Test func `D-03 a missing index makes its packs unknown and its blobs missing`() async throws {
        let small = try await SmallRepository.make()
        for entry in try await small.store.list(.index) {
            let store = small.store.copy()
            try await store.remove(ObjectName(.index, entry.digest))
            let result = try await small.check(store)
            #expect(result.hasErrors && result.orphanedPacks > 0 && result.suggestPrune)
            #expect(result.findings.contains { $0.code == "tree-unreadable" || $0.code == "tree-invalid" })
        }
    }

    @Test func `D-03 without keys or config the repository does not open, and the failure says which`() async throws {
        let small = try await SmallRepository.make()
        let store = small.store.copy()
        try await store.remove(.config)
        await #expect { _ = try await small.check(store) } throws: { ($0 as? RepositoryFailure)?.code == .noRepository }
        let keyless = small.store.copy()
        for entry in try await keyless.list(.key) { try await keyless.remove(ObjectName(.key, entry.digest)) }
        await #expect { _ = try await small.check(keyless) } throws: {
            ($0 as? RepositoryFailure)?.code == .wrongPassword
        }
    }

    @Test func `D-04 two files of a kind swapped are both found`() async throws {
        let small = try await SmallRepository.make()
        for kind in [ObjectKind.snapshot, .index, .pack] {
            let names = small.names.filter { $0.kind == kind }
            let store = small.store.copy()
            store.overwrite(names[0], Block(small.bytes(names[1])))
            store.overwrite(names[1], Block(small.bytes(names[0])))
            let result = try await small.check(store)
            #expect(result.hasErrors)
            for name in names.prefix(2) {
                #expect(
                    result.findings.contains {
                        $0.object.contains(name.digest.hex) || $0.what.contains(name.digest.hex)
                    },
                    "\(name)"
                )
            }
        }
    }

    @Test func `D-13 a snapshot of another repository is refused`() async throws {
        let small = try await SmallRepository.make()
        let other = try await SmallRepository.make(seed: 2)
        let foreign = ObjectName(.snapshot, other.snapshots[0].id.digest)
        small.store.overwrite(foreign, Block(other.bytes(foreign)))
        let result = try await small.check()
        #expect(result.brokenSnapshots == [other.snapshots[0].id] && result.errorCount == 1)
    }

    @Test func `damage is traced to exactly the files that need it`() async throws {
        let small = try await SmallRepository.make()
        let repository = try await small.open()
        try await repository.loadIndex()
        let big = try #require(try await bigBlobs(repository, small.snapshots[0]).dropFirst().first)
        let location = try #require(repository.index.location(.data, big))
        let name = ObjectName(.pack, location.pack.digest)
        var bytes = small.bytes(name)
        bytes[Int(location.offset) + 20] ^= 1
        small.store.overwrite(name, Block(bytes))
        let result = try await small.check()
        #expect(result.brokenPacks == [location.pack])
        #expect(result.affected.map(\.id) == small.snapshots.map(\.id))
        for snapshot in result.affected { #expect(snapshot.paths == ["/dir/big.bin"]) }
        #expect(result.isAffectedComplete)
        let finding = try #require(result.findings.first { $0.code == "pack-damaged" })
        let pack = location.pack.hex
        let problem =
            "blob \(big.hex): decrypting blob <data/\(big.short)> from pack \(pack) failed: ciphertext verification failed"
        #expect(finding.checkText.hasPrefix("pack \(pack) contains 2 errors: [\(problem) unexpected pack id "))
    }

    private func bigBlobs(_ repository: Repository, _ snapshot: Snapshot) async throws -> [BlobID] {
        let worker = repository.makeWorker()
        var reader = TreeReader(try await repository.loadTree(try #require(snapshot.document.tree), worker: worker))
        while let node = try reader.next() {
            guard let subtree = node.subtree else { continue }
            var inner = TreeReader(try await repository.loadTree(subtree, worker: worker))
            while let node = try inner.next() {
                if node.name == "big.bin" { return node.content ?? [] }
            }
        }
        return []
    }
}

/// Packs that are read several in step are judged each alone.
@Suite struct PacksInStepTests {
    @Test func `D-01 of many packs read together exactly the damaged ones are named`() async throws {
        let seed = TestSeed.value
        print("packs in step, seed \(seed)")
        var random = SplitMix64(seed: seed)
        let bench = BackupBench(pool: BackupBench.wide, seed: random.next())
        let store = MemoryStorage()
        try await bench.create(store)
        for number in 0..<40 { try bench.source.write("file-\(number)", random.bytes(30_000 + number * 1000)) }
        _ = try await bench.backUp(into: store)
        let packs = try await store.list(.pack).map(\.digest)
        #expect(packs.count > 16)
        for round in 0..<8 {
            let hit = Set(packs.shuffled(using: &random).prefix(Int.random(in: 0...5, using: &random)))
            let damaged = store.copy()
            for digest in hit {
                let name = ObjectName(.pack, digest)
                var bytes = try #require(damaged.contents[name]?.bytes)
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                damaged.overwrite(name, Block(bytes))
            }
            let result = try await bench.check(damaged)
            #expect(Set(result.brokenPacks.map(\.digest)) == hit, "seed \(seed), round \(round)")
            #expect(result.hasErrors == !hit.isEmpty && result.transientReads == 0, "seed \(seed), round \(round)")
        }
    }
}
