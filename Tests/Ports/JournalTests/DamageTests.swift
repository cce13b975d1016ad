import Bytes
import Foundation
import GRDB
import HostSystem
import Journal
import Testing

/// Damaged, deleted, cut, replaced: the journal is opened, says what it found, and takes new entries (M-03).
@Suite(.serialized) struct DamageTests {
    let bench: Bench

    init() throws { bench = try Bench(inMemory: true) }

    private func isMovedAside(_ journal: RunJournal) -> Bool {
        guard case .movedAside(let path) = journal.opening.state else { return false }
        return FileManager.default.fileExists(atPath: path)
    }

    /// Whatever was found, what is recorded now is there after reopening.
    private func takesEntries(_ journal: RunJournal, _ comment: String) async {
        await journal.record(run(900))
        await journal.close()
        let again = await bench.open()
        #expect(again.opening.state == .opened, "\(comment)")
        #expect(await again.run("run-900") == nil ? false : true, "\(comment)")
        await again.close()
    }

    @Test func `M-03 a deleted journal begins anew and asks to be rebuilt`() async throws {
        await bench.fill(2)
        let before = await bench.open()
        await before.rebuild()
        await before.close()
        bench.remove("journal.sqlite")
        let journal = await bench.open()
        #expect(journal.opening.state == .fresh)
        #expect(await journal.needsRebuild())
        #expect(await runs(journal).isEmpty)
        await takesEntries(journal, "deleted")
    }

    @Test func `M-03 garbage of any length is moved aside, and the new journal asks to be rebuilt`() async throws {
        var generator = SplitMix64(seed: 5)
        for length in [2, 15, 16, 99, 100, 511, 512, 4_095, 4_096, 4_097, 70_000] {
            try? FileManager.default.createDirectory(atPath: bench.folder, withIntermediateDirectories: true)
            bench.write(generator.bytes(length))
            let journal = await bench.open()
            #expect(isMovedAside(journal), "\(length): \(journal.opening)")
            #expect(await journal.needsRebuild())
            await takesEntries(journal, "\(length)")
            bench.remove("journal.sqlite")
        }
        #expect(bench.names().filter { $0.contains("damaged") }.count == JournalLimits.asideFilesMax)
        #expect(bench.warnings.contains { $0.contains("a new one is begun") })
    }

    @Test func `M-03 a journal cut at any length is read whole, begun anew, or moved aside`() async throws {
        await bench.fill(40)
        let whole = bench.content()
        var counts = ["fresh": 0, "aside": 0]
        let lengths = [0, 1, 16, 99, 100] + Array(stride(from: 512, to: whole.count, by: 1_536))
        for length in lengths {
            bench.write(Array(whole.prefix(length)))
            let journal = await bench.open()
            switch journal.opening.state {
            case .fresh:
                #expect(length < 2)
                counts["fresh", default: 0] += 1
            case .movedAside: counts["aside", default: 0] += 1
            case .opened:
                // What is missing of the last page were zeros.
                #expect(await runs(journal).count == 40, "\(length)")
                counts["whole", default: 0] += 1
            default: Issue.record("\(length): \(journal.opening)")
            }
            #expect(await journal.needsRebuild())
            await takesEntries(journal, "\(length)")
        }
        print("M-03 cut: \(counts) of \(lengths.count) lengths")
    }

    @Test func `M-03 one flipped bit anywhere never ends in a crash or in a journal that takes nothing`() async throws {
        await bench.fill(25)
        let whole = bench.content()
        var generator = SplitMix64(seed: 9)
        var counts: [String: Int] = [:]
        // All bytes of the header, then samples.
        let places = Array(0..<100) + (0..<150).map { _ in Int(generator.next() % UInt64(whole.count)) }
        for place in places {
            var bytes = whole
            bytes[place] ^= 1 << UInt8(generator.next() % 8)
            bench.write(bytes)
            bench.remove("journal-pending.jsonl")
            let journal = await bench.open()
            _ = await journal.newestSteps(kind: "backup")
            _ = await journal.runs(since: at(0), limit: 100)
            _ = await journal.steps(ofRun: "run-3")
            switch journal.opening.state {
            case .opened:
                counts["opened", default: 0] += 1
                await takesEntries(journal, "bit in \(place)")
            case .movedAside:
                counts["aside", default: 0] += 1
                await takesEntries(journal, "bit in \(place)")
            case .refused:
                counts["refused", default: 0] += 1
                #expect((60..<64).contains(place))
            case .fresh, .migrated, .unavailable: Issue.record("\(place): \(journal.opening) \(bench.warnings)")
            }
        }
        print("M-03 flipped: \(counts) of \(places.count) places")
    }

