import Bytes
import Foundation
import HostSystem
import ObjectStorage
import ResticFormat
import Synchronization
import Testing

import ResticRepository

/// Fail-at-call-N on the other side: every system call that a restore makes on its target.
@Suite struct TargetFaultTests {
    private static let entries: [ForgedEntry] = {
        var random = SplitMix64(seed: 31)
        var entries: [ForgedEntry] = [
            .directory("/dir", mode: 0o750),
            .file("/dir/big", random.bytes(30_000), random.bytes(3_000), random.bytes(50_000)),
            .file("/dir/empty", mode: 0o400),
            .symlink("/dir/way", "big"),
            .directory("/dir/deep"),
            .file("/dir/deep/leaf", Array("leaf".utf8)),
            .file("/page", random.bytes(100), mode: 0o600),
        ]
        entries[1].attributes = ["user.colour": Array("blue".utf8)]
        entries.append(ForgedEntry(path: "/dir/twin", kind: .link("/dir/big"), attributes: entries[1].attributes))
        entries.append(ForgedEntry(path: "/pipe", kind: .fifo, mode: 0o600))
        return entries
    }()

    /// Old files, one of which has parts of the right content.
    private static func writeOld(_ target: TestFolder) throws {
        try target.write("page", Array("older".utf8))
        if case .file(let parts) = entries[1].kind { try target.write("dir/big", parts[0] + [1, 2, 3] + parts[2]) }
        try target.write("dir/way", Array("in the way".utf8))
    }

