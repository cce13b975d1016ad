import Bytes
import Foundation
import Glibc
import HostSystem
import Journal
import Spawning
import Synchronization

/// A journal in a directory below the system's temporary one, which goes away with its owner.
final class Bench: Sendable {
    let path: String
    let pool: WorkerPool
    let time = HandTime()
    private let said = Mutex<[String]>([])
    private static let opened = Atomic<UInt64>(0)

    /// `inMemory` where thousands of syncs would only cost time.
    init(inMemory: Bool = false) throws {
        let memory = "/dev/shm/"
        let base = inMemory && access(memory, W_OK) == 0 ? memory : NSTemporaryDirectory()
        path = base + "holdfast-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        pool = try WorkerPool(width: 2, name: "journal")
    }

    deinit {
        pool.shutdown()
        Bench.shell("umount -l '\(path)/mnt' 2>/dev/null; rm -rf '\(path)'")
    }

    /// The folder of the journal.
    var folder: String { path + "/state" }
    var database: String { folder + "/journal.sqlite" }
    var warnings: [String] { said.withLock { $0 } }

    func open(_ folder: String? = nil, busyMilliseconds: Int = 300, schema: JournalSchema = .current) async
        -> RunJournal
    {
        var settings = JournalSettings()
        settings.busyMilliseconds = busyMilliseconds
        settings.schema = schema
        let seed = Bench.opened.add(1, ordering: .relaxed).newValue
        return await RunJournal.open(
            folder: folder ?? self.folder,
            on: pool,
            host: "docker-srv",
            time: time,
            entropy: SeededEntropy(seed: seed),
            settings: settings,
            warn: { [self] text in said.withLock { $0.append(text) } }
        )
    }

    /// A journal with `count` runs of one step each, closed again.
    func fill(_ count: Int, schema: JournalSchema = .current) async {
        let journal = await open(schema: schema)
        for number in 1...count { await journal.record(run(number)) }
        await journal.close()
    }

    func names(_ folder: String? = nil) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder ?? self.folder)) ?? []).sorted()
    }

    func content(_ name: String = "journal.sqlite") -> [UInt8] {
        FileManager.default.contents(atPath: "\(folder)/\(name)").map { Array($0) } ?? []
    }

    func write(_ bytes: [UInt8], to name: String = "journal.sqlite") {
        _ = FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: Data(bytes))
    }

    func remove(_ name: String) { try? FileManager.default.removeItem(atPath: "\(folder)/\(name)") }

    func permissions(_ path: String) throws -> UInt32 { try status(at: ByteString(path)).permissions }

    /// Mounts a tmpfs at `mnt`; false, and says so, when this user or machine cannot.
    func mountMemory(_ options: String, for identifier: String) -> Bool {
        let isMounted =
            Bench.shell("mkdir -p '\(path)/mnt' && mount -t tmpfs -o \(options) tmpfs '\(path)/mnt' 2>/dev/null") == 0
        if !isMounted { print("SKIP \(identifier) mounting needs root") }
        return isMounted
    }

    /// Mounts a new ext4 of 16 MiB at `mnt`; false, and says so, when this user or machine cannot.
    func mountDisk(for identifier: String) -> Bool {
        let commands = [
            "cd '\(path)'", "truncate -s 16M disk", "mkfs.ext4 -q -m0 disk", "mkdir -p mnt", "mount -o loop disk mnt",
        ]
        let isMounted = Bench.shell(commands.joined(separator: " && ") + " 2>/dev/null") == 0
        if !isMounted { print("SKIP \(identifier) loop mounts of ext4 need root, mkfs.ext4 and loop devices") }
        return isMounted
    }

    @discardableResult
    static func shell(_ line: String) -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", line]
        guard (try? process.start()) != nil else { return -1 }
        process.waitUntilExit()
        return process.terminationStatus
    }
}

/// A clock that is set by hand.
final class HandTime: TimeSource {
    private let state = Mutex((wall: Timestamp(seconds: 1_795_000_000), monotonic: UInt64(1_000_000_000)))

    func now() -> Timestamp { state.withLock { $0.wall } }
    func monotonicNanoseconds() -> UInt64 { state.withLock { $0.monotonic } }
    func localOffsetSeconds(at moment: Timestamp) -> Int32 { 0 }
    func sleep(nanoseconds: UInt64) async throws { advance(seconds: Int64(nanoseconds / 1_000_000_000)) }

    func advance(seconds: Int64) {
        state.withLock { state in
            state.wall.seconds += seconds
            state.monotonic += UInt64(seconds) * 1_000_000_000
        }
    }
}

func at(_ seconds: Int64) -> Timestamp { Timestamp(seconds: 1_700_000_000 + seconds) }

func id(_ number: Int) -> String { "run-\(number)" }

/// A run with one step.
func run(_ number: Int, outcome: JournalOutcome = .ok) -> [JournalEntry] {
    let start = at(Int64(number) * 100)
    return [
        .run(
            RunRecord(
                id: id(number),
                kind: "run",
                started: start,
                ended: outcome == .running ? nil : start,
                outcome: outcome,
                trigger: .schedule
            )
        ),
        .step(step(number, 1, outcome: outcome)),
    ]
}

func step(
    _ run: Int,
    _ number: Int,
    kind: String = "backup",
    workload: String? = "etc",
    repository: String? = "host-usb",
    seconds: Int64 = 10,
    outcome: JournalOutcome = .ok
) -> StepRecord {
    let start = at(Int64(run) * 100 + Int64(number))
    return StepRecord(
        run: id(run),
        number: number,
        kind: kind,
        workload: workload,
        repository: repository,
        medium: "usb-ssd",
        started: start,
        ended: outcome == .running ? nil : Timestamp(seconds: start.seconds + seconds),
        outcome: outcome,
        bytes: 4_096,
        files: 12,
        snapshot: "4f2a91c0",
        text: "step \(number) of run \(run)"
    )
}

/// The identifiers of all runs, oldest first.
func runs(_ journal: RunJournal) async -> [String] {
    await journal.runs(since: Timestamp(seconds: 0), limit: 10_000).map(\.id).reversed()
}
