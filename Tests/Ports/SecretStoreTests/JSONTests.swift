import Bytes
import SecretStore
import Testing

/// JSON from a party that is not trusted: read whole, written back the same, refused when it is anything else.
@Suite struct JSONTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-0", "12.50", "1e9", "-1.5E-10", "123456789012345678901234567890", "\"\"", "[]",
        "{}",
        "[1,[2,[3]],{\"a\":null}]", "{\"Key\":\"x\",\"b\":{\"c\":[true,false]},\"\":0}", "\"ü🔑\"", #""a\"b\\c\u0007""#,
    ])
    func `a document is written back as it came`(text: String) throws {
        #expect(String(decoding: try JSONParser.parse(Array(text.utf8)).bytes, as: UTF8.self) == text)
    }

    @Test func `escapes are read as what they stand for`() throws {
        let value = try JSONParser.parse(Array(#" "\ud83d\udd11\u00fc\/\b\f\n\r\t" "#.utf8))
        #expect(value == .text("🔑ü/\u{8}\u{c}\n\r\t"))
    }

    @Test func `a member is found under either case of its first letter, the exact one first`() throws {
        let value = try JSONParser.parse(Array(#"{"key":1,"Key":2,"Other":3}"#.utf8))
        guard case .object(var object) = value else {
            Issue.record("no object")
            return
        }
        #expect(object["key"] == .number("1"))
        #expect(object["Key"] == .number("2"))
        #expect(object["other"] == .number("3"))
        #expect(object["none"] == nil)
        object.set("other", .null)
        object.set("new", .flag(true))
        #expect(
            String(decoding: JSONValue.object(object).bytes, as: UTF8.self)
                == #"{"key":1,"Key":2,"Other":null,"new":true}"#
        )
    }

    @Test(arguments: [
        "", " ", "nul", "truee", "tru", "+1", "01", "1.", ".5", "1e", "- 1", "NaN", "'a'", "\"a", "\"\n\"", "[1,]",
        "[1 2]", "[",
        "]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":2}", "1 2", "\"\\x\"",
        "\"\\u12\"", "\"\\ud83d\"", "\"\\udd11\"", "\"\\ud83d\\u0041\"", "\"\\", "{\"a\":1}}",
        "1" + String(repeating: "0", count: 64),
    ])
    func `what is no document is refused`(text: String) {
        #expect(throws: JSONError.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test func `bytes that are not UTF-8, and depth without end, are refused`() {
        #expect(throws: JSONError.self) { try JSONParser.parse([0x22, 0xff, 0x22]) }
        #expect(throws: JSONError.self) { try JSONParser.parse([0x22, 0xc0, 0x80, 0x22]) }
        for bracket in ["[", "{\"a\":"] {
            let deep = Array(String(repeating: bracket, count: 100_000).utf8)
            #expect(throws: JSONError.self) { try JSONParser.parse(deep) }
        }
        let deepest =
            String(repeating: "[", count: JSONParser.depthMax) + String(repeating: "]", count: JSONParser.depthMax)
        #expect(throws: Never.self) { try JSONParser.parse(Array(deepest.utf8)) }
    }

    @Test func `I-01 no prefix is taken, and no changed byte traps`() throws {
        let text = Array(#"{"kdf":0,"list":[1,-2.5e3,"ü\u00fc🔑",{"a":null}],"t":true}"#.utf8)
        for count in 0..<text.count {
            #expect(throws: JSONError.self) { try JSONParser.parse(Array(text.prefix(count))) }
        }
        for index in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[index] = byte
                if let value = try? JSONParser.parse(changed) {
                    #expect(try JSONParser.parse(value.bytes) == value)
                }
            }
        }
    }
}
