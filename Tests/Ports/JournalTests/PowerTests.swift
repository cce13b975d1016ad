import Bytes
import Foundation
import GRDB
import Glibc
import HostSystem
import Journal
import Testing

/// Processes killed and power cut while the journal is written (M-01).
@Suite(.serialized) struct PowerTests {
    let bench: Bench

    init() throws { bench = try Bench() }

    @Test func `M-01 a process killed while it records keeps all that it was told is recorded`() async throws {
        var acknowledged = 0
        var interrupted = 0
        let rounds = 12
        for round in 0..<rounds {
            try? FileManager.default.createDirectory(atPath: bench.path, withIntermediateDirectories: true)
            let delay = UInt32(2_000 + round * 9_000)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = bench.path as String, delay = delay as UInt32] in
                try await recordUntilKilled(path: path, delay: delay)
            }
            let told = String(
                decoding: FileManager.default.contents(atPath: bench.path + "/told") ?? Data(),
                as: UTF8.self
            )
            let numbers = told.split(separator: "\n").compactMap { Int($0) }
            let journal = await bench.open()
            #expect(journal.opening.state == .opened, "\(journal.opening) \(bench.warnings)")
            #expect(!journal.opening.wasSetBack)
            let kept = Set(await runs(journal))
            for number in numbers { #expect(kept.contains(id(number)), "\(number)") }
            for run in await journal.runs(since: at(-1), limit: 10_000) {
                #expect(run.outcome == .ok || run.outcome == .interrupted)
                // Entries of one call are there together.
                #expect(await journal.steps(ofRun: run.id).count == 1)
                if numbers.contains(where: { id($0) == run.id }) { #expect(run.outcome == .ok) }
            }
            acknowledged += numbers.count
            interrupted += journal.opening.interruptedRuns
            #expect(journal.opening.interruptedRuns <= 1)
            await journal.close()
            Bench.shell("rm -rf '\(bench.path)'")
        }
        print(
            "M-01 killed: \(rounds) times, \(acknowledged) finished runs kept, \(interrupted) became interrupted, 0 lost"
        )
        #expect(acknowledged > 0)
    }

    /// Copies the files as a power cut would leave them, before each statement of a transaction that has begun to change the database.
    @Test func `M-01 power cut before any statement leaves the journal as it was before the transaction`() async throws
    {
        await bench.fill(60)
        var configuration = Configuration()
        // A cache of a few pages writes into the database long before the commit.
        configuration.prepareDatabase {
            try $0.execute(sql: "PRAGMA cache_size = 4; PRAGMA cache_spill = 4; PRAGMA synchronous = EXTRA")
        }
        let queue = try DatabaseQueue(path: bench.database, configuration: configuration)
        let copies = try await queue.writeWithoutTransaction { [bench] database in
            var copies: [String] = []
            try database.execute(sql: "BEGIN IMMEDIATE")
            for number in 0..<40 {
                try database.execute(
                    sql: """
                        UPDATE run SET summary = printf('%.*c', 900, 'x') WHERE rowid = \(number + 1);
                        INSERT INTO audit (at, who, what, object) VALUES (1, 'a', 'b', printf('%.*c', 900, 'y'))
                        """
                )
                let copy = bench.path + "/copy-\(number)"
                Bench.shell("mkdir '\(copy)' && cp '\(bench.folder)'/journal.sqlite* '\(copy)'")
                copies.append(copy)
            }
            try database.execute(sql: "ROLLBACK")
            return copies
        }
        var hot = 0
        let original = bench.content()
        for copy in copies {
            let changed = FileManager.default.contents(atPath: copy + "/journal.sqlite").map { Array($0) } != original
            let journalBytes = FileManager.default.contents(atPath: copy + "/journal.sqlite-journal")?.count ?? 0
            if changed, journalBytes > 0 { hot += 1 }
            let journal = await bench.open(copy)
            #expect(journal.opening.state == .opened, "\(copy): \(journal.opening)")
            #expect(await runs(journal).count == 60)
            #expect(await journal.run("run-1")?.summary == "")
            #expect(await journal.audit(limit: 10).isEmpty)
            await journal.close()
        }
        print("M-01 power cut: \(copies.count) points, \(hot) with a changed database and a hot journal")
        #expect(hot > 5)
    }

    @Test func `M-01 a database that is taken away from its hot journal does not harm the next one`() async throws {
        await bench.fill(3)
        let queue = try DatabaseQueue(path: bench.database)
        let journalBytes = try await queue.writeWithoutTransaction { [bench] database in
            try database.execute(sql: "BEGIN IMMEDIATE; UPDATE run SET summary = 'x'")
            let bytes = bench.content("journal.sqlite-journal")
            try database.execute(sql: "ROLLBACK")
            return bytes
        }
        #expect(journalBytes.count > 512)
        for line in ["rm journal.sqlite", "head -c 9000 /dev/urandom > journal.sqlite"] {
            bench.write(journalBytes, to: "journal.sqlite-journal")
            Bench.shell("cd '\(bench.folder)' && \(line)")
            let journal = await bench.open()
            #expect(await runs(journal).isEmpty)
            #expect(!bench.names().contains("journal.sqlite-journal"))
            #expect(bench.names().contains { $0.hasPrefix("journal.sqlite.damaged-") && $0.hasSuffix("-journal") })
            await journal.record(run(7))
            await journal.close()
            let again = await bench.open()
            #expect(await runs(again) == ["run-7"])
            await again.close()
        }
    }
}

/// What the killed process does: it says a number only after the journal has it.
private func recordUntilKilled(path: String, delay: UInt32) async throws {
    let journal = await RunJournal.open(
        folder: path + "/state",
        on: try WorkerPool(width: 2, name: "journal"),
        host: "docker-srv",
        time: HandTime(),
        entropy: SystemEntropy(),
        warn: { _ in }
    )
    let file = open(path + "/told", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    Thread.detachNewThread {
        usleep(delay)
        kill(getpid(), SIGKILL)
    }
    for number in 1...1_000_000 {
        await journal.record(run(number, outcome: .running))
        await journal.record(run(number))
        let line = Array("\(number)\n".utf8)
        _ = line.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    }
}
