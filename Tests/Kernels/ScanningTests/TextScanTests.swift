import Bytes
import Scanning
import Testing

@Suite struct TextScanTests {
    /// The end of the object, one byte at a time, as the words of `endOfObject` say it.
    private static func naiveEnd(_ bytes: [UInt8], _ start: Int, _ depthMax: Int) -> Int? {
        var (depth, isString, index) = (1, false, start)
        if depth > depthMax { return nil }
        while index < bytes.count {
            switch (bytes[index], isString) {
            case (UInt8(ascii: "\\"), true): index += 1
            case (UInt8(ascii: "\""), _): isString.toggle()
            case (UInt8(ascii: "{"), false), (UInt8(ascii: "["), false):
                depth += 1
                if depth > depthMax { return nil }
            case (UInt8(ascii: "}"), false), (UInt8(ascii: "]"), false):
                depth -= 1
                if depth == 0 { return index + 1 }
            default: break
            }
            index += 1
        }
        return nil
    }

    /// Bytes in which what matters is frequent, rare, or absent.
    private static func sample(_ random: inout SplitMix64) -> [UInt8] {
        let special = Array("\"\"{}[]\\;=[{".utf8) + [0xfb, 0xdb, 0xdd, 0xfd, 0x5c, 0x02]
        let rarity = [1, 4, 20, 200].randomElement(using: &random) ?? 1
        return (0..<Int.random(in: 0...400, using: &random)).map { _ in
            Int.random(in: 0..<rarity, using: &random) == 0
                ? special.randomElement(using: &random) ?? 0 : UInt8.random(in: 0x23...0x7a, using: &random)
        }
    }

    @Test func `the end of an object is found wherever it lies, by both forms`() {
        let seed: UInt64 = 23
        print("ends of objects, seed \(seed)")
        var random = SplitMix64(seed: seed)
        var ended = 0
        for _ in 0..<60_000 {
            let bytes = Self.sample(&random)
            let start = Int.random(in: 0...bytes.count, using: &random)
            let depthMax = Int.random(in: 0...6, using: &random) == 0 ? Int.random(in: 0...3, using: &random) : 100
            let expected = Self.naiveEnd(bytes, start, depthMax)
            ended += expected == nil ? 0 : 1
            for form in TextScan.Form.allCases {
                let found = bytes.withUnsafeBytes {
                    TextScan.endOfObject(in: $0, from: start, depthMax: depthMax, form: form)
                }
                #expect(found == expected, "\(form), from \(start), depth \(depthMax), \(bytes)")
            }
        }
        #expect(ended > 10_000, "otherwise little was proven")
    }

    @Test func `a word is found at every place, also at the very end`() {
        let word: StaticString = "\"subtree\":\""
        let letters = Array("\"subtree\":\"".utf8)
        var random = SplitMix64(seed: 5)
        for count in [11, 12, 26, 27, 28, 43, 64, 100, 300] {
            for place in 0...(count - letters.count) {
                var bytes = (0..<count).map { _ in letters.randomElement(using: &random) ?? 0 }
                bytes.replaceSubrange(place..<place + letters.count, with: letters)
                let expected = (0...(count - letters.count)).first { Array(bytes[$0..<$0 + letters.count]) == letters }
                #expect(bytes.withUnsafeBytes { TextScan.find(word, in: $0, from: 0) } == expected)
                #expect(bytes.withUnsafeBytes { TextScan.find(word, in: $0, from: place) } == place)
                let behind = bytes.withUnsafeBytes { TextScan.find(word, in: $0, from: place + 1) }
                #expect(behind.map { $0 > place } ?? true)
            }
        }
        #expect([UInt8]().withUnsafeBytes { TextScan.find(word, in: $0, from: 0) } == nil)
    }
}