    @Test(.timeLimit(.minutes(10)), arguments: [false, true])
    func `H-10 any failing call on the target is counted, listed and healed by the next run`(intoOld: Bool) async throws
    {
        let forged = try await ForgedRepository()
        let tree = try await forged.save(Self.entries, packs: 2)
        let expected = TreeListing(expecting: Self.entries)
        let clean = SystemHooks { _, _, _ in .proceed }
        let first = TestFolder()
        if intoOld { try Self.writeOld(first) }
        let whole = await forged.restore(tree, to: first.path) { $0.hooks = clean }
        try #require(whole.isSuccess && TreeListing(first.path) == expected, "\(whole.text)")
        let points = clean.record.count
        var failed = 0
        for point in 0..<points {
            for code in [EIO, ENOSPC, EACCES] {
                let target = TestFolder()
                if intoOld { try Self.writeOld(target) }
                let old = TreeListing(target.path)
                let struck = Mutex<SystemCall?>(nil)
                let hooks = SystemHooks { call, _, number in
                    guard number == point else { return .proceed }
                    struck.withLock { $0 = call }
                    return .fail(code)
                }
                let outcome = await forged.restore(tree, to: target.path) { $0.hooks = hooks }
                let place = "call \(point) \(struck.withLock { $0 }.map(\.rawValue) ?? "none") errno \(code)"
                let found = TreeListing(target.path) { $0.hasSuffix(".partial") }
                for (path, entry) in found.entries where entry.kind == S_IFREG {
                    let isRight = entry.content == expected.entries[path]?.content
                    let isOld = entry.content == old.entries[path]?.content
                    // A file that is patched in place is between the two until the next run; it is named.
                    let isNamed = outcome.error != nil || outcome.log.failedPaths.contains(path)
                    #expect(isRight || isOld || isNamed, "\(place): \(path) has wrong content and is not named")
                    if path != "/dir/big" || !intoOld { #expect(isRight || isOld, "\(place): half a file at \(path)") }
                }
                if outcome.isSuccess {
                    let different = found.differences(from: expected)
                    #expect(different.isEmpty, "\(place) called success: \(different)")
                } else {
                    failed += 1
                    let counted = outcome.result?.progress.errors
                    #expect(outcome.error != nil || counted == UInt64(outcome.log.failures.count), "\(place)")
                }
                let again = await forged.restore(tree, to: target.path)
                #expect(again.isSuccess, "\(place), then \(again.text)")
                let different = TreeListing(target.path).differences(from: expected)
                #expect(different.isEmpty, "\(place), then \(different)")
            }
        }
        print("target\(intoOld ? " with old files" : ""): call-points \(points)/\(points), \(failed) runs failed aloud")
        #expect(failed > points)
    }

    @Test(.timeLimit(.minutes(10)), arguments: [false, true])
    func `A-07 H-09 a restore cancelled at any call leaves no half file, and the next one completes it`(intoOld: Bool)
        async throws
    {
        let forged = try await ForgedRepository()
        let tree = try await forged.save(Self.entries, packs: 2)
        let expected = TreeListing(expecting: Self.entries)
        var point = 0
        var cancelled = 0
        while true {
            let target = TestFolder()
            if intoOld { try Self.writeOld(target) }
            let old = TreeListing(target.path)
            let runner = CancellableRun()
            let here = point
            let hooks = SystemHooks { _, _, number in
                if number == here { runner.cancel() }
                return .proceed
            }
            let path = target.path
            let outcome = await runner.run { await forged.restore(tree, to: path) { $0.hooks = hooks } }
            let found = TreeListing(target.path) { $0.hasSuffix(".partial") }
            for (path, entry) in found.entries where entry.kind == S_IFREG {
                let isRight = entry.content == expected.entries[path]?.content
                let mayBeBetween = intoOld && path == "/dir/big"
                #expect(isRight || entry.content == old.entries[path]?.content || mayBeBetween, "\(point): \(path)")
                // A half file never looks finished.
                if !isRight { #expect(entry.modified != expected.entries[path]?.modified, "\(point): \(path)") }
            }
            if outcome.error is CancellationError { cancelled += 1 }
            let again = await forged.restore(tree, to: target.path)
            #expect(again.isSuccess, "\(point), then \(again.text)")
            let different = TreeListing(target.path).differences(from: expected)
            #expect(different.isEmpty, "\(point), then \(different)")
            if hooks.record.count <= point { break }
            point += 1
        }
        print("A-07 cancelled at \(point)/\(point) calls on the target, \(cancelled) ended early")
        #expect(cancelled > point / 2)
    }

    @Test func `A-07 a resumed restore fetches what is missing, and believes no byte that it has not compared`()
        async throws
    {
        let forged = try await ForgedRepository()
        let entries = RestoreCallPointTests.entries
        let tree = try await forged.save(entries, packs: 4)
        let expected = TreeListing(expecting: entries)
        let clean = FaultyStorage(wrapping: forged.store)
        let reference = TestFolder()
        #expect(await forged.restore(tree, to: reference.path, from: clean).isSuccess)
        let contentPacks = Set(clean.calls.compactMap { $0.kind == .pack && $0.operation == .get ? $0.name : nil })
        for isSpoilt in [false, true] {
            let target = TestFolder()
            // Everything comes but the last pack, which never answers.
            let last = try #require(
                contentPacks.max { left, right in
                    Self.firstUse(left, clean) < Self.firstUse(right, clean)
                }
            )
            let hanging = FaultyStorage(wrapping: forged.store, rules: [StorageRule(.hang, on: .get, name: last)])
            let path = target.path
            let task = Task { await forged.restore(tree, to: path, from: hanging) }
            while !hanging.calls.contains(where: { $0.fault == .hang }) { await Task.yield() }
            var partial: [String] = []
            for _ in 0..<1000 {
                partial = TreeListing(target.path).entries.keys.filter { $0.hasSuffix(".partial") }
                if !partial.isEmpty { break }
                try await Task.sleep(nanoseconds: 2_000_000)
            }
            task.cancel()
            #expect(await task.value.error is CancellationError)
            let half = try #require(partial.first, "a half file is visible as one")
            let status = TreeListing(target.path).entries[half]
            #expect(status?.mode == 0o600, "S-06 temporary names are for the owner alone")
            if isSpoilt, let bytes = status?.content, !bytes.isEmpty {
                try target.write(String(half.dropFirst()), bytes.map { $0 ^ 0x55 })
                chmod(target.path + half, 0o600)
            }
            let counting = FaultyStorage(wrapping: forged.store)
            let again = await forged.restore(tree, to: target.path, from: counting)
            #expect(again.isSuccess, "\(again.text)")
            #expect(TreeListing(target.path).differences(from: expected).isEmpty)
            let bytes = { (store: FaultyStorage) in
                store.calls.filter { $0.kind == .pack }.reduce(0) { $0 + ($1.range.map { $0.count } ?? 0) }
            }
            if !isSpoilt { #expect(bytes(counting) < bytes(clean) / 2, "\(bytes(counting)) of \(bytes(clean)) again") }
        }
    }

    private static func firstUse(_ name: ObjectName, _ store: FaultyStorage) -> Int {
        store.calls.first { $0.name == name }?.number ?? 0
    }
}

/// A restore that its own system calls can cancel.
final class CancellableRun: Sendable {
    private let task = Mutex<Task<RestoreOutcome, Never>?>(nil)

    func cancel() { task.withLock { $0?.cancel() } }

    func run(_ body: @escaping @Sendable () async -> RestoreOutcome) async -> RestoreOutcome {
        let started = Task {
            // A cancellation must find the task.
            while self.task.withLock({ $0 == nil }) { await Task.yield() }
            return await body()
        }
        task.withLock { $0 = started }
        return await started.value
    }
}
