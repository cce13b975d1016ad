import Bytes
import Foundation
import Glibc
import GRDB
import HostSystem
import Journal
import Outcome
import Testing

/// What opening finds, and what it makes of it.
@Suite(.serialized) struct OpeningTests {
    let bench: Bench

    init() throws { bench = try Bench() }

    /// Runs SQL on the database by another connection.
    private func sql(_ text: String) throws {
        let queue = try DatabaseQueue(path: bench.database)
        try queue.writeWithoutTransaction { try $0.execute(sql: text) }
        try queue.close()
    }

    @Test func `M-02 a rollback journal, synchronous EXTRA, no memory map, and our numbers in the header`() async throws
    {
        let journal = await bench.open()
        let settings = await journal.settings()
        #expect(settings["journal_mode"] == "delete")
        #expect(settings["synchronous"] == "3")
        #expect(settings["mmap_size"] == "0")
        #expect(settings["user_version"] == "\(JournalSchema.current.version)")
        #expect(settings["application_id"] == "\(JournalSchema.applicationID)")
        #expect(settings["library"]?.split(separator: ".").count == 3)
        #expect(!bench.names().contains { $0.hasSuffix("-wal") || $0.hasSuffix("-shm") })
    }

    @Test func `M-02 a database that somebody put into WAL mode is taken out of it`() async throws {
        await bench.fill(3)
        try sql("PRAGMA journal_mode = WAL")
        let journal = await bench.open()
        #expect(await journal.settings()["journal_mode"] == "delete")
        #expect(await runs(journal).count == 3)
        #expect(!bench.names().contains { $0.hasSuffix("-wal") || $0.hasSuffix("-shm") })
    }

    @Test func `M-05 runs of a process that is gone become interrupted, with their steps`() async throws {
        let journal = await bench.open()
        await journal.record(run(1) + run(2, outcome: .running) + run(3, outcome: .running))
        await journal.close()
        // A number that no process has, and one that another process has by now.
        try sql("UPDATE run SET process = '999999999' || substr(process, instr(process, ' ')) WHERE id = 'run-2'")
        try sql("UPDATE run SET process = '1' || substr(process, instr(process, ' ')) WHERE id = 'run-3'")
        let again = await bench.open()
        #expect(again.opening.interruptedRuns == 2)
        #expect(await again.run("run-1")?.outcome == .ok)
        for number in [2, 3] {
            #expect(await again.run(id(number))?.outcome == .interrupted)
            #expect(await again.run(id(number))?.ended == nil)
            #expect(await again.steps(ofRun: id(number)).map(\.outcome) == [.interrupted])
        }
        #expect(await bench.open().opening.interruptedRuns == 0)
    }

    @Test func `M-05 a run of a process that lives is left alone by another one that opens`() async throws {
        let first = await bench.open()
        await first.record(run(1, outcome: .running))
        let second = await bench.open()
        #expect(second.opening.interruptedRuns == 0)
        #expect(await second.run("run-1")?.outcome == .running)
        await first.record(run(1))
        #expect(await second.run("run-1")?.outcome == .ok)
    }

    @Test func `M-05 a run before the last boot is interrupted, one in another container only after a week`()
        async throws
    {
        let journal = await bench.open()
        await journal.record(run(1, outcome: .running) + run(2, outcome: .running))
        await journal.close()
        try sql("UPDATE run SET process = '1 0-other-boot/pid:[1]/5' WHERE id = 'run-1'")
        let now = bench.time.now().seconds * 1_000_000_000
        try sql(
            "UPDATE run SET started = \(now), process = substr(process, 1, instr(process, '/')) || 'pid:[1]/5' WHERE id = 'run-2'"
        )
        let second = await bench.open()
        #expect(second.opening.interruptedRuns == 1)
        #expect(await second.run("run-2")?.outcome == .running)
        bench.time.advance(seconds: 8 * 86_400)
        #expect(await bench.open().opening.interruptedRuns == 1)
    }

    @Test func `M-13 a newer schema is refused in words, and nothing of it is changed`() async throws {
        await bench.fill(2)
        try sql("PRAGMA user_version = 7")
        let before = bench.content()
        let journal = await bench.open()
        guard case .refused(let text) = journal.opening.state else {
            Issue.record("\(journal.opening)")
            return
        }
        #expect(text.contains("newer holdfast (schema 7, this one knows 1)"))
        #expect(text.contains("Next:"))
        #expect(!journal.isUsable)
        await journal.record(run(3))
        #expect(await runs(journal).isEmpty)
        #expect(bench.content() == before)
        #expect(!bench.names().contains { $0.contains("damaged") || $0.contains("schema-") })
        // The program that can read it takes over what was recorded meanwhile.
        try sql("PRAGMA user_version = 1")
        let again = await bench.open()
        #expect(again.opening.imported == 2)
        #expect(await runs(again) == ["run-1", "run-2", "run-3"])
    }

    @Test func `M-13 an older schema is migrated, and a copy of what it was is kept`() async throws {
        await bench.fill(4)
        var next = JournalSchema.current
        next.steps.append("ALTER TABLE run ADD COLUMN note TEXT; CREATE TABLE extra (x INTEGER NOT NULL) STRICT")
        let journal = await bench.open(schema: next)
        guard case .migrated(let copy) = journal.opening.state else {
            Issue.record("\(journal.opening) \(bench.warnings)")
            return
        }
        #expect(await runs(journal).count == 4)
        #expect(await journal.settings()["user_version"] == "2")
        #expect(try bench.permissions(copy) == 0o600)
        #expect(bench.names().contains("journal.sqlite.schema-1-20261118T110640Z"))
        // The copy is a whole journal of the older version.
        await journal.close()
        try FileManager.default.removeItem(atPath: bench.database)
        try FileManager.default.moveItem(atPath: copy, toPath: bench.database)
        let old = await bench.open()
        #expect(old.opening.state == .opened)
        #expect(old.opening.wasSetBack)
        #expect(await runs(old).count == 4)
    }

