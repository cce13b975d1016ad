import Bytes
import Strategy
import Testing

private let zdump = InstalledTool("/usr/bin/zdump", "/usr/sbin/zdump")

@Suite struct ZoneRulesTests {
    @Test(arguments: GoldenZone.all)
    func `the offsets of a zone are the ones that Python reads in its file`(_ zone: GoldenZone) throws {
        let rules = try ZoneRules(tzif: zone.bytes)
        for (index, stretch) in zone.offsets.enumerated() {
            let end = index + 1 < zone.offsets.count ? zone.offsets[index + 1].moment : 2_208_988_800
            for moment in [stretch.moment, (stretch.moment + end) / 2, end - 1] {
                #expect(rules.offsetSeconds(at: Timestamp(seconds: moment)) == stretch.offset, "at \(moment)")
            }
        }
    }

    @Test func `the golden zones are there`() {
        #expect(GoldenZone.all.count == 12)
        #expect(GoldenZone.all.map(\.offsets.count).reduce(0, +) > 800)
    }

    @Test func `universal time and fixed offsets never change`() throws {
        let east = try #require(ZoneRules(fixedOffsetSeconds: 19_800))
        for second in [Int64.min, -1, 0, 1_774_750_000, .max] {
            #expect(ZoneRules.utc.offsetSeconds(at: Timestamp(seconds: second)) == 0)
            #expect(east.offsetSeconds(at: Timestamp(seconds: second)) == 19_800)
        }
        #expect(east.zoned(Timestamp(seconds: 7)) == ZonedTime(Timestamp(seconds: 7), offsetSeconds: 19_800))
        #expect(ZoneRules(fixedOffsetSeconds: 93_600) == nil)
        #expect(ZoneRules(fixedOffsetSeconds: -90_000) == nil)
    }

    struct Rule: Sendable, CustomTestStringConvertible {
        var footer: String
        /// A moment in UTC and the offset in seconds from there on; the one before it holds a second earlier.
        var changes: [(String, Int)]
        var testDescription: String { footer }
    }

    @Test(arguments: [
        Rule(footer: "<+03>-3", changes: [("1970-01-01", 10_800), ("9999-07-01", 10_800)]),
        Rule(
            footer: "CET-1CEST,M3.5.0,M10.5.0/3",
            changes: [
                ("2026-03-29 01:00", 7200), ("2026-10-25 01:00", 3600), ("2199-03-31 01:00", 7200),
                ("2400-03-26 01:00", 7200), ("9999-10-31 01:00", 3600),
            ]
        ),
        Rule(
            footer: "EST5EDT,M3.2.0,M11.1.0",
            changes: [("2026-03-08 07:00", -14_400), ("2026-11-01 06:00", -18_000)]
        ),
        Rule(
            footer: "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
            changes: [("2026-03-29 01:00", -3600), ("2026-10-25 01:00", -7200)]
        ),
        Rule(
            footer: "EET-2EEST,M3.4.4/50,M10.4.4/50",
            changes: [("2026-03-28 00:00", 10_800), ("2026-10-23 23:00", 7200)]
        ),
        Rule(footer: "IST-1GMT0,M10.5.0,M3.5.0/1", changes: [("2026-03-29 01:00", 3600), ("2026-10-25 01:00", 0)]),
        Rule(
            footer: "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
            changes: [("2026-04-04 15:00", 37_800), ("2026-10-03 15:30", 39_600)]
        ),
        Rule(
            footer: "AAA-1BBB,J60/0,J300/0",
            changes: [("2027-02-28 23:00", 7200), ("2028-02-29 23:00", 7200), ("2028-10-26 22:00", 3600)]
        ),
        Rule(
            footer: "AAA-1BBB,59/0,299/0",
            changes: [("2027-02-28 23:00", 7200), ("2028-02-28 23:00", 7200), ("2028-10-25 22:00", 3600)]
        ),
        Rule(
            footer: "AAA0:30:15BBB-1:00:01,M1.1.1/-167:59:59,M6.5.6/+167",
            changes: [("2027-12-27 00:30:16", 3601), ("2028-06-30 21:59:59", -1815)]
        ),
    ])
    func `a rule at the end of a file holds from its moments on, for ever`(_ rule: Rule) throws {
        let zone = try ZoneRules(tzif: ZoneFile(footer: rule.footer).bytes)
        for (moment, offset) in rule.changes {
            let moment = utc(moment)
            let before = zone.offsetSeconds(at: Timestamp(seconds: moment.seconds - 1, nanoseconds: 999_999_999))
            #expect(zone.offsetSeconds(at: moment) == offset, "\(shown(moment))")
            #expect(before != offset || rule.changes.count == 2 && rule.footer.hasPrefix("<+03>"), "\(shown(moment))")
        }
    }

