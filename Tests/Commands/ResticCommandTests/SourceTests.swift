import Bytes
import Console
import ResticCommand
import ResticRepository
import Testing

private struct FixedZone: TimeSource {
    var offset: Int32
    func now() -> Timestamp { Timestamp(seconds: 0) }
    func monotonicNanoseconds() -> UInt64 { 0 }
    func localOffsetSeconds(at moment: Timestamp) -> Int32 { offset }
    func sleep(nanoseconds: UInt64) async throws {}
}

@Suite struct SourceTests {
    @Test func `variables in exclude files are replaced`() {
        let environment = Environment(["HOME": "/root", "_a1": "x"])
        func expanded(_ line: ByteString) -> ByteString { expandVariables(line, environment) }
        #expect(expanded("$HOME/x") == "/root/x")
        #expect(expanded("${HOME}x") == "/rootx")
        #expect(expanded("$$x$") == "$x$")
        #expect(expanded("$_a1-$missing-") == "x--")
        #expect(expanded("${open") == "open")
        #expect(expanded("$1x") == "x")
    }

    @Test func `raw lists need their last zero byte and no empty names`() throws {
        #expect(try splitRaw(Array("a\0b\n\0".utf8)) == ["a", "b\n"])
        #expect(throws: CommandFailure.self) { try splitRaw(Array("a".utf8)) }
        #expect(throws: CommandFailure.self) { try splitRaw(Array("a\0\0".utf8)) }
        #expect(try splitRaw([]).isEmpty)
    }

    @Test(
        arguments: [
            ("/a/../b/./c//", "/b/c"), ("", "."), ("../../x", "../../x"), ("/..", "/"), ("a/..", "."), ("./a", "a"),
        ] as [(ByteString, ByteString)]
    )
    func `paths are cleaned as Go cleans them`(path: ByteString, clean: ByteString) {
        #expect(SourcePath.clean(path) == clean)
    }

    @Test func `times are read in the local zone`() throws {
        let time = try parseTime("2023-05-06 07:08:09", time: FixedZone(offset: 3600))
        #expect(time.moment == Timestamp(seconds: 1_683_353_289))
        #expect(time.offsetSeconds == 3600)
        #expect(try parseTime("1969-12-31 23:59:59.25", time: FixedZone(offset: 0)).moment.nanoseconds == 250_000_000)
        #expect(try parseTime("2024-02-29 0:00:00", time: FixedZone(offset: 0)).moment.seconds == 1_709_164_800)
    }

    @Test(
        arguments: [
            ("yesterday", #"parsing time "yesterday" as "2006-01-02 15:04:05": cannot parse "yesterday" as "2006""#),
            ("2023-13-01 00:00:00", #"parsing time "2023-13-01 00:00:00": month out of range"#),
            ("2023-02-29 00:00:00", #"parsing time "2023-02-29 00:00:00": day out of range"#),
            ("2023-01-01 00:00:00x", #"parsing time "2023-01-01 00:00:00x": extra text: "x""#),
            ("2023-01-01", #"parsing time "2023-01-01" as "2006-01-02 15:04:05": cannot parse "" as " ""#),
        ] as [(ByteString, String)]
    )
    func `times are refused in Go's words`(text: ByteString, complaint: String) {
        do {
            _ = try parseTime(text, time: FixedZone(offset: 0))
            Issue.record("accepted")
        } catch {
            #expect(error.message.string == complaint)
        }
    }
}