    @Test func `M-03 pages overwritten in the middle are moved aside`() async throws {
        await bench.fill(200)
        let whole = bench.content()
        var aside = 0
        let pages = Array(1..<(whole.count / 4_096))
        for page in pages {
            var bytes = whole
            for index in (page * 4_096)..<(page * 4_096 + 4_096) {
                bytes[index] = UInt8(truncatingIfNeeded: index &* 31)
            }
            bench.write(bytes)
            let journal = await bench.open()
            if isMovedAside(journal) { aside += 1 }
            await journal.close()
        }
        #expect(aside == pages.count)
    }

    @Test func `M-03 an older copy in its place is noticed, and asks to be rebuilt`() async throws {
        await bench.fill(3)
        let older = bench.content()
        let journal = await bench.open()
        await journal.rebuild()
        await journal.record(run(4))
        await journal.close()
        let newer = bench.content()
        bench.write(older)
        let back = await bench.open()
        #expect(back.opening.state == .opened)
        #expect(back.opening.wasSetBack)
        #expect(await back.needsRebuild())
        #expect(bench.warnings.contains { $0.contains("older copy") })
        await back.rebuild()
        await back.close()
        #expect(await !bench.open().opening.wasSetBack)
        // The newer one in place of the older one knows everything.
        bench.write(newer)
        bench.remove("journal.generation")
        #expect(await !bench.open().opening.wasSetBack)
    }

    @Test func `M-03 a journal of another machine in its place asks to be rebuilt`() async throws {
        await bench.fill(3)
        let other = try Bench(inMemory: true)
        await other.fill(9)
        bench.write(other.content())
        let journal = await bench.open()
        #expect(journal.opening.wasSetBack)
        #expect(await journal.needsRebuild())
    }

    @Test func `M-03 a directory or a link in its place is moved aside`() async throws {
        for line in ["mkdir -p journal.sqlite/x", "ln -s /etc/passwd journal.sqlite", "mkfifo journal.sqlite"] {
            await bench.fill(1)
            Bench.shell("cd '\(bench.folder)' && rm -rf journal.sqlite && \(line)")
            let journal = await bench.open()
            guard case .movedAside = journal.opening.state else {
                Issue.record("\(line): \(journal.opening)")
                continue
            }
            await takesEntries(journal, line)
        }
    }

    @Test func `M-03 a database of another program, and one without our tables, are moved aside whole`() async throws {
        let statements = [
            "PRAGMA application_id = 0; PRAGMA user_version = 0", "PRAGMA application_id = 77", "DROP TABLE evidence",
            "ALTER TABLE run DROP COLUMN summary", "DELETE FROM meta", "PRAGMA user_version = 0",
            "PRAGMA user_version = -3", "PRAGMA user_version = 65536",
        ]
        for statement in statements {
            await bench.fill(1)
            let queue = try DatabaseQueue(path: bench.database)
            try await queue.writeWithoutTransaction { try $0.execute(sql: statement) }
            try queue.close()
            let journal = await bench.open()
            #expect(isMovedAside(journal), "\(statement): \(journal.opening)")
            await takesEntries(journal, statement)
        }
    }

    @Test func `M-03 deleted, replaced or overwritten while it is open: what is recorded then is kept`() async throws {
        for line in [
            "rm journal.sqlite", "mv journal.sqlite old", "cp journal.sqlite x; mv x journal.sqlite",
            "rm -rf ../state", "rm journal-pending.jsonl journal.sqlite", "rm journal.generation",
            "dd if=/dev/urandom of=journal.sqlite bs=4096 count=20 conv=notrunc 2>/dev/null",
            "truncate -s 5000 journal.sqlite",
        ] {
            let journal = await bench.open()
            await journal.record(run(1))
            Bench.shell("cd '\(bench.folder)' && \(line)")
            await journal.record(run(2))
            // What was taken away is begun anew at once, not after a wait.
            if line.hasPrefix("rm ") || line.hasPrefix("mv ") || line.hasPrefix("cp ") {
                #expect(await journal.run("run-2") != nil, "\(line)")
                #expect(journal.isUsable)
            }
            await journal.record(run(3))
            await journal.close()
            let again = await bench.open()
            let found = await runs(again)
            #expect(found.suffix(2) == ["run-2", "run-3"], "\(line): \(found) \(again.opening)")
            await again.close()
            Bench.shell("rm -rf '\(bench.folder)'")
        }
    }
}
