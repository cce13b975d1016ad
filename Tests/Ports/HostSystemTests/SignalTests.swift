import Bytes
import Foundation
import Glibc
import HostSystem
import Testing

@Suite struct SignalTests {
    @Test(arguments: [SIGINT, SIGTERM]) func `A-04 the first request is reported and ends nothing`(_ number: Int32)
        async
    {
        // Exit tests capture nothing, so each number has its own body.
        if number == SIGINT {
            await #expect(processExitsWith: .exitCode(7)) { try raiseOnce(SIGINT, expecting: .interrupt) }
        } else {
            await #expect(processExitsWith: .exitCode(7)) { try raiseOnce(SIGTERM, expecting: .terminate) }
        }
    }

    @Test func `A-04 the second request ends the process at once with 130`() async {
        await #expect(processExitsWith: .exitCode(130)) {
            try Signals.install { _ in while true { pause() } }
            kill(getpid(), SIGINT)
            kill(getpid(), SIGTERM)
            while true { pause() }
        }
    }

    @Test func `a holder of locks survives any number of hangups`() async {
        await #expect(processExitsWith: .exitCode(9)) {
            let count = Locked(0)
            try Signals.install { signal in
                guard signal == .hangup else { exit(1) }
                if count.with({
                    $0 += 1; return $0
                }) == 3 {
                    exit(9)
                }
                kill(getpid(), SIGHUP)
            }
            kill(getpid(), SIGHUP)
            while true { pause() }
        }
    }

    @Test func `writing to a closed pipe is an error and not the end`() async {
        await #expect(processExitsWith: .exitCode(5)) {
            try Signals.install { _ in }
            let (reader, writer) = try makePipe()
            try reader.close()
            do { try writer.write([1]) } catch { exit((error as? Errno)?.kind == .brokenPipe ? 5 : 6) }
        }
    }

    @Test func `S-05 the process leaves no core and cannot be traced by its user`() async {
        await #expect(processExitsWith: .exitCode(5)) {
            guard forbidCoreDumps() else { exit(1) }
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
            let status = (try? readFile("/proc/self/status", limit: 1 << 16)) ?? []
            // /proc/self belongs to root now; that is how the flag shows from outside.
            exit(limit.rlim_cur == 0 && !status.isEmpty ? 5 : 2)
        }
    }

    @Test func `S-06 files are private after a start with umask 000`() async {
        await #expect(processExitsWith: .exitCode(5)) {
            umask(0)
            usePrivateUmask()
            let mode = try { () throws -> UInt32 in
                let scratch = Scratch()
                scratch.write("file", "x")
                return try scratch.open().status("file").permissions
            }()
            exit(mode & 0o077 == 0 ? 5 : 6)
        }
    }

    @Test func `closed standard streams are opened on nothing`() async {
        await #expect(processExitsWith: .exitCode(5)) {
            close(0)
            close(2)
            openStandardStreams()
            let (reader, writer) = try makePipe()
            exit(reader.rawValue > 2 && writer.rawValue > 2 ? 5 : 6)
        }
    }
}

private func raiseOnce(_ number: Int32, expecting expected: StopSignal) throws {
    try Signals.install { exit($0 == expected ? 7 : 8) }
    kill(getpid(), number)
    while true { pause() }
}
