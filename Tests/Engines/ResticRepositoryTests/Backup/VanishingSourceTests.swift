import Bytes
import Foundation
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import Testing

import ResticRepository

/// The folder that a backup runs in, while another takes its place: a file system that is unmounted lazily (G-17).
@Suite struct VanishingSourceTests {
    private static let contents: [String: [UInt8]] = Dictionary(
        uniqueKeysWithValues: (0..<3).flatMap { folder in
            (0..<2).map { ("/folder \(folder)/inner/file \($0)", Array("\(folder) \($0)".utf8)) }
        }
    )

    private static func run(
        _ bench: BackupBench,
        _ store: MemoryStorage,
        before point: Int
    ) async throws -> (result: BackupResult, calls: Int, failures: [String]) {
        let (path, aside) = (bench.source.path, bench.source.path + "-aside")
        let hooks = SystemHooks { _, _, number in
            guard number == point else { return .proceed }
            _ = rename(path, aside)
            _ = mkdir(path, 0o755)
            return .proceed
        }
        defer {
            if point >= 0 {
                _ = rmdir(path)
                _ = rename(aside, path)
            }
        }
        let log = ItemLog()
        let repository = try await bench.open(store)
        let result = try await bench.onPool {
            try await bench.backUp(to: repository, observer: log) { $0.systemHooks = hooks }
        }
        return (result, hooks.record.count, log.failedPaths)
    }

    @Test(.timeLimit(.minutes(10)))
    func `G-17 a folder that another takes the place of is saved whole, or said not to be`() async throws {
        let bench = BackupBench()
        let empty = MemoryStorage()
        try await bench.create(empty)
        for (path, bytes) in Self.contents { try bench.source.write(path, bytes) }
        let clean = try await Self.run(bench, empty.copy(), before: -1)
        #expect(clean.failures.isEmpty && clean.calls > 20)
        var whole = 0
        for point in 0..<clean.calls {
            let store = empty.copy()
            let run: (result: BackupResult, calls: Int, failures: [String])
            do {
                run = try await Self.run(bench, store, before: point)
            } catch let failure as RepositoryFailure {
                #expect(point < 3 && [.source, .sourceEmpty].contains(failure.code), "call \(point): \(failure)")
                #expect(try await store.list(.snapshot).isEmpty)
                continue
            }
            let saved = try await bench.contents(of: try #require(run.result.snapshot), in: store)
            let isWhole = saved.filter { !$0.key.hasSuffix("/") } == Self.contents
            #expect(isWhole || !run.failures.isEmpty, "call \(point): \(saved.count) entries and no word")
            whole += isWhole ? 1 : 0
        }
        print("G-17 \(whole)/\(clean.calls) system calls after which the folder was still saved whole")
        #expect(whole > clean.calls * 9 / 10)
    }
}
