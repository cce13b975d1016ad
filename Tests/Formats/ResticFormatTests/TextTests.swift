import Bytes
import ResticFormat
import Testing

@Suite struct QuotingTests {
    @Test(
        arguments: [
            ("plain name", "plain name"), ("a\"b", "a\\\"b"), ("a\\b", "a\\\\b"),
            ("\u{7}\u{8}\u{c}\n\r\t\u{b}", "\\a\\b\\f\\n\\r\\t\\v"),
            ("\u{1}\u{7f}", "\\x01\\x7f"), ("\u{a0}", "\\u00a0"), ("\u{ad}", "\\u00ad"), ("\u{378}", "\\u0378"),
            ("\u{fffd}", "\u{fffd}"),
            ("\u{1f6d8}", "\\U0001f6d8"), ("\u{1f6dc}", "\u{1f6dc}"), ("\u{2028}", "\\u2028"), ("<>&'", "<>&'"),
            ("\u{10ffff}", "\\U0010ffff"),
        ] as [(String, String)]
    )
    func `names are quoted as Go quotes them`(name: String, quoted: String) {
        #expect(text(GoQuote.quote(ByteString(name))) == quoted)
        #expect(GoQuote.unquote(bytes(quoted)) == ByteString(name))
    }

    @Test func `bytes that are not UTF-8 are quoted one by one`() {
        for (name, quoted) in [
            ([0xff, 0xfe] as [UInt8], "\\xff\\xfe"), ([0xe2, 0x82], "\\xe2\\x82"),
            ([0xed, 0xa0, 0x80], "\\xed\\xa0\\x80"),
            ([0xc0, 0xaf], "\\xc0\\xaf"), ([0xf4, 0x90, 0x80, 0x80], "\\xf4\\x90\\x80\\x80"),
            ([0xc3, 0xa9, 0xff], "é\\xff"),
        ] {
            #expect(text(GoQuote.quote(ByteString(name))) == quoted)
            #expect(GoQuote.unquote(bytes(quoted))?.bytes == name)
        }
    }

    @Test func `octal and upper-case escapes are read as Go reads them`() {
        #expect(GoQuote.unquote(bytes("\\101\\xAb\\u00E9"))?.bytes == [0x41, 0xab, 0xc3, 0xa9])
    }

    @Test(arguments: [
        "a\"b", "a\nb", "\\", "\\x", "\\xg0", "\\u12", "\\ud800", "\\U00110000", "\\400", "\\18", "\\'", "\\q",
        "\\U0000d800",
    ])
    func `quoting that Go refuses is refused`(quoted: String) {
        #expect(GoQuote.unquote(bytes(quoted)) == nil)
    }

    @Test func `random names come back and stay within one line`() {
        var generator = SplitMix64(seed: testSeed)
        for _ in 0..<5000 {
            let name = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let quoted = GoQuote.quote(ByteString(name))
            #expect(GoQuote.unquote(quoted)?.bytes == name, "seed \(testSeed)")
            #expect(!quoted.contains { $0 < 0x20 })
        }
    }

    @Test func `the printable table has the size of Unicode 15_0 by Go's rule`() {
        #expect((0..<UInt32(0x11_0000)).count { GoPrintable.contains($0) } == 148_998)
    }

    @Test func `names for a terminal are quoted only when something does not print`() {
        #expect(GoQuote.forTerminal("/a b/é") == "/a b/é")
        #expect(GoQuote.forTerminal("/a\u{1b}[2J") == "\"/a\\x1b[2J\"")
    }
}

@Suite struct Base64Tests {
    @Test(
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] as [(String, String)]
    )
    func `base64 is the standard one with padding`(plain: String, encoded: String) {
        #expect(text(GoBase64.encode(bytes(plain))) == encoded)
        #expect(bytes(encoded).withUnsafeBytes(GoBase64.decode) == bytes(plain))
    }

    @Test func `line breaks and loose bits are read as Go reads them`() {
        #expect(bytes("Zm\r\n9v\n").withUnsafeBytes(GoBase64.decode) == bytes("foo"))
        #expect(bytes("Zh==").withUnsafeBytes(GoBase64.decode) == bytes("f"))
    }

    @Test(arguments: ["Z", "Zg", "Zg=", "Zg===", "=", "Zm9v=", "Zg==Zg==", "Zm9-", " Zm9v", "Zm=v", "Z==="])
    func `broken base64 is refused`(encoded: String) {
        #expect(bytes(encoded).withUnsafeBytes(GoBase64.decode) == nil)
    }
}

@Suite struct ModeTests {
    @Test(
        arguments: [
            (0o040755, 2_147_484_141), (0o120777, 134_218_239), (0o100644, 420), (0o104755, 8_388_608 + 493),
            (0o041777, 2_147_483_648 + 1_048_576 + 511), (0o020660, 67_108_864 + 2_097_152 + 432),
            (0o060600, 67_108_864 + 384),
            (0o010640, 33_554_432 + 416), (0o140755, 16_777_216 + 493), (0o102755, 4_194_304 + 493),
        ] as [(UInt32, UInt32)]
    )
    func `modes are stored in Go's bits and come back`(unix: UInt32, go: UInt32) {
        #expect(GoMode.from(unix: unix) == go)
        #expect(GoMode.unixPermissions(go) == unix & 0o7777)
    }
}
