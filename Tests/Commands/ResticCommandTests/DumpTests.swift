import Foundation
import Testing

@Suite struct DumpTests {
    private func saved() async throws -> Bench {
        let bench = try await Bench()
        try bench.addAwkwardFiles()
        _ = await bench.run("backup", bench.source, "--host", "web")
        return bench
    }

    @Test func `a file is dumped byte for byte, to standard output and to a target`() async throws {
        let bench = try await saved()
        let shown = await bench.run("dump", "latest", bench.source + "/a.txt")
        #expect(shown.status == 0 && shown.output == "hello", "\(shown.error)")
        let target = bench.directory + "/out"
        let written = await bench.run("dump", "latest:\(bench.source)", "zeros", "--target", target)
        #expect(written.status == 0 && written.output.isEmpty, "\(written.error)")
        #expect(FileManager.default.contentsEqual(atPath: target, andPath: bench.source + "/zeros"))
    }

    @Test func `a path that is not there leaves an existing target alone`() async throws {
        let bench = try await saved()
        let target = bench.directory + "/out"
        try Data("precious".utf8).write(to: URL(filePath: target))
        let run = await bench.run("dump", "latest", "/nowhere/at/all", "--target", target)
        #expect(run.status == 1)
        #expect(run.error.hasPrefix("Fatal: cannot dump file: path \"/nowhere\" not found in snapshot"))
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "precious")
    }

    @Test func `wrong usage is refused in restic's words`() async throws {
        let bench = try await saved()
        #expect(await bench.run("dump", "latest").error.hasPrefix("Fatal: no file and no snapshot ID specified"))
        #expect(await bench.run("dump", "-a", "rar", "latest", "/").error == "unknown archive format \"rar\"\n")
        let link = await bench.run("dump", "latest:\(bench.source)", "link")
        #expect(link.error.hasPrefix("Fatal: cannot dump file: \"/link\" should be a file, but is a \"symlink\""))
        let below = await bench.run("dump", "latest:\(bench.source)", "a.txt/x")
        #expect(below.error.hasPrefix("Fatal: cannot dump file: \"/a.txt\" should be a dir, but is a \"file\""))
    }

    @Test func `a tar archive has every member with its contents`() async throws {
        let bench = try await saved()
        let target = bench.directory + "/out.tar"
        #expect(await bench.run("dump", "latest:\(bench.source)", "/", "-t", target).status == 0)
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: target)))
        #expect(bytes.count % 512 == 0)
        #expect(bytes.suffix(1024).allSatisfy { $0 == 0 })
        let names = String(decoding: bytes, as: UTF8.self)
        #expect(names.contains("path=ünïcödé~\\\n"))
        #expect(names.contains("linkpath=" + String(repeating: "t", count: 150)))
    }

    @Test(.enabled(if: StockPeer.isInstalled, "PEERS names no stock restic"))
    func `tar archives equal stock restic's byte for byte`() async throws {
        let bench = try await saved()
        for arguments in [["latest", "/"], ["latest:\(bench.source)", "/"], ["latest:\(bench.source)", "/sub"]] {
            let target = bench.directory + "/out.tar"
            #expect(await bench.run(["dump", "--target", target] + arguments).status == 0)
            let stock = try StockPeer.run(["dump"] + arguments, bench)
            #expect(try Data(contentsOf: URL(filePath: target)) == stock.output, "\(arguments)")
        }
    }

    @Test(.enabled(if: StockPeer.isInstalled, "PEERS names no stock restic"))
    func `zip archives unpack to the source, and have stock restic's directory`() async throws {
        let bench = try await saved()
        let target = bench.directory + "/out.zip"
        let arguments = ["dump", "-a", "zip", "latest:\(bench.source)", "/"]
        #expect(await bench.run(arguments + ["--target", target]).status == 0)
        let stock = try StockPeer.run(arguments, bench)
        let ours = try Data(contentsOf: URL(filePath: target))
        // Names, flags, times and attributes; compressed sizes and offsets differ, since another deflate wrote them.
        #expect(directory(of: ours) == directory(of: stock.output))
        #expect(directory(of: ours).count > 12)
    }

    /// The entries of a zip archive's directory without what depends on the compressor.
    private func directory(of archive: Data) -> [[UInt8]] {
        let bytes = [UInt8](archive)
        func word(_ at: Int) -> Int { Int(bytes[at]) | Int(bytes[at + 1]) << 8 }
        guard bytes.count >= 22 else { return [] }
        let end = bytes.count - 22
        var position = word(end + 16) | word(end + 18) << 16
        var entries: [[UInt8]] = []
        while position + 46 <= end, bytes[position..<position + 4].elementsEqual([0x50, 0x4b, 1, 2]) {
            let length = 46 + word(position + 28) + word(position + 30)
            var entry = Array(bytes[position..<position + length])
            for offset in Array(20..<24) + Array(42..<46) { entry[offset] = 0 }
            entries.append(entry)
            position += length
        }
        return entries
    }
}
