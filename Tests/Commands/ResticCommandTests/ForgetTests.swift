import Bytes
import Foundation
import HostSystem
import ObjectStorage
import Outcome
import ResticCommand
import ResticFormat
import ResticRepository
import Spawning
import Testing
import Strategy

private let withStock: ConditionTrait = .enabled(if: StockPeer.isInstalled, "PEERS names no stock restic")

extension Bench {
    /// Writes snapshots without trees, as many as one likes: they are sealed in memory and laid down together.
    @discardableResult
    func add(_ documents: [SnapshotDocument]) async throws -> [SnapshotID] {
        let (local, memory) = (LocalStorage(ByteString(repository)), MemoryStorage())
        try await memory.prepare()
        try await memory.put(.config, try await local.get(.config, range: nil))
        for key in try await local.list(.key) {
            let name = ObjectName(.key, key.digest)
            try await memory.put(name, try await local.get(name, range: nil))
        }
        let environment = RepositoryEnvironment(
            time: SystemTime(),
            entropy: SystemEntropy(),
            pool: pool,
            hostName: "bench",
            userName: "tester",
            userID: 0,
            groupID: 0,
            processID: currentProcessID(),
            isAlive: isProcessAlive
        )
        let forge = try await Repository.open(
            store: memory,
            password: Secret(Self.password.utf8),
            environment: environment
        )
        var ids: [SnapshotID] = []
        for document in documents { ids.append(try await forge.saveSnapshot(document)) }
        for (name, block) in memory.contents where name.kind == .snapshot {
            try Data(block.bytes).write(to: URL(filePath: "\(repository)/\(name.path)"))
        }
        return ids
    }

    /// The names of the snapshots in the repository.
    var snapshotNames: Set<String> {
        Set((try? FileManager.default.contentsOfDirectory(atPath: repository + "/snapshots")) ?? [])
    }

    /// Seven days of one host, two snapshots a day.
    func addWeek(host: ByteString = "web", tags: [ByteString] = ["a", "b"]) async throws -> [SnapshotID] {
        try await add(
            (0..<14).map { number in
                var document = SnapshotDocument(
                    time: ZonedTime(Timestamp(seconds: 1_767_600_000 + Int64(number) * 43_200)),
                    tree: BlobID(Digest(a: 1, b: 2, c: 3, d: 4)),
                    paths: ["/srv", "/etc"]
                )
                document.hostname = host
                document.tags = number % 3 == 0 ? tags : []
                return document
            }
        )
    }
}

/// Random histories, one for each host, and random policies; the same seed draws the same.
private struct Lots {
    var random: SplitMix64

    mutating func pick<Element>(_ list: [Element]) -> Element { list[Int(random.next() % UInt64(list.count))] }
    mutating func below(_ limit: Int64) -> Int64 { Int64(random.next() % UInt64(limit)) }
    mutating func isOne(in count: UInt64) -> Bool { random.next() % count == 0 }

    /// Dense or sparse, anywhere between 2012 and the future, in zones that change on the way.
    mutating func history(host: ByteString, taken: inout Set<Int64>) -> [SnapshotDocument] {
        let zones: [Int32] = [0, 3600, 7200, -18_000, -14_400, 19_800, 45_900, -34_200]
        let step = pick([1200, 7200, 40_000, 86_400, 300_000, 2_600_000] as [Int64])
        var seconds = 1_330_000_000 + below(500_000_000)
        if isOne(in: 8) { seconds = 2_000_000_000 }
        // Around the turn of a year, where weeks belong to another year than their days.
        if isOne(in: 4) { seconds = pick([1_451_600_000, 1_483_200_000, 1_609_400_000, 1_735_600_000]) }
        var zone = pick(zones)
        return (0..<(1 + below(40))).map { _ in
            seconds += 1 + below(2 * step)
            while !taken.insert(seconds).inserted { seconds += 1 }
            if isOne(in: 9) { zone = pick(zones) }
            let moment = Timestamp(seconds: seconds, nanoseconds: isOne(in: 2) ? 0 : Int32(below(1_000_000_000)))
            var document = SnapshotDocument(
                time: ZonedTime(moment, offsetSeconds: zone),
                tree: BlobID(Digest(a: 1, b: 1, c: 1, d: 1)),
                paths: isOne(in: 6) ? ["/srv", "/home"] : ["/etc"]
            )
            document.hostname = host
            document.tags = ["a", "b", "weekly"].filter { _ in isOne(in: 3) }
            return document
        }
    }

