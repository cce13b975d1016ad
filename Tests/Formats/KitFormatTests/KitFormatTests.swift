import Bytes
import KitFormat
import Outcome
import Sealing
import Testing

/// The recovery kit as text: what is printed is read back, and what was typed wrongly is named.
@Suite struct KitFormatTests {
    /// What came of a text: the kit printed anew, or the lines that are named.
    private enum Answer: Equatable {
        case kit(String)
        case lines([Int?])
    }

    private static func read(_ text: String) -> Answer {
        do throws(KitTextError) {
            switch try KitReader.read(Secret(text: text)) {
            case .open(let kit, _): return .kit(kit.text)
            case .sealed: return .lines([])
            }
        } catch {
            return .lines(error.problems.map(\.line))
        }
    }

    /// The numbered lines of a text, each with its number.
    private static func numbered(_ lines: [String]) -> [(index: Int, number: Int)] {
        lines.enumerated().compactMap { index, line in
            line.split(separator: " ").first.flatMap { Int($0) }.map { (index, $0) }
        }
    }

    @Test func `what is printed is read back the same, whatever stands in it`() throws {
        #expect(Self.read(KitSamples.usual.text) == .kit(KitSamples.usual.text))
        let seed = testSeed
        print("seed \(seed): TEST_SEED repeats it")
        for number in 0..<300 {
            let text = KitSamples.random(seed &+ UInt64(number)).text
            #expect(Self.read(text) == .kit(text), "seed \(seed &+ UInt64(number))")
        }
    }

    @Test func `the numbered lines alone are the kit, in small letters and with other blanks too`() throws {
        let kit = KitSamples.usual
        let lines = kit.text.split(separator: "\n").map(String.init)
        let typed = Self.numbered(lines).map { lines[$0.index] }
        #expect(Self.read(typed.joined(separator: "\n")) == .kit(kit.text))
        #expect(Self.read(typed.joined(separator: "\r\n\r\n   ")) == .kit(kit.text))
        // Passwords of one kind of letters, keys and groups in the other kind; blanks of a password left out.
        let careless = typed.map { line in
            let isOfOneKind =
                line.contains(" pass: ") && line == line.lowercased().replacing(/\ ....$/) { $0.0.uppercased() }
            guard isOfOneKind else { return "\t" + line.replacing(" ", with: "  ") }
            let words = line.split(separator: " ")
            return "\(words[0]) PASS: " + words[2..<(words.count - 1)].joined().uppercased() + "  "
                + words[words.count - 1].lowercased()
        }
        #expect(careless.contains { $0.contains("PASS: 3F9A1C77") })
        #expect(Self.read(careless.joined(separator: "\n")) == .kit(kit.text))
    }

    @Test func `each wrong letter anywhere names its line, or changes nothing`() throws {
        let seed = testSeed
        print("seed \(seed): TEST_SEED repeats it")
        var (tried, named) = (0, 0)
        for kit in [KitSamples.usual, KitSamples.random(seed)] {
            let text = kit.text
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            for (index, number) in Self.numbered(lines) {
                let line = Array(lines[index].utf8)
                var dice = SplitMix64(seed: seed &+ UInt64(number))
                for position in line.indices where line[position] < 0x80 {
                    for _ in 0..<2 {
                        var spoilt = line
                        spoilt[position] = UInt8.random(in: 0x20...0x7e, using: &dice)
                        guard spoilt != line else { continue }
                        tried += 1
                        var all = lines
                        all[index] = String(decoding: spoilt, as: UTF8.self)
                        let answer = Self.read(all.joined(separator: "\n"))
                        if answer == .kit(text) { continue }
                        named += 1
                        #expect(answer == .lines([number]), "seed \(seed): \(lines[index]) as \(all[index])")
                    }
                }
            }
        }
        print("KitFormatTests: \(tried) wrong letters, \(named) named, the others were blanks and capitals")
        #expect(tried > 4000 && named > tried * 9 / 10)
    }

