import Bytes
import Foundation
import GRDB
import HostSystem
import Journal
import Testing

/// What becomes of entries that the database does not take.
@Suite(.serialized) struct PendingTests {
    let bench: Bench

    init() throws { bench = try Bench() }

    private static let pending = "journal-pending.jsonl"

    private var pendingText: String { String(decoding: bench.content(Self.pending), as: UTF8.self) }

    /// Another program that holds the database for itself.
    private func stray() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let queue = try DatabaseQueue(path: bench.database, configuration: configuration)
        try queue.writeWithoutTransaction { try $0.execute(sql: "BEGIN EXCLUSIVE") }
        return queue
    }

    @Test func `M-03 a stray reader that locks the database delays, and the entries follow in their order`()
        async throws
    {
        let journal = await bench.open()
        await journal.record(run(1, outcome: .running))
        let stray = try stray()
        let clock = ContinuousClock()
        let waited = await clock.measure { await journal.record(run(1)) }
        // That it ends is shown by going on; how long it takes beside a thousand other tests says nothing.
        #expect(waited > .milliseconds(250), "\(waited)")
        #expect(!journal.isUsable)
        #expect(await runs(journal).isEmpty)
        await journal.record(run(2))
        #expect(pendingText.split(separator: "\n").count == 5)
        #expect(bench.warnings.count == 2, "\(bench.warnings)")
        #expect(bench.warnings.last?.contains("journal-pending.jsonl") == true)
        try stray.close()
        await journal.record(run(3))
        #expect(journal.isUsable)
        #expect(journal.opening.imported == 4)
        #expect(await runs(journal) == ["run-1", "run-2", "run-3"])
        #expect(await journal.run("run-1")?.outcome == .ok)
        #expect(bench.content(Self.pending).isEmpty)
    }

    @Test func `M-03 a database that is locked while it is opened costs one wait, and nothing is lost`() async throws {
        await bench.fill(2)
        let stray = try stray()
        let journal = await bench.open()
        guard case .unavailable(let text) = journal.opening.state else {
            Issue.record("\(journal.opening)")
            return
        }
        #expect(text.contains("locked"))
        #expect(await !journal.needsRebuild())
        await journal.record(run(3))
        try stray.close()
        await journal.record(run(4))
        // It is opened again after a while.
        bench.time.advance(seconds: 61)
        await journal.record(run(5))
        #expect(journal.opening.state == .opened)
        #expect(await runs(journal) == (1...5).map(id))
    }

    @Test(arguments: ["tmpfs", "ext4"])
    func `C-04 a full disk takes the result of the run into the emergency file`(kind: String) async throws {
        let isMounted =
            kind == "tmpfs" ? bench.mountMemory("size=2m", for: "C-04") : bench.mountDisk(for: "C-04 on ext4")
        guard isMounted else { return }
        let folder = bench.path + "/mnt/state"
        let journal = await bench.open(folder)
        await journal.record(run(1, outcome: .running))
        // The last blocks take small files only.
        Bench.shell(
            """
            cd '\(bench.path)/mnt'; cat /dev/zero > filler 2>/dev/null; sync -f .
            for n in $(seq 1 80); do head -c 1024 /dev/zero > filler$n; done 2>/dev/null; sync -f .
            """
        )
        await journal.record(run(1))
        for number in 2...60 { await journal.record(run(number)) }
        #expect(!journal.isUsable)
        #expect(bench.warnings.contains { $0.contains("full") }, "\(bench.warnings)")
        #expect(bench.warnings.count == 2, "\(bench.warnings)")
        await journal.close()
        let blind = await bench.open(folder)
        #expect(await blind.run("run-1") != nil)
        await blind.close()
        Bench.shell("rm '\(bench.path)/mnt/'filler*")
        let again = await bench.open(folder)
        #expect(again.opening.imported == 120)
        #expect(again.opening.interruptedRuns == 0)
        #expect(await again.run("run-1")?.outcome == .ok)
        #expect(await runs(again) == (1...60).map(id))
        await again.close()
    }

    @Test func `C-04 a disk that was full before the journal began: nothing fails, memory keeps what it can`()
        async throws
    {
        guard bench.mountMemory("size=64k", for: "C-04") else { return }
        Bench.shell("cat /dev/zero > '\(bench.path)/mnt/filler' 2>/dev/null")
        let folder = bench.path + "/mnt/state"
        let journal = await bench.open(folder)
        guard case .unavailable = journal.opening.state else {
            Issue.record("\(journal.opening)")
            return
        }
        for number in 1...5 { await journal.record(run(number)) }
        #expect(await runs(journal).isEmpty)
        #expect(bench.warnings.contains { $0.contains("backups go on without it") }, "\(bench.warnings)")
        Bench.shell("rm '\(bench.path)/mnt/filler' && mount -o remount,size=4m '\(bench.path)/mnt'")
        bench.time.advance(seconds: 61)
        await journal.record(run(6))
        #expect(journal.opening.state == .fresh)
        #expect(await runs(journal) == (1...6).map(id))
        await journal.close()
    }

    @Test func `M-03 a disk that turned read-only can be read, and a writable one has everything afterwards`()
        async throws
    {
        guard bench.mountMemory("size=4m", for: "M-03") else { return }
        let folder = bench.path + "/mnt/state"
        let journal = await bench.open(folder)
        await journal.record(run(1))
        await journal.close()
        Bench.shell("mount -o remount,ro '\(bench.path)/mnt'")
        let readOnly = await bench.open(folder)
        #expect(readOnly.opening.state == .opened)
        #expect(await runs(readOnly) == ["run-1"])
        await readOnly.record(run(2))
        #expect(await runs(readOnly) == ["run-1"])
        #expect(bench.warnings.contains { $0.contains("stay in memory") }, "\(bench.warnings)")
        Bench.shell("mount -o remount,rw '\(bench.path)/mnt'")
        bench.time.advance(seconds: 61)
        await readOnly.record(run(3))
        #expect(await runs(readOnly) == ["run-1", "run-2", "run-3"])
        await readOnly.close()
        await journal.close()
    }

    @Test func `M-03 a folder that cannot be there makes no error`() async throws {
        _ = FileManager.default.createFile(atPath: bench.folder, contents: nil)
        let journal = await bench.open()
        guard case .unavailable = journal.opening.state else {
            Issue.record("\(journal.opening)")
            return
        }
        for number in 1...3 { await journal.record(run(number)) }
        await journal.rebuild(steps: [step(1, 1)])
        await journal.forget(olderThan: .zero, now: at(0))
        #expect(await journal.run("run-1") == nil)
        #expect(await journal.newestSteps(kind: "backup").isEmpty)
        #expect(await journal.newestEvidence(kind: "verify").isEmpty)
        #expect(await journal.longestDurations(kind: "backup", last: 1).isEmpty)
        #expect(await journal.owedCleanups().isEmpty)
        #expect(await journal.audit(limit: 1).isEmpty)
        #expect(await journal.fact("x") == nil)
        #expect(await journal.dueMessages(now: at(0), limit: 1).isEmpty)
        #expect(await !journal.needsRebuild())
    }

    @Test func `C-04 entries beyond what file and memory hold are told as lost, never an error`() async throws {
        _ = FileManager.default.createFile(atPath: bench.folder, contents: nil)
        let journal = await bench.open()
        let entry = JournalEntry.fact(key: "k", value: "v", when: at(0))
        for _ in 0..<3 { await journal.record(Array(repeating: entry, count: 2_000)) }
        #expect(bench.warnings.contains { $0.contains("1904 entries are lost") }, "\(bench.warnings)")
    }

    @Test func `C-04 the emergency file is bounded`() async throws {
        await bench.fill(1)
        let stray = try stray()
        let journal = await bench.open()
        let text = String(repeating: "x", count: 4_000)
        for _ in 0..<3 {
            await journal.record((0..<500).map { .fact(key: "k\($0)", value: text, when: at(0)) })
        }
        let count = bench.content(Self.pending).count
        #expect(count > 4_000_000 && count <= JournalLimits.pendingBytesMax)
        try stray.close()
    }

    @Test func `M-01 torn and foreign lines of the emergency file are kept aside, the others taken over`() async throws
    {
        await bench.fill(1)
        let stray = try stray()
        let journal = await bench.open()
        await journal.record(run(2))
        try stray.close()
        await journal.close()
        let whole = pendingText
        bench.write(
            Array((whole + "garbage\n[\"run\",1]\n[\"fact\",\"k\",\"v\",\"not a time\"]\n[\"run\",\"to").utf8),
            to: Self.pending
        )
        let again = await bench.open()
        #expect(again.opening.state == .opened)
        #expect(await runs(again) == ["run-1", "run-2"])
        #expect(await again.fact("k") == nil)
        #expect(again.opening.imported == 2)
        #expect(bench.warnings.contains { $0.contains("4 lines of its emergency file") }, "\(bench.warnings)")
        let unread = bench.names().filter { $0.contains("unread") }
        #expect(unread.count == 1)
        #expect(String(decoding: bench.content(unread.first ?? ""), as: UTF8.self).contains("garbage"))
        #expect(bench.content(Self.pending).isEmpty)
    }

    @Test func `M-01 an emergency file that was taken over and not emptied is not taken over twice`() async throws {
        await bench.fill(1)
        let stray = try stray()
        let journal = await bench.open()
        await journal.record([.audit(AuditRecord(who: "root", what: "forget", object: "x", when: at(1)))])
        try stray.close()
        await journal.close()
        let file = bench.content(Self.pending)
        #expect(await bench.open().opening.imported == 1)
        bench.write(file, to: Self.pending)
        let again = await bench.open()
        #expect(again.opening.imported == 0)
        #expect(await again.audit(limit: 9).count == 1)
        #expect(bench.content(Self.pending).isEmpty)
    }

    @Test func `M-09 values of an emergency line cannot forge a second one`() async throws {
        await bench.fill(1)
        let stray = try stray()
        let journal = await bench.open()
        let forged = "x\"]\n[\"fact\",\"forged\",\"1\",1]\n\\u000a\u{7f}\u{1}é"
        await journal.record([.fact(key: "k", value: forged, when: at(0))])
        #expect(pendingText.split(separator: "\n").count == 2)
        try stray.close()
        await journal.close()
        let again = await bench.open()
        #expect(await again.fact("k")?.value == forged)
        #expect(await again.fact("forged") == nil)
    }

    @Test func `M-03 an emergency file that cannot be one is told, and the journal works`() async throws {
        try FileManager.default.createDirectory(
            atPath: bench.folder + "/" + Self.pending,
            withIntermediateDirectories: true
        )
        let journal = await bench.open()
        #expect(journal.opening.state == .fresh)
        await journal.record(run(1))
        #expect(await runs(journal) == ["run-1"])
        #expect(bench.warnings.count == 1)
    }
}
