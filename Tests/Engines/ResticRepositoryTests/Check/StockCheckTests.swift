import Bytes
import Foundation
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Synchronization
import Testing

@testable import ResticRepository

/// Our check beside the released restic's, on the same repositories.
@Suite(.enabled(if: StockRestic.isInstalled), .serialized)
struct StockCheckTests {
    /// What both of them say of one repository.
    private struct Verdict: Equatable {
        var failed: Bool
        var errors: Int
        var brokenPacks: [String]
        var suggestRepairIndex: Bool
        var suggestPrune: Bool
        var lines: [String]
    }

    private func stock(_ folder: TestFolder) throws -> Verdict {
        let run = try StockRestic.run(["check", "--json", "--read-data", "--no-lock"], repository: folder.path)
        let lastLine = String(run.output.split(separator: "\n").last ?? "{}")
        let summary = try JSONSerialization.jsonObject(with: Data(lastLine.utf8)) as? [String: Any] ?? [:]
        let messages = run.errors.split(separator: "\n").compactMap { line -> String? in
            let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return object?["message_type"] as? String == "error" ? object?["message"] as? String : nil
        }
        return Verdict(
            failed: run.status != 0,
            errors: summary["num_errors"] as? Int ?? -1,
            brokenPacks: (summary["broken_packs"] as? [String] ?? []).sorted(),
            suggestRepairIndex: summary["suggest_repair_index"] as? Bool ?? false,
            suggestPrune: summary["suggest_prune"] as? Bool ?? false,
            lines: comparable(messages)
        )
    }

    private func ours(_ folder: TestFolder) async throws -> Verdict {
        let observer = RecordingObserver()
        let repository = try await Repository.open(
            store: LocalStorage(folder.bytes),
            password: Secret(Array(SmallRepository.password.utf8)),
            environment: SmallRepository.environment()
        )
        let result = try await check(CheckRequest(readData: .all), in: repository, observer: observer)
        let hints = Set(result.findings.filter { $0.severity == .hint }.map(\.checkText))
        return Verdict(
            failed: result.hasErrors,
            errors: result.errorCount,
            brokenPacks: result.brokenPacks.map(\.hex),
            suggestRepairIndex: result.suggestRepairIndex,
            suggestPrune: result.suggestPrune,
            lines: comparable(observer.lines.withLock { $0 }.filter { !hints.contains($0) })
        )
    }

    /// Sorted, without the lines that tell of repeated requests and of what to do; of a failed read only that it failed.
    private func comparable(_ messages: [String]) -> [String] {
        messages.map { $0.trimmingCharacters(in: .newlines) }
            .filter { line in
                !["Load(<", "The repository", "restic repair", "Damaged "].contains { line.hasPrefix($0) } && !line.isEmpty
            }
            .map { line in
                for start in ["download error:", "  ReadFull("] where line.hasPrefix(start) { return start }
                // restic also prints the hash that it got.
                if let end = line.range(of: ": wrong data returned") { return String(line[..<end.lowerBound]) }
                return line
            }
            .sorted()
    }

    private typealias Mutant = (what: String, change: (TestFolder, [ObjectName]) throws -> Void)

    private func flip(_ folder: TestFolder, _ name: ObjectName, _ position: Int) throws {
        var bytes = try #require(folder.read(name.path))
        bytes[position < 0 ? bytes.count + position : position % bytes.count] ^= 0x10
        try folder.write(name.path, bytes)
    }

    /// The objects of a kind by descending size.
    private func pick(_ names: [ObjectName], _ kind: ObjectKind, _ number: Int = 0) throws -> ObjectName {
        let found = names.filter { $0.kind == kind }
        return try #require(found.indices.contains(number) ? found[number] : found.last)
    }

    @Test func `both call the repositories healthy that either of them made`() async throws {
        for version in [1, 2] {
            let folder = TestFolder()
            try folder.write(try await SmallRepository.make(version: version).store)
            let (theirs, mine) = (try stock(folder), try await ours(folder))
            #expect(!theirs.failed && theirs == mine, "version \(version)")

            let source = TestFolder()
            for number in 0..<30 { try source.write("d\(number % 4)/f\(number)", [UInt8](repeating: UInt8(number), count: number * 9000)) }
            let made = TestFolder()
            #expect(try StockRestic.run(["init", "--repository-version", "\(version)"], repository: made.path).status == 0)
            for _ in 0..<2 {
                #expect(try StockRestic.run(["backup", source.path], repository: made.path).status == 0)
                try source.write("d1/more", [1, 2, 3])
            }
            let (stockVerdict, ourVerdict) = (try stock(made), try await ours(made))
            #expect(!stockVerdict.failed && stockVerdict == ourVerdict, "version \(version) made by restic")
        }
    }