    @Test func `a saving that ends when the next one starts never ends`() throws {
        let zone = try ZoneRules(tzif: ZoneFile(footer: "XXX3EDT4,0/0,J365/23").bytes)
        for year in 1901...2300 {
            for day in ["01-01 02:59:59", "01-01 03:00", "06-15 12:00", "12-31 23:59:59"] {
                #expect(zone.offsetSeconds(at: utc("\(year)-\(day)")) == -14_400, "\(year)-\(day)")
            }
        }
    }

    @Test func `a table without a rule keeps its last offset, in version 1 and later`() throws {
        for version: UInt8 in [0, UInt8(ascii: "2"), UInt8(ascii: "3"), UInt8(ascii: "4")] {
            var file = ZoneFile(version: version, types: [(-100, 0, 0), (3600, 1, 0), (0, 0, 0)])
            file.transitions = [(-1000, 1), (1000, 2), (2000, 2), (3000, 1)]
            let zone = try ZoneRules(tzif: file.bytes)
            let offsets = [Int64.min, -1001, -1000, 999, 1000, 2999, 3000, .max].map {
                zone.offsetSeconds(at: Timestamp(seconds: $0))
            }
            #expect(offsets == [-100, -100, 3600, 3600, 0, 0, 3600, 3600])
        }
    }

