import Bytes
import ResticFormat
import Testing

@Suite struct DocumentTests {
    @Test func `a config is written as restic writes it`() throws {
        let config = RepositoryConfig(version: 2, id: digest("8"), polynomial: 0x32_f715_5d16_3b5b)
        let document = "{\"version\":2,\"id\":\"\(digest("8").hex)\",\"chunker_polynomial\":\"32f7155d163b5b\"}"
        #expect(text(config.encode()) == document)
        #expect(try RepositoryConfig(decoding: bytes(document)) == config)
    }

    @Test(
        arguments: [
            ("{\"version\":3,\"id\":\"ID\",\"chunker_polynomial\":\"3\"}", FormatError.Reason.unsupported),
            ("{\"version\":0,\"id\":\"ID\",\"chunker_polynomial\":\"3\"}", .unsupported),
            ("{\"version\":2,\"version\":1,\"id\":\"ID\",\"chunker_polynomial\":\"3\"}", .duplicateKey),
            ("{\"version\":2,\"VERSION\":1,\"id\":\"ID\",\"chunker_polynomial\":\"3\"}", .duplicateKey),
            ("{\"version\":2,\"chunker_polynomial\":\"3\"}", .missing), ("{\"version\":2,\"id\":\"ID\"}", .missing),
            ("{\"version\":2,\"id\":\"ID\",\"chunker_polynomial\":\"\"}", .outOfRange),
            ("{\"version\":2,\"id\":\"ID\",\"chunker_polynomial\":\"10000000000000000\"}", .outOfRange),
            (
                "{\"version\":2,\"id\":\"abc\",\"chunker_polynomial\":\"3\"} and much more text so that it is long enough to hold one",
                .badDigest
            ),
            ("{\"version\":-2,\"id\":\"ID\",\"chunker_polynomial\":\"3\"}", .outOfRange),
            ("{\"version\":2.0,\"id\":\"ID\",\"chunker_polynomial\":\"3\"}", .wrongType),
            ("{\"version\":2,\"id\":\"ID\",\"chunker_polynomial\":\"3\"}x", .trailingData),
            ("[]", .wrongType), ("", .endsEarly), ("\u{feff}{}", .wrongType), ("{\"version\":2,}", .notJSON),
            ("{/**/}", .notJSON),
        ] as [(String, FormatError.Reason)]
    )
    func `I-03 a config that cannot be trusted is refused`(document: String, reason: FormatError.Reason) {
        let full = document.replacing("ID", with: digest("8").hex)
        #expect(
            performing: { try RepositoryConfig(decoding: bytes(full)) },
            throws: { ($0 as? FormatError)?.reason == reason }
        )
    }

    @Test func `a key file is written as restic writes it`() throws {
        let key = KeyFile(
            created: zoned(1_700_000_000, 1, offset: 3600),
            username: "root",
            hostname: "vm",
            n: 32768,
            r: 8,
            p: 5,
            salt: Array(0..<64),
            data: Array(0..<160)
        )
        let written = text(key.encode())
        #expect(
            written.hasPrefix(
                "{\"created\":\"2023-11-14T23:13:20.000000001+01:00\",\"username\":\"root\",\"hostname\":\"vm\",\"kdf\":\"scrypt\",\"N\":32768,\"r\":8,\"p\":5,\"salt\":\"AAEC"
            )
        )
        #expect(try KeyFile(decoding: key.encode()) == key)
    }

    @Test func `a master key takes 128 bytes, is never shown, and wants exact lengths`() throws {
        let key = MasterKeyDocument(k: Array(0..<16), r: Array(16..<32), encrypt: Array(32..<64))
        #expect(key.encode().count == 128)
        #expect(try MasterKeyDocument(decoding: key.encode()) == key)
        #expect(
            "\(key)" == "<master key>" && String(reflecting: key) == "<master key>"
                && Mirror(reflecting: key).children.isEmpty
        )
        for bad in [
            MasterKeyDocument(k: Array(0..<15), r: Array(16..<32), encrypt: Array(32..<64)),
            MasterKeyDocument(k: Array(0..<16), r: Array(16..<33), encrypt: Array(32..<64)),
            MasterKeyDocument(k: Array(0..<16), r: Array(16..<32), encrypt: []),
        ] {
            #expect(throws: FormatError.self) { try MasterKeyDocument(decoding: bad.encode()) }
        }
    }

    @Test func `a lock leaves out owners that are zero`() throws {
        var lock = LockDocument(time: zoned(0), exclusive: true, hostname: "h", username: "u", pid: 42, uid: 0, gid: 0)
        #expect(
            text(lock.encode())
                == "{\"time\":\"1970-01-01T00:00:00Z\",\"exclusive\":true,\"hostname\":\"h\",\"username\":\"u\",\"pid\":42}"
        )
        #expect(try LockDocument(decoding: lock.encode()) == lock)
        lock.processMark = "boot/pid:[4026531836]/1234"
        #expect(try LockDocument(decoding: lock.encode()) == lock)
        lock.processMark = ""
        (lock.uid, lock.gid, lock.pid) = (1, 2, -3)
        #expect(text(lock.encode()).hasSuffix("\"pid\":-3,\"uid\":1,\"gid\":2}"))
        #expect(try LockDocument(decoding: lock.encode()) == lock)
    }

    @Test func `a snapshot comes back whole and its empty fields are left out`() throws {
        let snapshot = sampleSnapshot()
        #expect(try SnapshotDocument(decoding: snapshot.encode()) == snapshot)
        let small = SnapshotDocument(time: zoned(0), tree: nil, paths: [])
        #expect(text(small.encode()) == "{\"time\":\"1970-01-01T00:00:00Z\",\"tree\":null,\"paths\":[]}")
        #expect(try SnapshotDocument(decoding: small.encode()) == small)
    }

    @Test func `Go's leniency: keys in any case, unknown keys, null, and the last of two`() throws {
        let document =
            "{ \"TIME\" : \"1970-01-01T00:00:01Z\", \"new\":{\"a\":[1,2.5e3,{}]}, \"tagſ\":[\"x\",null], \"Hostname\":\"a\",\"hostname\":null,\"\\u0075id\":7,\"uid\":8 }\n"
        let snapshot = try SnapshotDocument(decoding: bytes(document))
        #expect(
            snapshot.time == zoned(1) && snapshot.tags == ["x", ""] && snapshot.hostname == "a" && snapshot.uid == 8
        )
    }

    @Test func `strings are escaped as Go escapes them and read back`() throws {
        var snapshot = SnapshotDocument(time: zoned(0), tree: nil, paths: [])
        snapshot.hostname = "\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}<>&\u{2028}\u{2029}é\u{1f600}"
        let written = text(snapshot.encode())
        #expect(
            written.contains(
                "\"hostname\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\u{7f}\\u003c\\u003e\\u0026\\u2028\\u2029é\u{1f600}\""
            )
        )
        #expect(try SnapshotDocument(decoding: bytes(written)) == snapshot)
        snapshot.hostname = ByteString([0x61, 0xff, 0xe2, 0x82])
        #expect(text(snapshot.encode()).contains("\"a\\ufffd\\ufffd\\ufffd\""))
    }

    @Test func `lone surrogates and stray bytes become U+FFFD, pairs are joined`() throws {
        let head = bytes("{\"hostname\":\"")
        for (written, meant) in [
            (bytes("\\ud800"), "\u{fffd}"), (bytes("\\udc00x"), "\u{fffd}x"), (bytes("\\ud83d\\ude00"), "\u{1f600}"),
            (bytes("\\ud800\\ud83d\\uDE00"), "\u{fffd}\u{1f600}"), (bytes("\\ud800\\n"), "\u{fffd}\n"),
            ([0xff, 0x41], "\u{fffd}A"),
            (bytes("\\/\\u0041"), "/A"),
        ] {
            #expect(try SnapshotDocument(decoding: head + written + bytes("\"}")).hostname == ByteString(meant))
        }
    }

    @Test(arguments: [
        "{\"hostname\":\"\u{1}\"}", "{\"hostname\":\"\\x\"}", "{\"hostname\":\"\\u12g4\"}", "{\"hostname\":'a'}",
        "{\"hostname\":NaN}", "{\"uid\":01}",
        "{\"uid\":+1}", "{\"uid\":4294967296}", "{\"uid\":1e3}", "{\"uid\":1.0}", "{\"uid\":-0}", "{\"uid\":\"1\"}",
        "{\"x\":1.}", "{\"x\":.5}", "{\"x\":1e}",
        "{\"x\":-}", "{\"x\":[1,]}", "{\"x\":[,1]}", "{\"x\":[1 2]}", "{\"x\":{\"a\"}}", "{\"x\":{\"a\":1,}}",
        "{\"x\":tru}", "{\"x\":nul}", "{\"x\":]}", "{x:1}",
        "{\"x\" 1}", "{\"x\":1} {}", "{\"x\":1e5}}", "{\"paths\":[1]}", "{\"tree\":\"\"}", "{\"x\":00}",
        "{\"time\":\"1970\\u002d01-01T00:00:00Z\"}",
    ])
    func `I-03 what Go's decoder refuses is refused`(document: String) {
        #expect(throws: FormatError.self) { try SnapshotDocument(decoding: bytes(document)) }
    }

    @Test func `I-03 depth is capped without recursion`() throws {
        func nested(_ levels: Int) -> [UInt8] {
            bytes("{\"x\":" + String(repeating: "[", count: levels) + String(repeating: "]", count: levels) + "}")
        }
        _ = try SnapshotDocument(decoding: nested(FormatLimits.jsonDepthMax - 1))
        for levels in [FormatLimits.jsonDepthMax, 1_000_000] {
            #expect(
                performing: { try SnapshotDocument(decoding: nested(levels)) },
                throws: { ($0 as? FormatError)?.reason == .tooDeep }
            )
        }
    }

    @Test func `I-05 integers at every border are read or refused, never wrapped`() throws {
        for (number, uid) in [
            ("0", 0), ("1", 1), ("2147483647", 2_147_483_647), ("2147483648", 2_147_483_648),
            ("4294967295", 4_294_967_295), ("4294967296", nil), ("-1", nil),
            ("9223372036854775807", nil), ("18446744073709551615", nil), ("18446744073709551616", nil),
            (String(repeating: "9", count: 400), nil),
        ] as [(String, UInt32?)] {
            #expect((try? SnapshotDocument(decoding: bytes("{\"uid\":\(number)}")))?.uid == uid)
        }
        for (number, pid) in [
            ("-9223372036854775808", Int.min), ("-9223372036854775809", nil), ("9223372036854775807", .max),
            ("9223372036854775808", nil), ("-0", 0),
            ("-", nil),
        ] as [(String, Int?)] {
            #expect((try? LockDocument(decoding: bytes("{\"pid\":\(number)}")))?.pid == pid)
        }
    }

    @Test(
        arguments: [
            (0.0, "0"), (-0.0, "-0"), (1.0, "1"), (0.1, "0.1"), (100.0, "100"), (1e20, "100000000000000000000"),
            (1e21, "1e+21"), (1.5e-6, "0.0000015"), (1e-6, "0.000001"),
            (9.9e-7, "9.9e-7"), (1e-10, "1e-10"), (-2.5, "-2.5"), (123456.789, "123456.789"),
            (.leastNonzeroMagnitude, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"),
            (0.3333333333333333, "0.3333333333333333"), (.infinity, "null"),
        ] as [(Double, String)]
    )
    func `floats are written in Go's shortest form`(value: Double, written: String) {
        var writer = GoJSONWriter()
        writer.double(value)
        #expect(text(writer.bytes) == written)
    }
}
