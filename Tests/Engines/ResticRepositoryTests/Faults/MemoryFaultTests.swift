import Bytes
import ObjectStorage
import Outcome
import Synchronization
import Testing

import ResticRepository

/// Bad memory and bad arithmetic between the source and the store.
@Suite struct MemoryFaultTests {
    private static func bench() async throws -> (BackupBench, MemoryStorage, [String: [UInt8]]) {
        let bench = BackupBench()
        let store = MemoryStorage()
        try await bench.create(store)
        var random = SplitMix64(seed: 8)
        var files: [String: [UInt8]] = [:]
        for number in 0..<4 {
            files["/random\(number)"] = random.bytes(40_000)
            files["/text\(number)"] = Array(
                repeatElement(Array("line \(number) of a text\n".utf8), count: 2_000).joined()
            )
        }
        for (path, bytes) in files { try bench.source.write(path, bytes) }
        return (bench, store, files)
    }

    @Test(arguments: BlobStage.allCases)
    func `D-08 D-09 a bit that flips on its way into a pack is refused, and nothing of it is stored`(
        stage: BlobStage
    ) async throws {
        let (bench, empty, files) = try await Self.bench()
        let counting = Spoiler(stage, number: -1, place: 0)
        let sound = try await bench.open(empty.copy()) { $0.spoil = { counting.spoil($0, $1) } }
        _ = try await bench.onPool { try await bench.backUp(to: sound) }
        #expect(counting.passed > 2)
        var refused = 0
        // First, middle and last byte; for a finished pack those are a blob, a blob, and the length of the header.
        for number in 0..<counting.passed {
            for place in [0, 19_997, -1] {
                let store = empty.copy()
                let spoiler = Spoiler(stage, number: number, place: place)
                let repository = try await bench.open(store) { $0.spoil = { spoiler.spoil($0, $1) } }
                let label = Comment(rawValue: "\(stage) \(number) byte \(place)")
                let failure = await #expect(throws: RepositoryFailure.self, label) {
                    try await bench.onPool { try await bench.backUp(to: repository) }
                }
                #expect(failure?.code == .verification, label)
                #expect(failure?.state.isEmpty == false && failure?.next.isEmpty == false, label)
                #expect(try await store.list(.snapshot).isEmpty, label)
                #expect(try await store.list(.index).isEmpty, label)
                // What was stored before the fault is right; the next run uses none of it blindly.
                let next = try await bench.backUp(into: store)
                #expect(try await bench.contents(of: try #require(next.snapshot), in: store) == files, label)
                let verdict = try await bench.check(store)
                #expect(!verdict.hasErrors, label)
                refused += failure == nil ? 0 : 1
            }
        }
        print("D-08 \(stage): \(refused)/\(counting.passed * 3) flips refused")
    }

    @Test func `D-09 a compressor that is wrong once in many inputs is found out by reading back`() async throws {
        let (bench, store, _) = try await Self.bench()
        let seen = Mutex(0)
        let repository = try await bench.open(store) { options in
            options.spoil = { stage, bytes in
                guard stage == .compressed else { return }
                // The right length, the wrong content: only decoding tells.
                let isTurn = seen.withLock { seen in
                    seen += 1
                    return seen == 3
                }
                if isTurn { for index in bytes.indices.suffix(16) { bytes[index] = bytes[index] &+ 1 } }
            }
        }
        let failure = await #expect(throws: RepositoryFailure.self) {
            try await bench.onPool { try await bench.backUp(to: repository) }
        }
        #expect(failure?.code == .verification)
        #expect(failure?.what.contains("right after it was sealed") == true)
    }
}
