import Bytes
import Foundation
import HostSystem
import ObjectStorage
import ResticFormat
import Synchronization
import Testing

import ResticRepository

/// A target that somebody else changes while a restore runs (H-05).
@Suite struct SwappedTargetTests {
    private static let entries: [ForgedEntry] = {
        var random = SplitMix64(seed: 41)
        return [
            .directory("/dir", mode: 0o700),
            .file("/dir/a", random.bytes(300), random.bytes(4_000), mode: 0o777),
            .directory("/dir/deep", mode: 0o777),
            .file("/dir/deep/witness", Array("evil".utf8), mode: 0o4777),
            .file("/dir/witness", Array("evil".utf8), mode: 0o4777),
            ForgedEntry(path: "/dir/twin", kind: .link("/dir/a"), mode: 0o777),
            ForgedEntry(path: "/dir/pipe", kind: .fifo, mode: 0o777),
            .symlink("/dir/way", "evil"),
        ]
    }()

    @Test func `H-05 links that stand in the target are replaced, never followed`() async throws {
        let forged = try await ForgedRepository()
        let tree = try await forged.save(Self.entries)
        for path in ["dir", "dir/deep", "dir/a", "dir/witness", "dir/twin", "dir/pipe", "dir/way"] {
            let arena = try Arena()
            let full = arena.target + "/" + path
            try FileManager.default.createDirectory(
                atPath: (full as NSString).deletingLastPathComponent,
                withIntermediateDirectories: true
            )
            for destination in [arena.outside, arena.outside + "/witness", arena.outside + "/new"] {
                removeDeepTree(full)
                symlink(destination, full)
                let changes = await arena.changes {
                    let outcome = await forged.restore(tree, to: arena.target)
                    #expect(outcome.isSuccess, "\(path) \(outcome.text)")
                }
                #expect(changes.isEmpty, "\(path) to \(destination): \(changes)")
                #expect(TreeListing(arena.target) == TreeListing(expecting: Self.entries), "\(path)")
            }
        }
    }

    /// What an attacker does at one moment to what stands at a path.
    private enum Swap: CaseIterable {
        case symlinkToFolder, symlinkToFile, hardLink
    }

    @Test(.timeLimit(.minutes(10)), arguments: ["dir", "dir/deep", "dir/a", "dir/witness"])
    func `H-05 a swap before any call leads nothing outside`(path: String) async throws {
        let forged = try await ForgedRepository()
        let tree = try await forged.save(Self.entries)
        var attempts = 0
        for swap in Swap.allCases where swap != .hardLink || path.hasSuffix("a") || path.hasSuffix("witness") {
            var point = 0
            while true {
                let arena = try Arena()
                let full = arena.target + "/" + path
                // A file is there already, to be patched in place or left alone.
                try arena.folder.write("deep/target/dir/a", Self.partOfA + [1, 2, 3])
                try arena.folder.write("deep/target/dir/witness", Array("evil".utf8))
                let outside = arena.outside
                let here = point
                let hooks = SystemHooks { _, _, number in
                    if number == here { Self.perform(swap, at: full, outside) }
                    return .proceed
                }
                let changes = await arena.changes {
                    _ = await forged.restore(tree, to: arena.target) { $0.hooks = hooks }
                }
                // Another name of the witness changes its count of links and its change time, and nothing else here sees that.
                #expect(changes.isEmpty, "\(swap) before call \(point): \(changes)")
                attempts += 1
                if hooks.record.count <= point { break }
                point += 1
            }
        }
        print("H-05 \(path): \(attempts) swaps, each before another call")
    }

    private static let partOfA: [UInt8] = {
        guard case .file(let parts) = entries[1].kind else { return [] }
        return parts[0]
    }()

    private static func perform(_ swap: Swap, at path: String, _ outside: String) {
        guard rename(path, path + ".away") == 0 else { return }
        switch swap {
        case .symlinkToFolder: symlink(outside, path)
        case .symlinkToFile: symlink(outside + "/witness", path)
        case .hardLink: link(outside + "/witness", path)
        }
    }

    /// What an attacker puts in the place of a file that is not complete yet.
    enum Intruder: String, CaseIterable, Sendable { case file, symlink, hardLink }

