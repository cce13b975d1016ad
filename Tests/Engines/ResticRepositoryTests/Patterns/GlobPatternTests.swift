import ResticRepository
import Testing

/// What Go's `filepath.Match` answers, from its documentation and its own table of cases.
@Suite struct GlobPatternTests {
    private func matches(_ pattern: [UInt8], _ name: [UInt8]) throws -> Bool {
        try #require(GlobPattern(pattern[...])).matches(name[...])
    }

    @Test(arguments: [
        ("*", "abc", true), ("a*c", "abbc", true), ("a*c", "a/c", false), ("?", "ü", true), ("[a-c]x", "bx", true),
        ("[^a-c]x", "bx", false), ("[^a-c]x", "dx", true), ("\\*", "*", true), ("\\*", "x", false),
        ("a*b*c", "aXbYbZc", true), ("", "", true), ("", "x", false), ("*x", "", false), ("**", "abc", true),
        ("[ä-ü]", "ö", true), ("[z-a]", "m", false), ("[^z-a]", "m", true), ("[\\]]", "]", true), ("[\\-]", "-", true),
        ("a?b", "a/b", false), ("*a", "baa", true), ("*a*a*a*", "aa", false), ("[a]b", "ab", true),
    ])
    func `wildcards match as Go's`(pattern: String, name: String, expected: Bool) throws {
        #expect(try matches(Array(pattern.utf8), Array(name.utf8)) == expected)
    }

    @Test func `names that are not UTF-8 are matched byte by byte`() throws {
        #expect(try matches([0xff, 0x2a], [0xff, 0x61]))
        #expect(try !matches([0xff], [0xfe]))
        #expect(try matches([0x3f], [0xff]))
        #expect(try !matches([0x3f], [0xff, 0xfe]))
        // The star walks over bytes, so that the rest may begin in the middle of a character.
        #expect(try matches([0x2a, 0xa9], Array("é".utf8)))
        // A byte that is no UTF-8 counts as U+FFFD in a class.
        #expect(try matches(Array("[\u{fffd}]".utf8), [0xff]))
    }

    @Test(arguments: ["[", "[a", "a\\", "[]", "[]a]", "[-a]", "[a-]", "[\\", "[^]", "[a-b-c]"])
    func `broken patterns are refused wherever they stand`(pattern: String) {
        #expect(GlobPattern(Array(pattern.utf8)[...]) == nil)
        #expect(GlobPattern(Array("x\(pattern)".utf8)[...]) == nil)
    }

    @Test func `a class that is not UTF-8 is refused`() {
        #expect(GlobPattern([0x5b, 0xff, 0x5d]) == nil)
    }

    /// I-10: the number of steps is bounded by pattern times text, whatever the stars.
    @Test(.timeLimit(.minutes(10)))
    func `I-10 many stars end soon`() throws {
        let pattern = Array(String(repeating: "a*", count: 60).utf8) + [0x62]
        #expect(try !matches(pattern, [UInt8](repeating: 0x61, count: 4096)))
    }
}
