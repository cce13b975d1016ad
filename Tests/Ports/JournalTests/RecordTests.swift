import Bytes
import Foundation
import HostSystem
import Journal
import Synchronization
import Testing

/// What is put in comes out again.
@Suite struct RecordTests {
    let bench: Bench

    init() throws { bench = try Bench() }

    @Test func `runs, steps and evidence come back as they were recorded, also after reopening`() async throws {
        let journal = await bench.open()
        #expect(journal.opening.state == .fresh)
        #expect(journal.isUsable)
        let run = RunRecord(
            id: RunJournal.newID(SystemEntropy()),
            kind: "verify",
            started: Timestamp(seconds: -5, nanoseconds: 999_999_999),
            ended: Timestamp(seconds: 1_795_000_000, nanoseconds: 1),
            outcome: .partial,
            trigger: .catchUp,
            summary: "a \"b\" \\ \n\u{1b}[31m é 🦫"
        )
        let plain = StepRecord(run: run.id, number: 2, kind: "prune", started: at(1), outcome: .refused)
        var full = step(1, 1)
        full.run = run.id
        let evidence = EvidenceRecord(
            id: "e1",
            kind: "restore",
            workload: "etc",
            repository: "offsite",
            snapshot: "4f2a",
            medium: "cloud",
            when: at(7),
            outcome: .inconclusive,
            bytes: 1 << 62,
            duration: .milliseconds(1_500),
            detail: "{\"files\":3}"
        )
        await journal.record([.run(run), .step(plain), .step(full), .evidence(evidence)])
        await journal.close()
        let again = await bench.open()
        #expect(again.opening.state == .opened)
        #expect(await again.run(run.id) == run)
        #expect(await again.steps(ofRun: run.id) == [full, plain])
        #expect(await again.newestEvidence(kind: "restore").map(\.newest) == [evidence])
        #expect(await again.run("none") == nil)
        #expect(bench.warnings.isEmpty)
    }

    @Test func `an identifier is a random UUID of version 4`() {
        let text = RunJournal.newID(SeededEntropy(seed: 1))
        #expect(UUID(uuidString: text) != nil)
        #expect(Array(text)[14] == "4")
        #expect(text != RunJournal.newID(SeededEntropy(seed: 2)))
    }

    @Test func `a run is updated by its identifier, and does not go back to running`() async {
        let journal = await bench.open()
        var run = RunRecord(id: "a", kind: "run", started: at(0), outcome: .running, trigger: .hand)
        await journal.record([.run(run)])
        #expect(await journal.run("a")?.outcome == .running)
        run.outcome = .ok
        run.ended = at(9)
        await journal.record([.run(run)])
        #expect(await journal.run("a") == run)
        var late = run
        late.outcome = .running
        late.ended = nil
        await journal.record([.run(late)])
        #expect(await journal.run("a") == run)
        #expect(await runs(journal) == ["a"])
    }

    @Test func `the newest runs come first and no more than asked for`() async {
        await bench.fill(5)
        let journal = await bench.open()
        #expect(await journal.runs(since: at(200), limit: 3).map(\.id) == ["run-5", "run-4", "run-3"])
        #expect(await journal.runs(since: at(400), limit: 10).map(\.id) == ["run-5", "run-4"])
        #expect(await journal.runs(since: at(0), limit: -1).isEmpty)
    }

    @Test func `the newest attempt and the newest success of each workload in each repository`() async {
        let journal = await bench.open()
        await journal.record([
            .step(step(1, 1)), .step(step(2, 1)), .step(step(3, 1, outcome: .failed)),
            .step(step(2, 2, repository: "offsite", outcome: .partial)),
            .step(step(4, 1, workload: nil, repository: nil)),
            .step(step(5, 1, kind: "verify")),
        ])
        let newest = await journal.newestSteps(kind: "backup")
        #expect(newest.map(\.workload) == [nil, "etc", "etc"])
        #expect(newest.map(\.repository) == [nil, "host-usb", "offsite"])
        #expect(newest.map(\.attempted.run) == ["run-4", "run-3", "run-2"])
        #expect(newest.map(\.succeeded?.run) == ["run-4", "run-2", nil])
    }