    /// Puts it there; answers its inode.
    private static func intrude(_ intruder: Intruder, at path: String, _ outside: String) -> ino_t? {
        guard rename(path, path + ".away") == 0 else { return nil }
        switch intruder {
        case .file:
            guard FileManager.default.createFile(atPath: path, contents: Data("evil".utf8)) else { return nil }
            chmod(path, 0o4777)
        case .symlink: symlink(outside + "/witness", path)
        case .hardLink: link(outside + "/witness", path)
        }
        return inode(path)
    }

    private static func inode(_ path: String) -> ino_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_ino : nil
    }

    /// In a directory that was there, where others may write; one that the restore makes is for its user alone until it ends.
    @Test(.timeLimit(.minutes(10)), arguments: Intruder.allCases)
    func `H-05 what was put in the place of an unfinished file never gets its name`(intruder: Intruder) async throws {
        let forged = try await ForgedRepository()
        let tree = try await forged.save(Array(Self.entries[0...1]))
        var (point, swaps) = (0, 0)
        while true {
            let arena = try Arena()
            let (target, outside, here) = (arena.target, arena.outside, point)
            try FileManager.default.createDirectory(atPath: target + "/dir", withIntermediateDirectories: true)
            let evil = Mutex<ino_t?>(nil)
            let hooks = SystemHooks { call, _, number in
                // The name is given in one call, and what happens right before that one cannot be seen.
                guard number == here, call != .rename else { return .proceed }
                let unfinished = TreeListing(target).entries.keys.first { $0.hasSuffix(".partial") }
                if let unfinished {
                    evil.withLock { $0 = Self.intrude(intruder, at: target + unfinished, outside) }
                }
                return .proceed
            }
            let isSuccess = Mutex(false)
            let changes = await arena.changes {
                let outcome = await forged.restore(tree, to: target) { $0.hooks = hooks }
                isSuccess.withLock { $0 = outcome.isSuccess }
            }
            #expect(changes.isEmpty, "before call \(point): \(changes)")
            if let evil = evil.withLock({ $0 }) {
                swaps += 1
                #expect(Self.inode(target + "/dir/a") != evil, "before call \(point)")
                #expect(!isSuccess.withLock { $0 }, "before call \(point)")
            } else {
                #expect(isSuccess.withLock { $0 }, "before call \(point)")
            }
            if hooks.record.count <= point { break }
            point += 1
        }
        print("H-05 \(intruder) in the place of an unfinished file: \(swaps) swaps, none named")
        #expect(swaps > 3)
    }

    @Test(.timeLimit(.minutes(10)))
    func `H-05 thousands of swaps by another thread lead nothing outside`() async throws {
        let forged = try await ForgedRepository()
        let tree = try await forged.save(Self.entries)
        let wanted = ProcessInfo.processInfo.environment["HOLDFAST_LONG_TESTS"] == nil ? 2_000 : 10_000
        let arena = try Arena()
        let (target, outside) = (arena.target, arena.outside)
        let swaps = Atomic<Int>(0)
        let isOver = Atomic<Bool>(false)
        mkdir(target + "/dir", 0o755)
        let ended = DispatchSemaphore(value: 0)
        let thread = Thread {
            while !isOver.load(ordering: .relaxed) {
                for path in ["/dir", "/dir/deep"] {
                    guard rename(target + path, target + path + ".away") == 0 else {
                        // A restore made the directory anew while the old one was away; both would stand in the way for ever.
                        removeDeepTree(target + path + ".away")
                        continue
                    }
                    symlink(outside, target + path)
                    swaps.add(1, ordering: .relaxed)
                    usleep(50)
                    unlink(target + path)
                    rename(target + path + ".away", target + path)
                }
                usleep(50)
            }
            ended.signal()
        }
        let changes = await arena.changes {
            thread.start()
            var restores = 0
            while swaps.load(ordering: .relaxed) < wanted {
                _ = await forged.restore(tree, to: target)
                restores += 1
            }
            isOver.store(true, ordering: .relaxed)
            ended.wait()
            print("H-05 \(swaps.load(ordering: .relaxed)) swaps during \(restores) restores")
        }
        #expect(changes.isEmpty, "\(changes)")
        removeDeepTree(target)
        mkdir(target, 0o755)
        #expect(await forged.restore(tree, to: target).isSuccess)
    }
}