    @Test func `both say the same of damaged repositories, line by line`() async throws {
        let mutants: [Mutant] = [
            ("large pack flipped", { folder, names in try flip(folder, pick(names, .pack), 500) }),
            ("pack header flipped", { folder, names in try flip(folder, pick(names, .pack), -20) }),
            ("pack header length flipped", { folder, names in try flip(folder, pick(names, .pack), -1) }),
            ("small pack flipped", { folder, names in try flip(folder, pick(names, .pack, 99), 20) }),
            ("middle pack flipped", { folder, names in try flip(folder, pick(names, .pack, 1), 20) }),
            ("large pack missing", { folder, names in try folder.remove(pick(names, .pack).path) }),
            ("middle pack missing", { folder, names in try folder.remove(pick(names, .pack, 1).path) }),
            ("small pack missing", { folder, names in try folder.remove(pick(names, .pack, 99).path) }),
            ("pack cut", { folder, names in
                let name = try pick(names, .pack)
                try folder.write(name.path, Array(try #require(folder.read(name.path)).dropLast(3)))
            }),
            ("pack longer", { folder, names in
                let name = try pick(names, .pack)
                try folder.write(name.path, try #require(folder.read(name.path)) + [1, 2, 3])
            }),
            ("pack nobody knows", { folder, _ in
                let name = ObjectName(.pack, Digest(a: 0xABCD << 48, b: 1, c: 1, d: 1))
                try folder.write(name.path, [1, 2, 3])
            }),
            ("index missing", { folder, names in try folder.remove(pick(names, .index).path) }),
            ("other index missing", { folder, names in try folder.remove(pick(names, .index, 1).path) }),
            ("index flipped", { folder, names in try flip(folder, pick(names, .index), 40) }),
            ("snapshot flipped", { folder, names in try flip(folder, pick(names, .snapshot), 40) }),
            ("snapshot empty", { folder, names in try folder.write(pick(names, .snapshot).path, []) }),
            ("snapshot missing", { folder, names in try folder.remove(pick(names, .snapshot).path) }),
            ("all packs swapped in place", { folder, names in
                let (first, second) = (try pick(names, .pack), try pick(names, .pack, 1))
                let (one, two) = (folder.read(first.path), folder.read(second.path))
                try folder.write(first.path, try #require(two))
                try folder.write(second.path, try #require(one))
            }),
        ]
        var lines = 0
        for version in [1, 2] {
            let small = try await SmallRepository.make(version: version)
            let names = small.store.contents.sorted { $0.value.count > $1.value.count }.map(\.key)
            for mutant in mutants {
                let folder = TestFolder()
                try folder.write(small.store)
                try mutant.change(folder, names)
                let (theirs, mine) = (try stock(folder), try await ours(folder))
                #expect(theirs == mine, "version \(version): \(mutant.what)")
                lines += theirs.lines.count
            }
        }
        #expect(lines > 60, "otherwise little was compared")
    }

    @Test func `D-05 foreign files are passed over, told and never touched`() async throws {
        let folder = TestFolder()
        try folder.write(try await SmallRepository.make().store)
        let other = TestFolder()
        try other.write("target", [1])
        let strangers = [
            "data/README", "data/zz/abc", "data/00/not-a-pack", "data/00/\(String(repeating: "0", count: 63))g", "data/00/ab-tmp-123", "stray",
            "snapshots/.hidden", "index/x.tmp", "keys/old.bak", "locks/nothing",
        ]
        for name in strangers { try folder.write(name, [1, 2, 3]) }
        let digits = String(repeating: "a", count: 64)
        try FileManager.default.createDirectory(atPath: "\(folder.path)/data/aa/\(digits)", withIntermediateDirectories: true)
        let link = "data/00/00\(String(repeating: "b", count: 62))"
        try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/\(link)", withDestinationPath: "\(other.path)/target")

        let repository = try await Repository.open(
            store: LocalStorage(folder.bytes),
            password: Secret(Array(SmallRepository.password.utf8)),
            environment: SmallRepository.environment()
        )
        let result = try await check(CheckRequest(readData: .all), in: repository)
        #expect(!result.hasErrors, "\(result.findings)")
        let finding = try #require(result.findings.first { $0.code == "foreign-files" })
        #expect(finding.what.hasPrefix("7 entries") || finding.what.contains("data/README"), "\(finding.what)")
        for name in strangers { #expect(folder.exists(name), "\(name)") }
        #expect(other.exists("target") && folder.exists(link))
    }
}
