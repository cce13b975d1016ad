import Bytes
import Foundation
import ObjectStorage
import ResticFormat
import Testing

import ResticRepository

/// Snapshots that claim, or are, far more than they hold.
@Suite struct HostileSizeTests {
    @Test func `H-13 a size that is not the sum of the blobs is refused before anything is created`() async throws {
        let forged = try await ForgedRepository()
        let sizes: [UInt64] = [0, 4, 6, 1 << 31, 1 << 32, 1 << 40, (1 << 63) - 1, 1 << 63, .max]
        for sparse in [false, true] {
            let tree = try await forged.forge { forge in
                var nodes: [Node] = []
                for (number, size) in sizes.enumerated() {
                    let name = ByteString("claims\(number)")
                    nodes.append(try await forge.file(name, Array("12345".utf8)).sized(size))
                    nodes.append(try await forge.file(ByteString("empty\(number)")).sized(max(1, size)))
                }
                nodes.append(try await forge.file("right", Array("12345".utf8)))
                var nothing = forge.described(Node(name: "without", type: .file))
                nothing.size = 1 << 40
                nodes.append(nothing)
                return try await forge.tree(nodes.sorted { $0.name < $1.name })
            }
            let target = TestFolder()
            let outcome = await forged.restore(tree, to: target.path) { $0.sparse = sparse }
            #expect(outcome.error == nil && outcome.log.failedPaths.count == sizes.count * 2 + 1, "\(outcome.text)")
            #expect(TreeListing(target.path).entries.keys.sorted() == ["/right"])
        }
    }

    @Test func `H-13 a blob many times over is written wherever it belongs`() async throws {
        let forged = try await ForgedRepository()
        let part = Array("forty bytes of which the file has many..".utf8)
        let tree = try await forged.forge { forge in
            var node = try await forge.file("many", part)
            let id = node.content?.first ?? BlobID(.zero)
            node.content = [BlobID](repeating: id, count: 20_000)
            node.size = UInt64(part.count * 20_000)
            return try await forge.tree([node, try await forge.file("once", part)])
        }
        let target = TestFolder()
        let store = FaultyStorage(wrapping: forged.store)
        let outcome = await forged.restore(tree, to: target.path, from: store)
        #expect(outcome.isSuccess, "\(outcome.text)")
        #expect(target.read("many") == [[UInt8]](repeating: part, count: 20_000).flatMap { $0 })
        #expect(target.read("once") == part)
        #expect(store.count(.get, .pack) <= 4, "each blob is fetched once")
    }

    @Test(.timeLimit(.minutes(10)))
    func `H-13 a list of a million blobs that no index names is refused at the first`() async throws {
        let forged = try await ForgedRepository()
        let tree = try await forged.forge { forge in
            var node = try await forge.file("lost")
            node.content = [BlobID](repeating: BlobID(Digest(a: 1, b: 2, c: 3, d: 4)), count: 1_000_000)
            node.size = 1 << 40
            return try await forge.tree([node, try await forge.file("right", [1, 2, 3])])
        }
        let target = TestFolder()
        let outcome = await forged.restore(tree, to: target.path)
        #expect(outcome.error == nil && outcome.log.failedPaths == ["/lost"], "\(outcome.text)")
        #expect(TreeListing(target.path).entries.keys.sorted() == ["/right"])
    }

    @Test(.timeLimit(.minutes(10)), arguments: [false, true])
    func `I-09 sixty levels that each name the next one twice end at a bound`(isDryRun: Bool) async throws {
        let forged = try await ForgedRepository()
        let tree = try await forged.forge { forge in
            var tree = try await forge.tree([])
            for _ in 0..<60 {
                let (a, b) = (Node.directory("a", tree), Node.directory("b", tree))
                tree = try await forge.tree([forge.described(a, mode: 0o755), forge.described(b, mode: 0o755)])
            }
            return tree
        }
        let target = TestFolder()
        let memory = residentMebibytes()
        let started = ContinuousClock.now
        let outcome = await forged.restore(tree, to: target.path) { $0.isDryRun = isDryRun }
        let seconds = started.duration(to: .now)
        print(
            "I-09 \(isDryRun ? "dry " : "")restore of 2^60 paths: \(seconds), \(residentMebibytes() - memory) MiB more"
        )
        #expect(!outcome.isSuccess)
        #expect(seconds < .seconds(200) && residentMebibytes() - memory < 512)
    }

    @Test(.timeLimit(.minutes(10)))
    func `I-09 Q-05 a tree of 20,000 levels is restored without recursion`() async throws {
        let depth = 20_000
        let forged = try await ForgedRepository()
        let tree = try await forged.forge { forge in
            var tree = try await forge.tree([try await forge.file("end", Array("of the way".utf8))])
            for _ in 0..<depth {
                tree = try await forge.tree([forge.described(Node.directory("d", tree), mode: 0o755)])
            }
            return tree
        }
        let target = TestFolder()
        let started = ContinuousClock.now
        let outcome = await forged.restore(tree, to: target.path)
        print("I-09 restore of \(depth) levels: \(started.duration(to: .now))")
        #expect(outcome.isSuccess, "\(outcome.text.prefix(1000))")
        #expect(outcome.result?.progress.filesFinished == UInt64(depth + 1))
    }
}

/// What the kernel says this process holds in memory.
func residentMebibytes() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * Int(getpagesize()) >> 20
}
