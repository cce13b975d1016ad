import Bytes
import Foundation
import HostSystem
import ResticCommand
import Spawning
import Testing

/// Three snapshots that differ in names, contents, types and metadata.
private func history() async throws -> (bench: Bench, ids: [String]) {
    let bench = try await Bench()
    let manager = FileManager.default
    try bench.addAwkwardFiles()
    func backup(_ time: String) async throws -> String {
        let run = await bench.run("backup", bench.source, "--host", "web", "--json", "--time", time)
        let summary = try #require(run.output.split(separator: "\n").last { $0.contains("snapshot_id") })
        let object = try JSONSerialization.jsonObject(with: Data(summary.utf8)) as? [String: Any]
        return try #require(object?["snapshot_id"] as? String)
    }
    var ids = [try await backup("2026-01-01 10:00:00")]
    try Data("other".utf8).write(to: URL(filePath: bench.source + "/a.txt"))
    try manager.removeItem(atPath: bench.source + "/sub")
    try manager.removeItem(atPath: bench.source + "/empty")
    try manager.createDirectory(atPath: bench.source + "/empty", withIntermediateDirectories: false)
    try manager.createDirectory(atPath: bench.source + "/new/deep", withIntermediateDirectories: true)
    try Data(repeating: 9, count: 70_000).write(to: URL(filePath: bench.source + "/new/deep/c.BIN"))
    ids.append(try await backup("2026-01-02 10:00:00"))
    try manager.setAttributes([.posixPermissions: 0o600], ofItemAtPath: bench.source + "/half")
    try manager.linkItem(atPath: bench.source + "/a.txt", toPath: bench.source + "/new/hard")
    ids.append(try await backup("2026-01-03 10:00:00"))
    return (bench, ids)
}

private let withStock: ConditionTrait = .enabled(if: StockPeer.isInstalled, "PEERS names no stock restic")

@Suite struct FindTests {
    @Test func `names are found in every snapshot, the newest first`() async throws {
        let (bench, ids) = try await history()
        let run = await bench.run("find", "*.bin", "a.txt")
        #expect(run.status == 0)
        let shown = ids.reversed().map { "in snapshot \($0.prefix(8)) from" }
        let order = shown.compactMap { run.output.range(of: $0)?.lowerBound }
        #expect(order.count == 3 && order == order.sorted())
        #expect(run.output.contains(bench.source + "/sub/b.bin"))
        #expect(!run.output.contains("c.BIN"))
        #expect(await bench.run("find", "-i", "*.bin").output.contains("c.BIN"))
        #expect(await bench.run("find", "nothing", "--json").output == "[]\n")
    }