    @Test func `the longest of the last successful steps`() async {
        let journal = await bench.open()
        await journal.record([
            .step(step(1, 1, seconds: 900)), .step(step(2, 1, seconds: 20)), .step(step(3, 1, seconds: 40)),
            .step(step(4, 1, seconds: 7_000, outcome: .failed)), .step(step(4, 2, workload: "home", seconds: 5)),
        ])
        let last = await journal.longestDurations(kind: "backup", last: 2)
        #expect(
            last == [
                LongestDuration(workload: "etc", longest: .seconds(40), steps: 2),
                LongestDuration(workload: "home", longest: .seconds(5), steps: 1),
            ]
        )
        #expect(await journal.longestDurations(kind: "backup", last: 10).first?.longest == .seconds(900))
    }

    @Test func `the newest evidence and the newest that passed`() async {
        let journal = await bench.open()
        func evidence(_ number: Int, _ outcome: EvidenceOutcome, _ repository: String?) -> JournalEntry {
            .evidence(
                EvidenceRecord(
                    id: "e\(number)",
                    kind: "verify",
                    workload: "etc",
                    repository: repository,
                    when: at(Int64(number)),
                    outcome: outcome
                )
            )
        }
        await journal.record([
            evidence(1, .passed, "usb"), evidence(2, .failed, "usb"), evidence(3, .inconclusive, nil),
            evidence(2, .passed, "usb"),
        ])
        let newest = await journal.newestEvidence(kind: "verify")
        #expect(newest.map(\.newest.id) == ["e3", "e2"])
        #expect(newest.map(\.newestPassed?.id) == [nil, "e1"])
        #expect(await journal.newestEvidence(kind: "restore").isEmpty)
    }

    @Test func `what is owed stays until it is settled`() async {
        let journal = await bench.open()
        let guest = OwedCleanup(id: "vm-9001", kind: "guest", object: "proxmox-srv/9001", text: "drill", since: at(2))
        let mount = OwedCleanup(id: "mnt", kind: "mount", object: "/run/x", since: at(1))
        await journal.record([.owed(guest), .owed(mount), .owed(guest)])
        #expect(await journal.owedCleanups() == [mount, guest])
        await journal.record([.settled(id: "mnt"), .settled(id: "unknown")])
        #expect(await journal.owedCleanups() == [guest])
    }

    @Test func `a fact is the newest of its name, and an older one does not replace it`() async {
        let journal = await bench.open()
        await journal.record([
            .fact(key: "declared/etc", value: "1", when: at(5)), .fact(key: "declared/etc", value: "0", when: at(4)),
            .fact(key: "declared/home", value: "2", when: at(1)), .fact(key: "plan/hash", value: "abc", when: at(1)),
        ])
        #expect(await journal.fact("declared/etc") == JournalFact(key: "declared/etc", value: "1", when: at(5)))
        #expect(await journal.fact("declared") == nil)
        #expect(await journal.facts(prefix: "declared/").map(\.value) == ["1", "2"])
    }

    @Test func `the audit is newest first`() async {
        let journal = await bench.open()
        let first = AuditRecord(who: "root", what: "forget", object: "4f2a in offsite", when: at(9))
        let second = AuditRecord(who: "anna", what: "restore", object: "etc", when: at(3))
        await journal.record([.audit(first)])
        await journal.record([.audit(second)])
        #expect(await journal.audit(limit: 5) == [second, first])
        #expect(await journal.audit(limit: 1) == [second])
    }

    @Test func `M-11 a message is tried when it is due, once for each occasion, until it is done or given up`() async {
        let journal = await bench.open()
        func message(_ id: String, _ created: Int64) -> OutboxMessage {
            OutboxMessage(
                id: id,
                channel: "phone",
                event: "failed",
                title: "etc failed",
                body: "no room",
                created: at(created)
            )
        }
        await journal.record([.message(message("a", 2)), .message(message("b", 1)), .message(message("a", 99))])
        #expect(await journal.dueMessages(now: at(0), limit: 9).isEmpty)
        #expect(await journal.dueMessages(now: at(3), limit: 9).map(\.message.id) == ["b", "a"])
        await journal.record([
            .messageTried(id: "b", when: at(3), error: "HTTP 500", nextTry: at(60), done: false),
            .messageTried(id: "a", when: at(3), error: nil, nextTry: nil, done: true),
        ])
        #expect(await journal.dueMessages(now: at(59), limit: 9).isEmpty)
        let due = await journal.dueMessages(now: at(60), limit: 9)
        #expect(due.map(\.message) == [message("b", 1)])
        #expect(due.first?.attempts == 1)
        #expect(due.first?.lastError == "HTTP 500")
        #expect(due.first?.lastTried == at(3))
        await journal.record([.messageTried(id: "b", when: at(61), error: "gone", nextTry: nil, done: false)])
        #expect(await journal.dueMessages(now: at(1_000_000), limit: 9).isEmpty)
    }

    @Test func `A-04 a task that was cancelled still records`() async {
        let journal = await bench.open()
        await withTaskGroup(of: Void.self) { group in
            group.cancelAll()
            group.addTask {
                #expect(Task.isCancelled)
                await journal.record(run(1))
            }
        }
        #expect(await runs(journal) == ["run-1"])
    }

    @Test func `everything blocks on threads of the pool`() async throws {
        let names = Mutex<[String]>([])
        _ = FileManager.default.createFile(atPath: bench.folder, contents: nil)
        let journal = await RunJournal.open(
            folder: bench.folder,
            on: bench.pool,
            host: "docker-srv",
            time: bench.time,
            entropy: SeededEntropy(seed: 1),
            // Warnings come from the thread that did the work.
            warn: { _ in
                let name = try? readFile("/proc/thread-self/comm", limit: 64)
                let text = String(decoding: name ?? [], as: UTF8.self)
                names.withLock { $0.append(text) }
            }
        )
        await journal.record(run(1))
        #expect(names.withLock { $0.count } == 2)
        #expect(names.withLock { $0.allSatisfy { $0.hasPrefix("journal-") } }, "\(names.withLock { $0 })")
    }

    @Test func `two programs that use one journal take turns`() async {
        let first = await bench.open(busyMilliseconds: 120_000)
        let second = await bench.open(busyMilliseconds: 120_000)
        await withTaskGroup(of: Void.self) { group in
            for (journal, numbers) in [(first, 1...20), (second, 21...40)] {
                group.addTask { for number in numbers { await journal.record(run(number)) } }
            }
        }
        #expect(Set(await runs(first)) == Set((1...40).map(id)))
        #expect(await runs(first) == runs(second))
        #expect(bench.warnings.isEmpty, "\(bench.warnings)")
        await second.close()
        #expect(await !bench.open().opening.wasSetBack)
    }

    @Test func `many tasks record at once`() async {
        let journal = await bench.open()
        await withTaskGroup(of: Void.self) { group in
            for number in 1...40 { group.addTask { await journal.record(run(number)) } }
        }
        #expect(Set(await runs(journal)) == Set((1...40).map(id)))
        #expect(bench.warnings.isEmpty)
    }
}
