import Bytes
import Foundation
import Glibc
import HostSystem
import Testing

@Suite struct MachineTests {
    @Test func `time is now and the monotonic clock never goes back`() {
        let time = SystemTime()
        #expect(abs(time.now().seconds - Int64(Date().timeIntervalSince1970)) < 5)
        let first = time.monotonicNanoseconds()
        #expect(time.monotonicNanoseconds() >= first)
        let offset = time.localOffsetSeconds(at: time.now())
        #expect(Int(offset) == TimeZone.current.secondsFromGMT())
    }

    @Test func `random bytes fill buffers of any length and differ`() {
        let entropy = SystemEntropy()
        #expect(entropy.bytes(0).isEmpty)
        #expect(entropy.bytes(100_000).count == 100_000)
        #expect(entropy.bytes(32) != entropy.bytes(32))
    }

    @Test func `names of users and groups are found both ways`() {
        let accounts = Accounts()
        for _ in 0..<2 {
            #expect(accounts.userName(0) == "root")
            #expect(accounts.groupName(0) == "root")
            #expect(accounts.userID("root") == 0)
            #expect(accounts.groupID("root") == 0)
            #expect(accounts.userName(3_999_999_999) == nil)
            #expect(accounts.userID("no such user") == nil)
        }
        #expect(!currentUserName(accounts).bytes.isEmpty)
        #expect(!hostName().bytes.isEmpty)
    }

    @Test func `a process is told alive from dead and from a later one of its number`() throws {
        #expect(isProcessAlive(getpid()))
        #expect(isProcessAlive(1))
        #expect(!isProcessAlive(0))
        #expect(!isProcessAlive(-1))
        #expect(!isProcessAlive(4_194_305))
        let ticks = try #require(processStartTicks(getpid()))
        #expect(ticks > 0)
        #expect(processStartTicks(getpid()) == ticks)
        #expect(processStartTicks(4_194_305) == nil)
        #expect(bootID()?.bytes.count == 36)
    }

    @Test func `the machine has processors and memory in use`() {
        #expect(processorCount() >= 1)
        #expect(peakResidentBytes() > 1 << 20)
        #expect(raiseOpenFileLimit(to: 256) >= 256)
    }

    @Test func `free room is told with inodes`() throws {
        let space = try Directory.open("/").space()
        #expect(space.totalBytes > 0)
        #expect(space.freeBytes <= space.totalBytes)
    }

    @Test func `directories above a path are made where they are missing`() throws {
        let scratch = Scratch()
        let path = ByteString(scratch.path + "/a//b/./c")
        let made = try Directory.createAll(path)
        #expect(try made.status().identity == status(at: path).identity)
        #expect(try status(at: ByteString(scratch.path + "/a")).permissions == 0o700)
        #expect(try Directory.createAll(path).status().identity == made.status().identity)
        scratch.write("file", "x")
        #expect(throws: Errno.self) { try Directory.createAll(ByteString(scratch.path + "/file/x")) }
    }
}