    mutating func duration() -> String {
        var text = ""
        for (unit, limit) in [("y", 6), ("m", 20), ("d", 70), ("h", 90)] as [(String, Int64)] where isOne(in: 2) {
            text += "\(below(limit))\(unit)"
        }
        return text.isEmpty ? "45d" : text
    }

    /// A policy that keeps something of every group, by the counts.
    mutating func policy() -> [String] {
        var flags: [String] = []
        let periods = ["last", "hourly", "daily", "weekly", "monthly", "yearly"]
        while flags.isEmpty {
            for period in periods where isOne(in: 3) {
                flags += ["--keep-\(period)", isOne(in: 9) ? "unlimited" : "\(1 + below(12))"]
            }
        }
        for period in periods.dropFirst() where isOne(in: 6) { flags += ["--keep-within-\(period)", duration()] }
        if isOne(in: 4) { flags += ["--keep-within", duration()] }
        if isOne(in: 4) { flags += ["--keep-tag", pick(["a", "a,b", "weekly", "", "b, a"])] }
        if isOne(in: 8) { flags += ["--keep-tag", "weekly,b"] }
        return flags
    }
}

@Suite struct ForgetTests {
    private static let seed: UInt64 =
        ProcessInfo.processInfo.environment["TEST_SEED"].flatMap { UInt64($0) } ?? 20_261_121

    /// The groups of `forget --json` by their keys.
    private func groups(_ json: Data) throws -> [String: NSDictionary] {
        let list = try #require(try JSONSerialization.jsonObject(with: json) as? [NSDictionary])
        return Dictionary(
            list.map { ("\($0["host"] ?? "") \($0["paths"] ?? "") \($0["tags"] ?? "")", $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    @Test(withStock, .timeLimit(.minutes(10)))
    func `P-03 random policies on random histories decide as stock restic does`() async throws {
        let bench = try await Bench()
        var lots = Lots(random: SplitMix64(seed: Self.seed))
        var taken: Set<Int64> = []
        var documents: [SnapshotDocument] = []
        for host in 0..<25 { documents += lots.history(host: ByteString("host\(host)"), taken: &taken) }
        try await bench.add(documents)
        var pairs = 0
        for number in 0..<14 {
            let grouping =
                number % 3 == 0 ? [] : ["--group-by", lots.pick(["host", "host,tags", "paths", "tags,host,paths"])]
            let line = ["forget", "--dry-run", "--no-lock", "--json"] + lots.policy() + grouping
            let ours = await bench.run(line)
            let stock = try StockPeer.run(line, bench)
            try #require(ours.status == stock.status && stock.status == 0, "seed \(Self.seed): \(line): \(ours.error)")
            let (found, expected) = (try groups(Data(ours.output.utf8)), try groups(stock.output))
            #expect(found.count == expected.count)
            for (key, group) in expected {
                #expect(found[key] == group, "seed \(Self.seed): \(line): group \(key)")
                pairs += 1
            }
        }
        for _ in 0..<4 {
            let line = ["forget", "--dry-run", "--no-lock", "--json", "--group-by", ""] + lots.policy()
            let difference = try await bench.outputsDiffer(line)
            #expect(difference == nil, "seed \(Self.seed): \(difference?.prefix(2000) ?? "")")
            pairs += 1
        }
        print("P-03 seed \(Self.seed): \(documents.count) snapshots, \(pairs) pairs of policy and history, equal")
        #expect(pairs >= 300)
    }

    @Test(withStock) func `P-03 spans over a change to summer time end where stock restic's do`() async throws {
        let berlin = try #require(TimeZone(identifier: "Europe/Berlin"))
        func offset(_ moment: Timestamp) -> Int32 {
            Int32(berlin.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment.seconds))))
        }
        // Hourly from 20 March to 10 April 2026; clocks change on the 29th. Every eleventh comes from elsewhere.
        let documents = (0..<500).map { number in
            let moment = Timestamp(seconds: 1_773_961_200 + Int64(number) * 3600 + 1)
            let time = ZonedTime(moment, offsetSeconds: number % 11 == 5 ? -18_000 : offset(moment))
            return SnapshotDocument(time: time, tree: nil, paths: ["/"])
        }
        let bench = try await Bench()
        let snapshots = zip(try await bench.add(documents), documents).map { Snapshot(id: $0, document: $1) }
        var lots = Lots(random: SplitMix64(seed: Self.seed))
        for _ in 0..<20 {
            var policy = KeepPolicy()
            let (days, hours) = (lots.below(20), 1 + lots.below(200))
            policy.within = KeepDuration(days: days, hours: hours)
            policy.withinPeriods[.daily] = KeepDuration(days: 1 + lots.below(20))
            let line = [
                "forget", "--dry-run", "--no-lock", "--json", "--group-by", "", "--keep-within", policy.within.text,
                "--keep-within-daily", policy.withinPeriods[.daily]?.text ?? "",
            ]
            let stock = try StockPeer.run(line, bench, zone: "Europe/Berlin")
            let list = try JSONSerialization.jsonObject(with: stock.output) as? [[String: Any]]
            let reasons = try #require(list?.first?["reasons"] as? [[String: Any]], "\(line)")
            let verdict = policy.divide(snapshots, now: SystemTime().now(), localOffset: offset)
            #expect(
                reasons.map { ($0["snapshot"] as? [String: Any])?["id"] as? String }
                    == verdict.kept.map { $0.snapshot.id.hex },
                "seed \(Self.seed): \(line)"
            )
            #expect(reasons.map { $0["matches"] as? [String] } == verdict.kept.map(\.reasons), "\(line)")
        }
    }

