import Bytes
import Foundation
import Glibc
import HostSystem
import Testing

@Suite struct CommandTests {
    private func shell(_ line: String) -> Command { Command(["/bin/sh", "-c", ByteString(line)]) }

    @Test func `G-14 output, error output and status of a command come back apart`() async throws {
        let result = try await run(shell("echo out; echo err >&2; exit 3"))
        #expect(result.ending == .exited(3))
        #expect(result.output == Array("out\n".utf8))
        #expect(result.errorOutput == Array("err\n".utf8))
        #expect(!result.isCut)
    }

    @Test func `G-14 a killed command says by which signal`() async throws {
        #expect(try await run(shell("kill -TERM $$")).ending == .signalled(SIGTERM))
    }

    @Test func `a program that does not exist is an error with its name`() async {
        await #expect(throws: Errno(ENOENT, in: "posix_spawn")) { try await run(Command(["/no/such/program"])) }
        await #expect(throws: Errno.self) { try await run(Command([])) }
    }

    @Test func `S-02 a child sees the allow-listed variables and what it was given`() async throws {
        setenv("HOLDFAST_CANARY", "canary-4711", 1)
        var command = Command(["env"])
        command.environment = [("GIVEN", "yes"), ("LANG", "C.UTF-8")]
        let text = String(decoding: try await run(command).output, as: UTF8.self)
        #expect(!text.contains("canary-4711"))
        #expect(text.contains("GIVEN=yes\n"))
        #expect(text.contains("PATH="))
        #expect(text.split(separator: "\n").count { $0.hasPrefix("LANG=") } == 1)
    }

    @Test func `S-10 a child inherits the three standard streams and nothing else`() async throws {
        let leaked = open("/dev/null", O_RDONLY)
        defer { close(leaked) }
        let result = try await run(shell("ls /proc/$$/fd"))
        let numbers = String(decoding: result.output, as: UTF8.self).split(separator: "\n")
        #expect(numbers.allSatisfy { ["0", "1", "2"].contains($0) }, "\(numbers)")
    }

    @Test func `G-14 a command that fills both pipes does not hang and its output is cut`() async throws {
        let result = try await run(
            shell("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; exit 0"),
            outputLimit: 1000,
            errorLimit: 10
        )
        #expect(result.ending.isSuccess)
        #expect(result.output.count == 1000)
        #expect(result.errorOutput.count == 10)
        #expect(result.isCut)
    }

    @Test func `G-14 a command that hangs is killed after its time`() async throws {
        let result = try await run(shell("echo begun; exec sleep 600"), timeoutNanoseconds: 200_000_000)
        #expect(result.ending == .timedOut)
    }

    @Test func `G-14 with a group of its own the children of the command go, too`() async throws {
        var command = shell("sleep 600 & echo $!; wait")
        command.hasOwnGroup = true
        let result = try await run(command, timeoutNanoseconds: 300_000_000)
        let text = String(decoding: result.output, as: UTF8.self).split(separator: "\n").first ?? ""
        let child = try #require(Int32(text))
        // It is init that reaps it, at its own pace; a zombie counts as ended.
        let start = SystemTime().monotonicNanoseconds()
        func hasEnded() -> Bool {
            let status = try? readFile(ByteString("/proc/\(child)/stat"), limit: 4096)
            return status.map { String(decoding: $0, as: UTF8.self).contains(") Z") } ?? true
        }
        while !hasEnded(), SystemTime().monotonicNanoseconds() - start < 10_000_000_000 { await Task.yield() }
        #expect(hasEnded())
    }

    @Test func `a process left behind does not keep the command waiting`() async throws {
        let before = SystemTime().monotonicNanoseconds()
        let result = try await run(shell("sleep 20 & echo done"))
        #expect(result.output == Array("done\n".utf8))
        #expect(SystemTime().monotonicNanoseconds() - before < 10_000_000_000)
    }

    @Test func `bytes are fed to the command and a reader that stops early is fine`() async throws {
        let bytes = [UInt8](repeating: 0x61, count: 1_000_000)
        var count = Command(["wc", "-c"])
        count.input = .bytes(bytes)
        #expect(String(decoding: try await run(count).output, as: UTF8.self).contains("1000000"))
        var head = Command(["head", "-c", "1"])
        head.input = .bytes(bytes)
        #expect(try await run(head).output == [0x61])
        var none = Command(["cat"])
        none.input = .bytes([])
        #expect(try await run(none).output.isEmpty)
    }

    @Test func `a command starts in the directory it was given`() async throws {
        let scratch = Scratch()
        var command = shell("pwd")
        command.workingDirectory = scratch.bytes
        let text = String(decoding: try await run(command).output, as: UTF8.self)
        #expect(text.contains(scratch.path.split(separator: "/").last ?? "?"))
    }

    @Test func `Q-06 a cancelled task kills the command it waits for`() async throws {
        let pool = try WorkerPool(width: 1, name: "cancel")
        let begun = Locked<CheckedContinuation<Void, Never>?>(nil)
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask(executorPreference: pool) { _ = try await run(Command(["sleep", "600"])) }
                group.cancelAll()
                try await group.waitForAll()
            }
        }
        _ = begun
        pool.shutdown()
    }
}

@Suite struct RunningCommandTests {
    private func readAll(_ command: RunningCommand) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        let piece = Block(capacity: 64 << 10)
        while true {
            piece.reset()
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 8)
            defer { buffer.deallocate() }
            let count = try await command.read(into: buffer)
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    @Test func `G-14 output streams and the end tells success from failure`() async throws {
        let seen = Locked<[UInt8]>([])
        let command = try RunningCommand(Command(["/bin/sh", "-c", "seq 1 50000; echo oops >&2; exit 4"])) { bytes in
            seen.with { $0 += bytes }
        }
        let bytes = try await readAll(command)
        #expect(bytes.count { $0 == 0x0a } == 50_000)
        #expect(try await command.finish() == .exited(4))
        #expect(command.errorTail == Array("oops\n".utf8))
        #expect(seen.current == Array("oops\n".utf8))
    }

    @Test func `G-14 error output without end does not block the command`() async throws {
        let command = try RunningCommand(Command(["/bin/sh", "-c", "head -c 2000000 /dev/zero >&2; echo data"]))
        #expect(try await readAll(command) == Array("data\n".utf8))
        #expect(try await command.finish().isSuccess)
        #expect(command.errorTail.count == 64 << 10)
    }

    @Test func `G-14 a command that falls silent is ended by the limit`() async throws {
        let command = try RunningCommand(Command(["sleep", "600"]))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 8)
        defer { buffer.deallocate() }
        await #expect(throws: Errno(ETIMEDOUT, in: "read")) {
            try await command.read(into: buffer, idleNanoseconds: 100_000_000)
        }
        #expect(try await command.finish() == .signalled(SIGKILL))
    }

    @Test func `dropping the last reference ends the command`() async throws {
        let pidFile = Scratch()
        do {
            let command = try RunningCommand(
                Command(["/bin/sh", "-c", ByteString("echo $$ > '\(pidFile.path)/pid'; echo up; exec sleep 600")])
            )
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 8)
            defer { buffer.deallocate() }
            #expect(try await command.read(into: buffer) == 3)
        }
        let pid = try #require(Int32(String(decoding: pidFile.content("pid") ?? [], as: UTF8.self).dropLast()))
        #expect(!isProcessAlive(pid))
    }
}
