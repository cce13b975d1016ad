import Bytes
import Strategy
import Testing

private func refusal(_ bytes: [UInt8]) -> ZoneRulesError? {
    do throws(ZoneRulesError) {
        _ = try ZoneRules(tzif: bytes)
        return nil
    } catch {
        return error
    }
}

@Suite struct ZoneDamageTests {
    struct Damage: Sendable, CustomTestStringConvertible {
        var name: String
        var bytes: [UInt8]
        var error: ZoneRulesError
        var testDescription: String { name }

        init(_ name: String, _ error: ZoneRulesError, _ change: (inout ZoneFile) -> Void = { _ in }) {
            var file = ZoneFile()
            change(&file)
            self.name = name
            self.error = error
            bytes = file.bytes
        }
    }

    static let damages: [Damage] = [
        Damage("version 1.5", .unknownVersion(1)) { $0.version = 1 },
        Damage("version 9", .unknownVersion(UInt8(ascii: "9"))) { $0.version = UInt8(ascii: "9") },
        Damage("no type", .badCount("local time types")) { $0.types = [] },
        Damage("no names", .badCount("name bytes")) { $0.names = [] },
        Damage("300 types", .badCount("local time types")) { $0.types = Array(repeating: (0, 0, 0), count: 300) },
        Damage("2001 transitions", .badCount("transitions")) { $0.transitions = (0..<2001).map { ($0, 0) } },
        Damage("leap seconds", .leapSeconds) { $0.leapSeconds = 27 },
        Damage("offset of 27 hours", .badType(0)) { $0.types = [(97_200, 0, 0)] },
        Damage("smallest offset", .badType(1)) { $0.types = [(0, 0, 0), (.min, 0, 0)] },
        Damage("flag of 2", .badType(0)) { $0.types = [(0, 2, 0)] },
        Damage("name beyond the names", .badType(0)) { $0.types = [(0, 0, 4)] },
        Damage("name without an end", .badType(0)) { $0.names = Array("UTC".utf8) },
        Damage("transition of no type", .badTransition(0)) { $0.transitions = [(0, 1)] },
        Damage("transitions that stand still", .badTransition(1)) { $0.transitions = [(5, 0), (5, 0)] },
        Damage("transitions that go back", .badTransition(1)) { $0.transitions = [(5, 0), (4, 0)] },
        Damage("transition before the world", .badTransition(0)) { $0.transitions = [(-(1 << 59) - 1, 0)] },
        Damage("transition after the world", .badTransition(0)) { $0.transitions = [(.max, 0)] },
        Damage("no footer", .truncated(bytes: 108)) { $0.footer = nil },
        Damage("footer against table", .footerContradictsTable) {
            $0.types = [(0, 0, 0), (3600, 0, 0)]
            $0.transitions = [(0, 1)]
            $0.footer = "UTC0"
        },
    ]

    @Test(arguments: damages)
    func `a damaged zone file is refused for what is wrong with it`(_ damage: Damage) {
        #expect(refusal(damage.bytes) == damage.error)
        #expect(damage.error.description.hasPrefix("is "))
    }

    @Test(arguments: [
        ("UT0", 3), ("UTC", 4), ("UTC25", 4), ("UTC0X", 6), ("UTC-1:60", 7), ("<+3>-3", 4), ("<+03-3", 7), ("C+T1", 2),
        ("CET-1CEST", 10), ("CET-1CEST,", 11), ("CET-1CEST,M3.5.0", 17), ("CET-1CEST,M3.5.0,M10.5.0/3x", 27),
        ("CET-1CEST,M13.5.0,M10.5.0", 12), ("CET-1CEST,M3.6.0,M10.5.0", 14), ("CET-1CEST,M3.5.7,M10.5.0", 16),
        ("CET-1CEST,M3.5,M10.5.0", 15), ("CET-1CEST,J0,J365", 12), ("CET-1CEST,J1,J366", 15), ("CET-1CEST,0,366", 13),
        ("CET-1CEST,0/168,365", 13), ("CET-1CEST,0/1:2:60,365", 17), ("CET-1CEST,0/-,365", 14),
        ("CET-1CEST,0/0001,365", 16),
    ])
    func `a rule that is no POSIX rule is refused with its column`(_ footer: String, column: Int) {
        guard case .badFooter(let found, _) = refusal(ZoneFile(footer: footer).bytes) else {
            Issue.record("\(footer): \(String(describing: refusal(ZoneFile(footer: footer).bytes)))")
            return
        }
        #expect(found == column)
    }