    @Test func `a snapshot that cannot be removed is named, the others go, and the status is 3`() async throws {
        let bench = try await Bench()
        let ids = try await bench.addWeek()
        let file = "\(bench.repository)/snapshots/\(ids[3].hex)"
        guard try chattr("+i", file) else { return print("SKIP forget status 3: files cannot be made immutable here") }
        defer { _ = try? chattr("-i", file) }
        let run = await bench.run("forget", "--keep-last", "1", "-q")
        #expect(run.status == 3)
        #expect(run.error.hasPrefix("unable to remove snapshot/\(ids[3].hex) from the repository: "))
        #expect(run.error.contains("\nfailed to remove one or more snapshots\n  state: 1 of 13 are still there"))
        #expect(bench.snapshotNames == [ids[3].hex, ids[13].hex] && bench.lockCount == 0)
    }

    private func chattr(_ flag: String, _ path: String) throws -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["chattr", flag, path]
        process.standardError = FileHandle.nullDevice
        try process.start()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    // MARK: bad input

    @Test(
        arguments: [
            (["--keep-last", "-1"], "negative values not allowed"), (["-H", "x"], #"parsing "x": invalid syntax"#),
            (["--keep-daily", "9223372036854775808"], "9223372036854775808"), (["--keep-last", "1.5"], #""1.5""#),
            (["--keep-weekly", ""], #"invalid argument """#), (["--keep-within", "5x"], "invalid unit 'x'"),
            (["--keep-within", "5"], "no unit found after number 5"), (["--keep-within", "d"], "no number found"),
            (["--keep-within-daily", "5'"], #"invalid unit '\''"#), (["--keep-within", "1d-"], "no number found"),
            (["--keep-within", "-5d"], "negative values"), (["--keep-within-yearly", "1y-2m"], "negative values"),
            (["--keep-within", "99999999999999999999d"], "99999999999999999999"),
            (["--keep-lats", "3"], "--keep-lats"),
            (["--keep-last", "0"], "no policy was specified"), (["--keep-within", "0h"], "no policy was specified"),
            ([], "no policy was specified"), (["--host", "nobody"], "no policy was specified"),
            (["--keep-tag", "tpyo"], "refusing to delete last snapshot"),
            (["--keep-last", "3", "--group-by", "x"], #""x""#),
            (["--unsafe-allow-remove-all"], "not allowed unless a snapshot filter"),
            (["--no-lock", "-l", "1"], "--no-lock"),
            (["--keep-last", "1", "--prune", "--max-unused", "100%"], "must be below 100%"),
            (["--keep-last", "1", "--max-unused", "5x"], "5x"),
            (["-l", "1", "--host", "a", "--hostname", "b"], "--host"),
        ] as [([String], String)]
    )
    func `P-01 P-02 a policy that says nothing or cannot be read removes nothing`(
        flags: [String],
        words: String
    ) async throws {
        let bench = try await Bench()
        _ = try await bench.addWeek()
        let before = bench.snapshotNames
        let run = await bench.run(["forget"] + flags)
        #expect(run.status == 1)
        #expect(run.error.contains(words), "\(run.error)")
        #expect(bench.snapshotNames == before && before.count == 14)
    }

    @Test func `P-01 a filter that matches nothing removes nothing`() async throws {
        let bench = try await Bench()
        _ = try await bench.addWeek()
        let filters = [["--host", "nobody"], ["--tag", "tpyo"], ["--path", "/sr"], ["--path", "srv"]]
        for filter in filters {
            let run = await bench.run(["forget", "--keep-last", "1"] + filter)
            #expect(run.status == 0 && run.output == "Applying Policy: keep 1 latest snapshots\n")
            #expect(run.error.hasPrefix("warning: no snapshot matches the filter ") && run.error.contains(filter[1]))
            let all = await bench.run(["forget", "--unsafe-allow-remove-all"] + filter)
            #expect(all.status == 0 && all.output == "Applying Policy: remove\n")
        }
        #expect(bench.snapshotNames.count == 14)
    }

    // MARK: what it does and says

    @Test func `removes what no rule keeps, and what is named`() async throws {
        let bench = try await Bench()
        let ids = try await bench.addWeek()
        let run = await bench.run("forget", "--keep-daily", "2", "-vv")
        #expect(run.status == 0, "\(run.error)")
        #expect(run.output.contains("keep 2 snapshots:\n") && run.output.contains("remove 12 snapshots:\n"))
        #expect(run.output.hasSuffix("[0:00] 100.00%  12 / 12 files deleted\n"))
        #expect(run.output.contains("removed snapshot/\(ids[0].hex)\n"))
        #expect(bench.snapshotNames == [ids[13].hex, ids[11].hex])

        let named = await bench.run("forget", ids[11].short, "ffffffff", "latest:x")
        #expect(named.status == 0 && named.output == "[0:00] 100.00%  1 / 1 files deleted\n")
        #expect(named.error.hasPrefix("Ignoring \"ffffffff\": no matching ID found for prefix \"ffffffff\"\n"))
        #expect(bench.snapshotNames == [ids[13].hex])
        let last = await bench.run("forget", "--unsafe-allow-remove-all", "--host", "web", "--json")
        #expect(last.status == 0 && last.output.contains(#""keep":null,"remove":[{"#))
        #expect(bench.snapshotNames.isEmpty && bench.lockCount == 0)
    }

    @Test(withStock) func `prints what stock restic prints`() async throws {
        let bench = try await Bench()
        let ids = try await bench.addWeek()
        let lines: [[String]] = [
            ["--keep-last", "2"], ["--keep-daily", "3", "--compact"], ["-l", "1", "-v"],
            ["-w", "1", "--group-by", "", "-v"],
            ["--keep-within", "2d", "--keep-tag", "a,b", "--keep-hourly", "3", "--keep-within-weekly", "1y2m"],
            ["-y", "unlimited", "-m", "3", "--quiet"], ["--keep-last", "1", "--host", "nobody"], ["--keep-tag", "zz"],
            [ids[0].hex, ids[1].hex], ["latest", "--host", "web"], ["--keep-last", "0"], ["--keep-within", "5x"],
            ["--keep-last", "3", "--tag", "a", "--path", "/srv", "--group-by", "tags"], ["--keep-daily", "100"],
            ["--unsafe-allow-remove-all", "--tag", ""], ["--hostname", "web", "-d", "2"],
            ["-l", "99999999999999999999"],
        ]
        for line in lines {
            for more in [[], ["--json"]] {
                let difference = try await bench.outputsDiffer(["forget", "--dry-run", "--no-lock"] + line + more)
                #expect(difference == nil, "\(difference ?? "")")
            }
        }
        #expect(bench.snapshotNames.count == 14)
    }
}

extension Bench {
    /// Lock files in the repository.
    var lockCount: Int { ((try? FileManager.default.contentsOfDirectory(atPath: repository + "/locks")) ?? []).count }
}
