import Bytes
import Foundation
import ObjectStorage
import ResticFormat
import Outcome
import Synchronization
import Testing

import ResticRepository

/// Our reading of patterns beside that of the released restic, on one generated tree.
@Suite(.enabled(if: StockRestic.isInstalled), .serialized) struct StockPatternTests {
    private static let words = [
        "a", "b", "A", "foo", "foo.txt", "Foo.TXT", "x.o", "[z]", "st*r", "q?", "é", "É", ".hid", "a b", "!no",
    ]

    /// Folders three deep with names that patterns trip over.
    private static func write(_ bench: BackupBench, _ random: inout SplitMix64) throws -> Int {
        var count = 0
        for _ in 0..<70 {
            var path: [String] = []
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                path.append(words.randomElement(using: &random) ?? "a")
            }
            let isFile = Bool.random(using: &random)
            let full = bench.source.path + "/" + path.joined(separator: "/")
            let parent = isFile ? (full as NSString).deletingLastPathComponent : full
            guard (try? FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)) != nil,
                isFile, !FileManager.default.fileExists(atPath: full)
            else { continue }
            try bench.source.write(path.joined(separator: "/"), Array(full.utf8))
            count += 1
        }
        return count
    }

    /// Hard cases by name, then random ones; BASE stands for the folder of the source.
    private static func patternLists(_ random: inout SplitMix64) -> [[String]] {
        var lists: [[String]] = [
            ["foo"], ["*"], ["**"], ["*.txt"], ["a/"], ["/a"], ["BASE/a"], ["BASE/a/"], ["BASE/*/foo"], ["BASE/**/foo"],
            ["**/foo/**"], ["a/**/b"], ["foo/*"], ["foo/**"], ["[abc]"], ["[^abc]"], ["[a-c]*"], ["\\[z\\]"], ["[[]z]"],
            ["st\\*r"], ["st*r"], ["q\\?"], ["q?"], ["é"], ["?"], ["??"], ["[é]"], [".*"], ["a b"], ["\\!no"], ["!no"],
            ["*", "!foo"], ["*.txt", "!foo.txt"], ["a", "!a/b"], ["BASE/a/*", "!BASE/a/b"], ["!a", "a"],
            ["*.o", "!x.o", "x.o"],
            ["./a"], ["a//b"], ["a/../b"], ["a/."], [".."], ["/"], [""], ["***"], ["a**"], ["**a"], ["*/*/*"], ["*/a"],
            ["BASE"], ["BASE/**/b/*"], ["**/**/a"], ["a/**"], ["[]a]"], ["[a-]"], ["[!a]"], ["*[ab]*"], ["\\a"],
            ["BASE/**/!no/**"], ["BASE/**/a/**/b"], ["**/foo/**/a"], ["a/**/b/**"], ["**/**"], ["**/**/**"],
            ["BASE/**/**/foo"], ["**/a/**/**"],
        ]
        let parts = words + ["*", "**", "?", "[a-f]*", "*o*", "[^a]", "fo?", "*.*"]
        for _ in 0..<12 {
            var list: [String] = []
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let count = Int.random(in: 1...3, using: &random)
                var text = (0..<count).map { _ in parts.randomElement(using: &random) ?? "a" }.joined(separator: "/")
                if Int.random(in: 0..<4, using: &random) == 0 { text = "BASE/" + text }
                if !list.isEmpty, Int.random(in: 0..<3, using: &random) == 0 { text = "!" + text }
                list.append(text)
            }
            lists.append(list)
        }
        return lists
    }

    @Test(.timeLimit(.minutes(10)), arguments: [false, true])
    func `patterns leave out what stock restic leaves out`(ignoringCase: Bool) async throws {
        let seed = TestSeed.value
        print("patterns, seed \(seed)")
        var random = SplitMix64(seed: seed)
        let bench = BackupBench()
        let empty = MemoryStorage()
        try await bench.create(empty)
        #expect(try Self.write(bench, &random) > 10)
        let folder = TestFolder()
        try folder.write(empty)
        var compared = 0
        var refused = 0
        // The last of the cases are enough for the variant.
        for list in Self.patternLists(&random).dropFirst(ignoringCase ? 50 : 0) {
            let patterns = list.map { $0.replacingOccurrences(of: "BASE", with: bench.source.path) }
            let option = ignoringCase ? "--iexclude" : "--exclude"
            let stock = try StockRestic.run(
                ["backup", ".", "--dry-run", "-vv", "--json", "--no-scan"] + patterns.flatMap { [option, $0] },
                repository: folder.path,
                directory: bench.source.path
            )
            let malformed = PatternList.malformed(patterns.map { ByteString($0) })
            if stock.status != 0, !stock.errors.contains("snapshot is empty") {
                #expect(!malformed.isEmpty, "\(list): \(stock.errors)")
                refused += 1
                continue
            }
            #expect(malformed.isEmpty, "\(list)")
            let log = ItemLog()
            let store = empty.copy()
            let repository = try await bench.open(store)
            _ = try? await bench.onPool {
                try await bench.backUp(to: repository, observer: log) { request in
                    if ignoringCase {
                        request.filter.insensitiveExcludes = patterns.map { ByteString($0) }
                    } else {
                        request.filter.excludes = patterns.map { ByteString($0) }
                    }
                }
            }
            let ours = Set(log.actions.withLock { $0.keys })
            let theirs = Self.items(stock.output)
            let difference = ours.symmetricDifference(theirs).sorted()
            #expect(
                difference.isEmpty,
                "\(list): ours alone \(ours.subtracting(theirs).sorted().prefix(5)), stock alone \(theirs.subtracting(ours).sorted().prefix(5))"
            )
            compared += 1
        }
        print("patterns: \(compared) lists compared, \(refused) refused by both")
        #expect(compared > 15)
    }

    /// Paths that a verbose run says were saved.
    private static func items(_ output: String) -> Set<String> {
        var items: Set<String> = []
        for line in output.split(separator: "\n") {
            guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                object["message_type"] as? String == "verbose_status", let item = object["item"] as? String,
                let action = object["action"] as? String, ["new", "unchanged", "modified"].contains(action)
            else { continue }
            items.insert(item)
        }
        return items
    }
}