    @Test func `two neighbours in the wrong order name their line, or change nothing`() throws {
        let text = KitSamples.usual.text
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var named = 0
        for (index, number) in Self.numbered(lines) {
            let line = Array(lines[index].utf8)
            for position in line.indices.dropLast()
            where line[position] != line[position + 1] && line[position] < 0x80 && line[position + 1] < 0x80 {
                var spoilt = line
                spoilt.swapAt(position, position + 1)
                var all = lines
                all[index] = String(decoding: spoilt, as: UTF8.self)
                let answer = Self.read(all.joined(separator: "\n"))
                if answer == .kit(text) { continue }
                named += 1
                #expect(answer == .lines([number]), "\(lines[index]) as \(all[index])")
            }
        }
        #expect(named > 500)
    }

    @Test func `a letter that is missing or too many names its line`() throws {
        let text = KitSamples.usual.text
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for (index, number) in Self.numbered(lines) {
            let line = Array(lines[index].utf8)
            for position in line.indices {
                for isMissing in [true, false] {
                    var spoilt = line
                    if isMissing { spoilt.remove(at: position) } else { spoilt.insert(0x37, at: position) }
                    var all = lines
                    all[index] = String(decoding: spoilt, as: UTF8.self)
                    let answer = Self.read(all.joined(separator: "\n"))
                    if answer != .kit(text) {
                        #expect(answer == .lines([number]), "\(lines[index]) as \(all[index])")
                    }
                }
            }
        }
    }

    @Test func `a line that is missing, twice or elsewhere is named`() throws {
        let text = KitSamples.usual.text
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let numbered = Self.numbered(lines)
        for (place, entry) in numbered.enumerated() {
            var less = lines
            less.remove(at: entry.index)
            #expect(Self.read(less.joined(separator: "\n")) == .lines([entry.number]))
            var more = lines
            more.insert(lines[entry.index], at: entry.index)
            let answer = Self.read(more.joined(separator: "\n"))
            #expect(answer == .lines([entry.number]), "\(entry) twice: \(answer)")
            guard place + 1 < numbered.count else { continue }
            var moved = lines
            moved.swapAt(entry.index, numbered[place + 1].index)
            guard case .lines(let named) = Self.read(moved.joined(separator: "\n")) else {
                Issue.record("lines in the wrong order were taken")
                continue
            }
            #expect(named.contains(entry.number))
        }
    }

    @Test func `every beginning of a kit is refused, and so is what is none`() throws {
        let text = Array(KitSamples.usual.text.utf8)
        let end = String(decoding: text, as: UTF8.self).utf8.count - 2
        for count in stride(from: 0, to: end, by: 7) {
            guard case .lines = Self.read(String(decoding: text[..<count], as: UTF8.self)) else {
                Issue.record("the first \(count) bytes were taken for a kit")
                continue
            }
        }
        for text in ["", "hello", "1", "1 2 3", "99999 x: y AAAA", String(repeating: "1 lab: x AAAA\n", count: 20_000)]
        {
            guard case .lines = Self.read(text) else {
                Issue.record("was taken for a kit: \(text.prefix(20))")
                continue
            }
        }
        var dice = SplitMix64(seed: 7)
        for _ in 0..<2000 {
            var spoilt = text
            for _ in 0..<Int.random(in: 1...8, using: &dice) {
                spoilt[Int.random(in: 0..<spoilt.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
            }
            _ = Self.read(String(decoding: spoilt, as: UTF8.self))
        }
    }

    @Test func `two letters that no group tells apart are found by the sum of all lines`() throws {
        // The same line with another value and its right group: as if both were wrong by chance.
        let kit = KitSamples.usual
        var other = kit
        other.repositories[0].state = "opened when this kit was made!"
        let (lines, others) = (kit.text.split(separator: "\n"), other.text.split(separator: "\n"))
        let index = try #require(lines.firstIndex { $0.contains(" state: ") })
        var mixed = lines
        mixed[index] = others[index]
        #expect(Self.read(mixed.joined(separator: "\n")) == .lines([nil]))
    }

    @Test func `words between the lines that are not as printed are told, and hide nothing`() throws {
        let text = KitSamples.usual.text.replacing("restic -r", with: "rustic -r")
        guard case .open(let kit, let strange) = try KitReader.read(Secret(text: text)) else {
            Issue.record("a kit with changed words was not read")
            return
        }
        #expect(kit.text == KitSamples.usual.text && !strange.isEmpty)
        guard case .open(_, let none) = try KitReader.read(KitPage.text(KitSamples.usual)) else { return }
        #expect(none.isEmpty)
    }
}