    @Test func `wrong usage is refused in restic's words`() async throws {
        let bench = try await Bench()
        #expect(await bench.run("find").error.hasPrefix("Fatal: wrong number of arguments"))
        #expect(
            await bench.run("find", "x", "--oldest", "then").error.hasPrefix("Fatal: unable to parse time: \"then\"")
        )
        #expect(await bench.run("find", "x", "--blob", "--tree").error.hasPrefix("Fatal: cannot have several ID types"))
        let crossed = await bench.run("find", "x", "--oldest", "2026-01-02", "--newest", "2026-01-01")
        #expect(crossed.error.hasPrefix("Fatal: --oldest must specify a time before --newest"))
    }

    @Test func `an identifier is found by eight digits or more`() async throws {
        let (bench, _) = try await history()
        let listed = await bench.run("list", "blobs").output.split(separator: "\n").map { $0.split(separator: " ") }
        for kind in ["data", "tree"] {
            let id = String(try #require(listed.first { $0[0] == kind })[1])
            let whole = await bench.run("find", kind == "data" ? "--blob" : "--tree", id)
            #expect(whole.status == 0 && whole.output.contains(id))
            for count in [8, 9, 16, 63] {
                let run = await bench.run("find", kind == "data" ? "--blob" : "--tree", String(id.prefix(count)))
                #expect(run.output == whole.output, "\(kind) \(count)")
            }
            let other = (id.hasSuffix("0") ? "1" : "0")
            #expect(await bench.run("find", "--blob", String(id.dropLast()) + other).output.isEmpty)
        }
        let pack = await bench.run("list", "packs").output.split(separator: "\n").map(String.init)[0]
        let whole = await bench.run("find", "--pack", pack)
        #expect(await bench.run("find", "--pack", String(pack.prefix(16))).output == whole.output)
    }

    @Test(withStock) func `finds what stock restic finds, as text and as JSON`() async throws {
        let (bench, ids) = try await history()
        let tree = await bench.run("cat", "snapshot", ids[0]).output
        let object = try JSONSerialization.jsonObject(with: Data(tree.utf8)) as? [String: Any]
        let root = try #require(object?["tree"] as? String)
        let listed = await bench.run("list", "blobs").output.split(separator: "\n").map { $0.split(separator: " ") }
        let blob = String(try #require(listed.first { $0[0] == "data" })[1])
        let pack = await bench.run("list", "packs").output.split(separator: "\n").map(String.init)[0]
        let lines: [[String]] = [
            ["find", "*.bin"], ["find", "*.BIN", "-i", "-l"], ["find", "a.txt", "-R", "--long", "--human-readable"],
            ["find", "*", "--snapshot", String(ids[1].prefix(10))], ["find", bench.source + "/new"],
            ["find", "half", "--newest", "2017-07-15"], ["find", "half", "--oldest", "14.07.2017 02:41"],
            ["find", "old", "--newest", "1970-01-01 00:00:00 +0000"], ["find", "b.bin", "--host", "nobody"],
            ["find", "--tree", root], ["find", "--tree", String(root.prefix(8)), "--show-pack-id"],
            ["find", "--blob", String(blob.prefix(8)), "--show-pack-id"], ["find", "--blob", blob],
            ["find", "--pack", pack],
            ["find", "--pack", "00000000"], ["find", "[", "x"], ["find", "a.txt", "--snapshot", "beefbeef"],
        ]
        for line in lines {
            for more in [[], ["--json"]] {
                let difference = try await bench.outputsDiffer(line + more)
                #expect(difference == nil, "\(difference ?? "")")
            }
        }
    }

    @Test(
        arguments: [
            ("2026-02-03", 1_770_076_800), ("2026-02-03 04:05", 1_770_091_500), ("2026-02-03 04:05:06", 1_770_091_506),
            ("2026-02-03 04:05:06 +0100", 1_770_087_906), ("2026-02-03 04:05:06 UTC", 1_770_091_506),
            ("03.02.2026", 1_770_076_800), ("03.02.2026 04:05:06 -0230", 1_770_100_506),
            ("Tue Feb 3 04:05:06 +0100 CET 2026", 1_770_087_906), ("2026-02-30", nil), ("2026-2-3", nil),
            ("2026-02-03 25:00", nil), ("2026-02-03 04:05:06 ", nil), ("", nil), ("yesterday", nil),
        ] as [(String, Int64?)]
    )
    func `times are read in restic's forms`(text: String, seconds: Int64?) {
        #expect(parseSearchTime(ByteString(text), time: UTCTime())?.seconds == seconds)
    }
}

private struct UTCTime: TimeSource {
    func now() -> Timestamp { Timestamp(seconds: 0) }
    func monotonicNanoseconds() -> UInt64 { 0 }
    func localOffsetSeconds(at moment: Timestamp) -> Int32 { 0 }
    func sleep(nanoseconds: UInt64) async throws {}
}

@Suite struct StatsTests {
    @Test func `sizes are counted, and a mode that does not exist is refused`() async throws {
        let bench = try await Bench()
        _ = await bench.run("backup", bench.source)
        let run = await bench.run("stats", "latest")
        #expect(run.status == 0, "\(run.error)")
        #expect(run.output.contains("Stats in restore-size mode:\n     Snapshots processed:  1\n"))
        #expect(run.output.contains("              Total Size:  2.935 KiB\n"))
        let wrong = await bench.run("stats", "--mode", "guess")
        #expect(wrong.status == 1 && wrong.error.hasPrefix("unknown counting mode: guess"))
    }

    @Test(withStock, arguments: ["restore-size", "files-by-contents", "blobs-per-file", "raw-data"])
    func `counts what stock restic counts`(mode: String) async throws {
        let (bench, ids) = try await history()
        for more in [
            ["--json"], ["latest"], [ids[1]], [ids[0], ids[2], "--json"], ["--host", "nobody"], ["beefbeef"],
        ] {
            let difference = try await bench.outputsDiffer(["stats", "--mode", mode] + more)
            #expect(difference == nil, "\(difference ?? "")")
        }
    }
}

@Suite struct DiffTests {
    @Test func `what was added, removed and changed is named`() async throws {
        let (bench, ids) = try await history()
        let run = await bench.run("diff", ids[0] + ":" + bench.source, ids[1] + ":" + bench.source)
        #expect(run.status == 0)
        for line in ["M    /a.txt\n", "-    /sub/b.bin\n", "+    /new/deep/c.BIN\n", "T    /empty/\n"] {
            #expect(run.output.contains(line), "\(line)")
        }
        #expect(await bench.run("diff", ids[0]).error.hasPrefix("Fatal: specify two snapshot IDs"))
    }

    @Test(withStock) func `differs as stock restic says`() async throws {
        let (bench, ids) = try await history()
        let lines: [[String]] = [
            [ids[0], ids[1]], [ids[1], ids[2]], [ids[1], ids[2], "--metadata"], [ids[2], ids[0], "--metadata"],
            [ids[0], ids[0]], [ids[0] + ":" + bench.source, ids[2] + ":" + bench.source], [ids[0], ids[2], "-q"],
            [ids[0], "beefbeef"], [ids[0] + ":/nope", ids[1]],
        ]
        for line in lines {
            for more in [[], ["--json"]] {
                let difference = try await bench.outputsDiffer(["diff"] + line + more)
                #expect(difference == nil, "\(difference ?? "")")
            }
        }
    }
}

@Suite struct CacheCommandTests {
    @Test func `caches are listed with age and size, and old ones removed`() async throws {
        let bench = try await Bench()
        let base = bench.directory + "/cache"
        #expect(await bench.run("cache").output == "no cache dirs found, basedir is \(base)\n")
        _ = await bench.run("backup", bench.source)
        let old = base + "/" + String(repeating: "a", count: 64)
        try FileManager.default.createDirectory(atPath: old, withIntermediateDirectories: false)
        try Data(count: 2048).write(to: URL(filePath: old + "/file"))
        let aged = Date(timeIntervalSinceNow: -40 * 86_400 - 60)
        try FileManager.default.setAttributes([.modificationDate: aged], ofItemAtPath: old)
        let listed = await bench.run("cache")
        #expect(listed.output.contains("aaaaaaaaaa  40 days ago  yes    2.000 KiB\n"), "\(listed.output)")
        #expect(listed.output.hasSuffix("2 cache dirs in \(base)\n"))
        if StockPeer.isInstalled {
            let stock = try StockPeer.cache(["cache", "--cache-dir", base], bench)
            #expect(stock == listed.output)
        }
        #expect(!(await bench.run("cache", "--no-size")).output.contains("KiB"))
        #expect(await bench.run("cache", "--cleanup", "--max-age", "50").output == "no old cache dirs found\n")
        #expect(await bench.run("cache", "--cleanup").output == "remove 1 old cache directories\n")
        #expect(!FileManager.default.fileExists(atPath: old))
        #expect(await bench.run("cache", "--no-cache").error.hasPrefix("Fatal: Refusing to do anything"))
        #expect(await bench.run("cache", "word").status == 1)
    }
}

@Suite struct GenerateTests {
    @Test func `options and features are listed by the names that stock restic has`() async throws {
        let bench = try await Bench()
        for verb in ["options", "features"] {
            let run = await bench.run(verb)
            #expect(run.status == 0)
            guard StockPeer.isInstalled else { continue }
            let stock = String(decoding: try StockPeer.run([verb], bench).output, as: UTF8.self)
            func names(_ text: String) -> [Substring] {
                text.split(separator: "\n").compactMap { $0.split(separator: " ").first }.filter { !$0.hasPrefix("-") }
            }
            #expect(names(run.output) == names(stock))
        }
    }

    @Test func `completion is written for each shell, and knows every command`() async throws {
        let bench = try await Bench()
        for shell in ["bash", "zsh", "fish", "powershell"] {
            let file = bench.directory + "/completion"
            let run = await bench.run("generate", "--\(shell)-completion", file)
            #expect(run.status == 0 && run.output.isEmpty, "\(run.error)")
            let script = try String(contentsOfFile: file, encoding: .utf8)
            for verb in Verb.allCases where verb.isSupported && verb.group != .hidden {
                #expect(script.contains(verb.rawValue))
            }
            #expect(await bench.run("generate", "--\(shell)-completion", "-").output == script)
        }
        #expect(await bench.run("generate").error.hasPrefix("Fatal: nothing to do"))
        let both = await bench.run("generate", "--bash-completion", "-", "--zsh-completion", "-")
        #expect(both.status == 1 && both.output.isEmpty)
    }

    @Test func `the bash completion completes`() async throws {
        let bench = try await Bench()
        let file = bench.directory + "/completion"
        _ = await bench.run("generate", "--bash-completion", file)
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/bash")
        shell.arguments = [
            "-c",
            "source \"$0\"; COMP_WORDS=(restic -r x ls --lo); COMP_CWORD=4; _restic; echo \"${COMPREPLY[*]}\"; "
                + "COMP_WORDS=(restic dif); COMP_CWORD=1; _restic; echo \"${COMPREPLY[*]}\"", file,
        ]
        let output = Pipe()
        shell.standardOutput = output
        try shell.start()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        shell.waitUntilExit()
        #expect(text == "--long\ndiff\n")
    }

    @Test func `manual pages are written for the program and each command`() async throws {
        let bench = try await Bench()
        let directory = bench.directory + "/man"
        #expect(await bench.run("generate", "--man", directory).status == 1)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        #expect(
            await bench.run("generate", "--man", directory).output == "writing man pages to directory \(directory)\n"
        )
        let pages = try FileManager.default.contentsOfDirectory(atPath: directory)
        #expect(pages.contains("restic.1") && pages.contains("restic-backup.1"))
        let page = try String(contentsOfFile: directory + "/restic-dump.1", encoding: .utf8)
        #expect(page.contains("\\fB\\-\\-archive\\fP"))
    }
}
