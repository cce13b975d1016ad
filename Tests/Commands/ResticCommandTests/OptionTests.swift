import Bytes
import Compression
import Console
import ObjectStorage
import ResticCommand
import Testing

private func message<R>(_ body: () throws -> R) -> String {
    do {
        _ = try body()
        return ""
    } catch {
        return (error as? CommandFailure)?.message.string ?? "\(error)"
    }
}

@Suite struct OptionTests {
    @Test(
        arguments: [
            ("0", 0), ("5m", 300_000_000_000), ("1h30m", 5_400_000_000_000), ("1.5s", 1_500_000_000),
            ("-2ms", -2_000_000),
            ("3µs", 3000), (".5s", 500_000_000),
        ] as [(ByteString, Int64)]
    )
    func `durations are read in Go's notation`(text: ByteString, nanoseconds: Int64) throws {
        #expect(try GoDuration.parse(text).nanoseconds == nanoseconds)
    }

    @Test func `durations are refused in Go's words`() {
        #expect(message { try GoDuration.parse("5") } == #"time: missing unit in duration "5""#)
        #expect(message { try GoDuration.parse("5x") } == #"time: unknown unit "x" in duration "5x""#)
        #expect(message { try GoDuration.parse("") } == #"time: invalid duration """#)
        #expect(message { try GoDuration.parse("9999999999h") } == #"time: invalid duration "9999999999h""#)
    }

    @Test(
        arguments: [
            (0, "0s"), (300_000_000_000, "5m0s"), (3_600_000_000_000, "1h0m0s"), (1_500_000_000, "1.5s"),
            (1_000_000, "1ms"),
            (90_061_000_000_000, "25h1m1s"), (1500, "1.5µs"),
        ] as [(Int64, String)]
    )
    func `durations are printed in Go's notation`(nanoseconds: Int64, text: String) {
        #expect(GoDuration(nanoseconds: nanoseconds).description == text)
    }

    @Test(
        arguments: [
            ("0x10", 16), ("010", 8), ("1_000", 1000), ("-5", -5), ("+7", 7), ("0b11", 3),
            ("9223372036854775807", Int64.max),
        ] as [(ByteString, Int64)]
    )
    func `numbers may have Go's prefixes and underscores`(text: ByteString, value: Int64) throws {
        #expect(try parseGoInt(text) == value)
    }

    @Test(arguments: ["", "1__0", "_1", "1_", "0x", "x", "1.5", " 1", "0_", "--1"] as [ByteString])
    func `what is no number is refused`(text: ByteString) {
        #expect(throws: NumberSyntax.self) { try parseGoInt(text) }
    }

    @Test(
        arguments: [("20K", 20 << 10), ("5g", 5 << 30), ("100", 100), ("7B", 7), ("1T", 1 << 40)]
            as [(ByteString, Int64)]
    )
    func `sizes have binary suffixes`(text: ByteString, size: Int64) throws {
        #expect(try parseSize(text) == size)
    }

    @Test func `sizes are refused in Go's words`() {
        #expect(message { try parseSize("x") } == #"strconv.ParseInt: parsing "x": invalid syntax"#)
        #expect(message { try parseSize("9999999999T") } == #"ParseSize: "9999999999": value out of range"#)
        #expect(message { try parseSize("") } == "expected size, got empty string")
    }