    @Test func `M-13 a migration that fails changes nothing`() async throws {
        await bench.fill(2)
        var next = JournalSchema.current
        next.steps.append("CREATE TABLE extra (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1)")
        let journal = await bench.open(schema: next)
        guard case .unavailable(let text) = journal.opening.state else {
            Issue.record("\(journal.opening)")
            return
        }
        #expect(text.contains("schema 1 cannot be brought up to date"))
        #expect(!bench.names().contains { $0.contains("schema-") })
        await journal.record(run(3))
        await journal.close()
        let old = await bench.open()
        #expect(old.opening.state == .opened)
        #expect(await runs(old) == ["run-1", "run-2", "run-3"])
    }

    @Test func `M-13 a journal of the first schema is read as it was written`() async throws {
        try FileManager.default.createDirectory(atPath: bench.folder, withIntermediateDirectories: true)
        try sql(SchemaFixtures.first)
        let journal = await bench.open()
        #expect(journal.opening.state == .opened, "\(journal.opening)")
        #expect(journal.opening.interruptedRuns == 1)
        #expect(await journal.run("01c4")?.ended == Timestamp(seconds: 1_795_000_060, nanoseconds: 1))
        #expect(await journal.run("01c4")?.summary == "two copies")
        #expect(await journal.run("01c5")?.trigger == .catchUp)
        #expect(await journal.newestSteps(kind: "backup").first?.succeeded?.snapshot == "4f2a91c0")
        #expect(await journal.newestEvidence(kind: "restore").first?.newestPassed?.duration == .milliseconds(1_500))
        #expect(await journal.owedCleanups().map(\.object) == ["proxmox-srv/9001"])
        #expect(await journal.audit(limit: 1).map(\.what) == ["forget"])
        #expect(await journal.fact("plan/hash")?.value == "abc")
        #expect(await journal.dueMessages(now: bench.time.now(), limit: 9).isEmpty)
        bench.time.advance(seconds: 100)
        #expect(await journal.dueMessages(now: bench.time.now(), limit: 9).map(\.attempts) == [2])
        #expect(await journal.needsRebuild())
        #expect(bench.warnings.isEmpty)
        // What this program makes anew has the same tables, so the first step was not edited.
        let fresh = try Bench()
        await fresh.fill(1)
        #expect(try tables(fresh.database) == tables(bench.database))
    }

    private func tables(_ path: String) throws -> [String] {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.read { database in
            try String.fetchAll(
                database,
                sql: "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
            ).map { $0.split { $0 == " " || $0 == "\n" }.joined(separator: " ") }
        }
    }

    @Test func `S-06 files are for their owner alone, whatever the umask`() async throws {
        let old = umask(0)
        defer { umask(old) }
        let folder = bench.path + "/a/b/state"
        let journal = await bench.open(folder)
        await journal.record(run(1))
        var next = JournalSchema.current
        next.steps.append("CREATE TABLE extra (x INTEGER NOT NULL) STRICT")
        await journal.close()
        let migrated = await bench.open(folder, schema: next)
        await migrated.record(run(2))
        await migrated.close()
        Bench.shell("printf 'torn' >> '\(folder)/journal-pending.jsonl'; printf damaged > '\(folder)/journal.sqlite'")
        await bench.open(folder).record(run(3))
        let names = bench.names(folder)
        #expect(names.count == 6, "\(names)")
        for name in names { #expect(try bench.permissions("\(folder)/\(name)") == 0o600, "\(name)") }
        for path in [folder, bench.path + "/a/b", bench.path + "/a"] { #expect(try bench.permissions(path) == 0o700) }
    }

    @Test func `S-06 rights that somebody gave are taken back, and a hot rollback journal has none`() async throws {
        await bench.fill(1)
        for name in bench.names() { chmod("\(bench.folder)/\(name)", 0o666) }
        let journal = await bench.open()
        await journal.record(run(2))
        for name in bench.names() { #expect(try bench.permissions("\(bench.folder)/\(name)") == 0o600, "\(name)") }
        let old = umask(0)
        defer { umask(old) }
        let queue = try DatabaseQueue(path: bench.database)
        try await queue.writeWithoutTransaction { database in
            try database.execute(sql: "BEGIN IMMEDIATE; UPDATE run SET summary = 'x'")
            #expect(try bench.permissions(bench.database + "-journal") == 0o600)
            try database.execute(sql: "ROLLBACK")
        }
    }

    @Test func `S-07 a secret that is put into a text does not arrive on the disk`() async throws {
        let password = "correct horse battery staple"
        let secret = Secret(Array(password.utf8))
        let journal = await bench.open()
        var entry = step(1, 1)
        entry.text = "opened with \(secret)"
        await journal.record([.step(entry), .fact(key: "k", value: "\(secret)", when: at(0))])
        #expect(await journal.fact("k")?.value == "<secret>")
        for name in bench.names() {
            #expect(!String(decoding: bench.content(name), as: UTF8.self).contains(password), "\(name)")
        }
    }
}