    @Test func `a file of another kind, one too long, and one with something behind it are refused`() {
        #expect(refusal(Array("#!/bin/sh\n".utf8)) == .notTZif)
        #expect(refusal([]) == .truncated(bytes: 0))
        #expect(refusal([UInt8](repeating: 0x54, count: 65_537)) == .tooLarge(bytes: 65_537))
        #expect(refusal(ZoneFile().bytes + [0]) == .trailingBytes(count: 1))
        #expect(refusal(ZoneFile(version: 0).bytes + [0, 0]) == .trailingBytes(count: 2))
        #expect(refusal(ZoneFile(version: 0).bytes) == nil)
        var mixed = ZoneFile().bytes
        mixed[54 + 4] = UInt8(ascii: "3")
        #expect(refusal(mixed) == .unknownVersion(UInt8(ascii: "3")))
    }

    @Test func `a count of four thousand million allocates nothing`() {
        for place in 20..<44 {
            var bytes = ZoneFile(version: 0).bytes
            bytes[place] = 0xFF
            #expect(refusal(bytes) != nil, "byte \(place)")
        }
    }

    @Test(arguments: GoldenZone.all)
    func `every prefix of a zone file is refused`(_ zone: GoldenZone) {
        for length in zone.bytes.indices {
            #expect(refusal(Array(zone.bytes[..<length])) != nil, "the first \(length) bytes")
        }
        var file = ZoneFile(version: 0)
        file.transitions = [(1, 0), (2, 0)]
        for length in file.bytes.indices { #expect(refusal(Array(file.bytes[..<length])) != nil) }
    }

    @Test func `20,000 damaged zone files neither trap nor lead a schedule astray in time`() throws {
        print("seed \(testSeed): TEST_SEED repeats it")
        var numbers = SeededNumbers(testSeed)
        let schedules = try ["02:30", "*-02-29 00:00", "*-*~1 23:59:59"].map { text throws(ScheduleError) in
            try Schedule(text)
        }
        let moments = [Int64.min, -1 << 40, 0, 1_774_745_999, 4_000_000_000, 7_258_118_399, 1 << 50, .max]
        var decoded = 0
        for round in 0..<20_000 {
            var bytes = GoldenZone.all[round % GoldenZone.all.count].bytes
            for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                let place = Int.random(in: 0..<bytes.count, using: &numbers)
                switch Int.random(in: 0..<4, using: &numbers) {
                case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
                case 1: bytes[place] = numbers.pick([0, 1, 0x7F, 0x80, 0xFF])
                case 2: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &numbers), at: place)
                }
            }
            guard let rules = try? ZoneRules(tzif: bytes) else { continue }
            decoded += 1
            for moment in moments.map({ Timestamp(seconds: $0) }) {
                let offset = rules.offsetSeconds(at: moment)
                var isSound = (-89_999...93_599).contains(offset)
                for schedule in schedules {
                    if let next = schedule.next(after: moment, in: rules) { isSound = isSound && next > moment }
                    if let last = schedule.previous(atOrBefore: moment, in: rules) {
                        isSound = isSound && last <= moment
                    }
                }
                try #require(isSound, "at \(moment), seed \(testSeed), round \(round)")
            }
        }
        print("\(decoded) of 20,000 damaged files still decode")
        #expect(decoded > 100)
    }
}