    @Test(
        arguments: [
            ("sh -c 'echo hello world'", ["sh", "-c", "echo hello world"]), (#"a\ b"#, ["a", "b"]),
            (#"say "it's" 'a "b"'"#, ["say", "it's", #"a "b""#]), ("  x\t y ", ["x", "y"]),
            (#"a"b"c"#, ["a", "b", "c"]),
        ] as [(ByteString, [ByteString])]
    )
    func `password commands are split as restic splits them`(command: ByteString, words: [ByteString]) throws {
        #expect(try shellWords(command) == words)
    }

    @Test func `open quotes and empty commands are refused`() {
        #expect(message { try shellWords("\"x") } == "double-quoted string not terminated")
        #expect(message { try shellWords("'x") } == "single-quoted string not terminated")
        #expect(message { try shellWords(" ") } == "command string is empty")
    }

    @Test func `text files lose their byte order mark and are converted from UTF-16`() {
        #expect(decodedText([0xef, 0xbb, 0xbf, 0x61]) == [0x61])
        #expect(decodedText([0xff, 0xfe, 0x61, 0, 0xfc, 0]) == Array("aü".utf8))
        #expect(decodedText([0xfe, 0xff, 0, 0x61, 0xd8, 0x3d, 0xde, 0x00]) == Array("a😀".utf8))
        #expect(decodedText([0xff, 0x61]) == [0xff, 0x61])
    }

    @Test func `extended options are checked as restic checks them`() throws {
        #expect(try ExtendedOptions([" LOCAL.Connections = 5 ", "s3.region=x"]).localConnections() == 5)
        #expect(message { try ExtendedOptions(["=3"]) } == "Fatal: empty key is not a valid option")
        #expect(message { try ExtendedOptions(["a=1", "a=2"]) } == #"Fatal: key "a" present more than once"#)
        #expect(
            message { try ExtendedOptions(["local.foo=3"]).localConnections() }
                == "Fatal: option local.foo is not known"
        )
        #expect(
            message { try ExtendedOptions(["local.connections=x"]).localConnections() }
                == #"strconv.ParseUint: parsing "x": invalid syntax"#
        )
    }

    @Test func `feature flags are checked by name and value`() throws {
        #expect(message { try FeatureFlags.check("foo") } == #"unknown feature flag "foo""#)
        #expect(
            message { try FeatureFlags.check("s3-restore=x") }
                == #"failed to parse value "x" for feature flag s3-restore: strconv.ParseBool: parsing "x": invalid syntax"#
        )
        #expect(
            try FeatureFlags.check("deprecate-legacy-index").map(\.string)
                == [#"feature flag "deprecate-legacy-index" is always enabled and will be removed in a future release"#]
        )
        #expect(message { try FeatureFlags.check("device-id-for-hardlinks") }.contains("not supported yet"))
    }

    @Test func `locations of other kinds of storage are refused by name`() throws {
        #expect(try RepositoryLocation.parse("local:/a:b") == .local(path: "/a:b"))
        #expect(try RepositoryLocation.parse("../x:y") == .local(path: "../x:y"))
        #expect(try RepositoryLocation.parse("repo") == .local(path: "repo"))
        #expect(try RepositoryLocation.parse("sftp:host:/x") == .sftp(SFTPLocation(parsing: "host:/x")))
        let server = try RESTLocation(parsing: "https://me:pw@host:8000/lab/")
        #expect(try RepositoryLocation.parse("rest:https://me:pw@host:8000/lab") == .rest(server))
        #expect(message { try RepositoryLocation.parse("rest:host/lab") }.contains("has to begin with http://"))
        let bucket = S3Location(host: "minio:9000", isSecure: false, bucket: "lab", prefix: "dr")
        #expect(try RepositoryLocation.parse("s3:http://minio:9000/lab/dr/") == .s3(bucket))
        #expect(message { try RepositoryLocation.parse("s3:host") }.contains("bucket name not found"))
        #expect(message { try RepositoryLocation.parse("foo:bar") }.contains("you need to add a `local:` prefix"))
    }

    @Test func `S-04 passwords in locations are not shown`() {
        #expect(RepositoryLocation.shown("rest:https://me:secret@host/x") == "rest:https://me:***@host/x")
        #expect(RepositoryLocation.shown("rest:https://host/x") == "rest:https://host/x")
        #expect(RepositoryLocation.shown("/plain/me:secret@x") == "/plain/me:secret@x")
    }

    @Test func `environment values lie below the command line`() throws {
        let environment = Environment([
            "RESTIC_REPOSITORY": "env", "RESTIC_PACK_SIZE": "16", "RESTIC_COMPRESSION": "max",
        ])
        var parser = FlagParser(globalFlags)
        try parser.parse(["-r", "flag"])
        let options = try GlobalOptions(parser.values, environment)
        #expect(options.repository == "flag")
        #expect(options.packSizeMiB == 16)
        #expect(options.compression == .max)
    }

    @Test func `S-02 children do not see our passwords`() {
        let environment = Environment(["RESTIC_PASSWORD": "x", "RESTIC_FROM_PASSWORD": "y", "PATH": "/bin"])
        #expect(environment.withoutSecrets.variables == ["PATH": "/bin"])
    }
}