    @Test func `a local time becomes one moment, two, or none`() throws {
        let berlin = try GoldenZone.rules("Europe/Berlin")
        #expect(berlin.moments(showing: local("2026-07-01 12:00")) == [utc("2026-07-01 10:00")])
        #expect(berlin.moments(showing: local("2026-03-29 01:59:59")) == [utc("2026-03-29 00:59:59")])
        #expect(berlin.moments(showing: local("2026-03-29 02:00")) == [])
        #expect(berlin.moments(showing: local("2026-03-29 02:59:59")) == [])
        #expect(berlin.moments(showing: local("2026-03-29 03:00")) == [utc("2026-03-29 01:00")])
        let twice = [utc("2026-10-25 00:30"), utc("2026-10-25 01:30")]
        #expect(berlin.moments(showing: local("2026-10-25 02:30")) == twice)
        #expect(berlin.moments(showing: local("2026-10-25 03:00")) == [utc("2026-10-25 02:00")])
        // 4026 is 2026 five cycles on.
        #expect(
            berlin.moments(showing: local("4026-10-25 02:30")) == [utc("4026-10-25 00:30"), utc("4026-10-25 01:30")]
        )
        let apia = try GoldenZone.rules("Pacific/Apia")
        #expect(apia.moments(showing: local("2011-12-30 12:00")) == [])
        #expect(apia.firstMoment(reaching: local("2011-12-30 12:00")) == utc("2011-12-30 10:00"))
        #expect(apia.moments(showing: local("2011-12-31 00:00")) == [utc("2011-12-30 10:00")])
    }

    @Test(arguments: GoldenZone.all)
    func `what was shown by a moment and the moment that reaches it are inverse`(_ zone: GoldenZone) throws {
        let rules = try ZoneRules(tzif: zone.bytes)
        var numbers = SeededNumbers(testSeed)
        var lastShown = LocalTime(seconds: .min)
        let moments = zone.offsets.flatMap { stretch in
            (0..<8).map { _ in stretch.moment + Int64.random(in: -180_000...180_000, using: &numbers) }
        }
        for moment in moments.sorted() {
            let moment = Timestamp(seconds: moment)
            let latest = rules.latestShown(by: moment)
            #expect(latest >= lastShown)
            #expect(latest >= rules.local(at: moment))
            #expect(rules.firstMoment(reaching: latest) <= moment)
            #expect(rules.firstMoment(reaching: LocalTime(seconds: latest.seconds + 1)) > moment)
            #expect(rules.moments(showing: rules.local(at: moment)).contains(moment))
            lastShown = latest
        }
    }

    @Test(.enabled(if: MachineZones.areHere, "/usr/share/zoneinfo is not on this machine"))
    func `every zone of this machine decodes, and jumps over no time that it shows later`() throws {
        for (name, bytes) in MachineZones.all {
            let rules = try ZoneRules(tzif: bytes)
            var moment = utc("1970-01-01").seconds
            var jumps = 0
            while moment < utc("2060-01-01").seconds {
                let before = rules.local(at: Timestamp(seconds: moment - 1))
                let after = rules.local(at: Timestamp(seconds: moment))
                if after.seconds > before.seconds + 1 {
                    jumps += 1
                    for skipped in [before.seconds + 1, after.seconds - 1] {
                        #expect(rules.moments(showing: LocalTime(seconds: skipped)) == [], "\(name)")
                    }
                }
                moment = nextChange(of: rules, after: moment, step: 6 * 3600)
            }
            #expect(jumps < 400, "\(name)")
        }
    }

    @Test(
        .enabled(if: zdump != nil && MachineZones.areHere, "zdump (libc-bin) or /usr/share/zoneinfo is not installed")
    )
    func `every zone of this machine has the offsets that zdump prints`() throws {
        let tool = try #require(zdump)
        let rules = try MachineZones.all.reduce(into: [String: ZoneRules]()) {
            $0["\(MachineZones.folder)/\($1.name)"] = try ZoneRules(tzif: $1.bytes)
        }
        let printed = try tool.output(["-v", "-c", "2000,2015"] + rules.keys.sorted())
        var compared = 0
        for line in printed.split(separator: "\n") {
            // path  Sun Mar 27 00:59:59 2005 UT = Sun Mar 27 01:59:59 2005 CET isdst=0 gmtoff=3600
            let words = line.split(separator: " ")
            guard words.count == 16, words[6] == "UT", let zone = rules[String(words[0])],
                let offset = Int(words[15].dropFirst("gmtoff=".count)),
                let month = monthNames.firstIndex(where: { words[2] == $0 })
            else { continue }
            let moment = utc("\(words[5])-\(month + 1)-\(words[3]) \(words[4])")
            // It starts with the ends of time, which are not ours.
            if moment < utc("2000-01-01") || moment > utc("2015-01-01") { continue }
            #expect(zone.offsetSeconds(at: moment) == offset, "\(line)")
            compared += 1
        }
        print("zdump: \(compared) offsets of \(rules.count) zones compared")
        #expect(compared > 5000)
    }
}

private let monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

/// The first moment after that one with another offset, looked for in steps and then by halving.
func nextChange(of rules: ZoneRules, after start: Int64, step: Int64, until end: Int64 = 2_900_000_000) -> Int64 {
    let offset = rules.offsetSeconds(at: Timestamp(seconds: start))
    var low = start
    while low < end {
        var high = low + step
        guard rules.offsetSeconds(at: Timestamp(seconds: high)) != offset else {
            low = high
            continue
        }
        while high - low > 1 {
            let middle = (low + high) / 2
            if rules.offsetSeconds(at: Timestamp(seconds: middle)) == offset { low = middle } else { high = middle }
        }
        return high
    }
    return end
}
