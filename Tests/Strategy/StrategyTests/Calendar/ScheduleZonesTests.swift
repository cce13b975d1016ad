import Bytes
import Strategy
import Testing

/// A stretch of one offset.
private struct Stretch {
    var start: Int64
    var end: Int64
    var offset: Int64
}

/// Ten years of one zone, as stretches found by asking for its offset every hour and halving where it changed.
private struct ZoneDecade {
    static let start = utc("2009-01-01").seconds
    static let end = utc("2019-01-01").seconds
    /// Clocks are set by a day at most, and offsets are half a day: what happens beyond does not reach into the ten years.
    static let around: Int64 = 3 * 86_400

    let stretches: [Stretch]

    init(_ rules: ZoneRules) {
        var stretches: [Stretch] = []
        var start = ZoneDecade.start - ZoneDecade.around
        let end = ZoneDecade.end + ZoneDecade.around
        while start < end {
            let next = nextChange(of: rules, after: start, step: 3600, until: end)
            let offset = Int64(rules.offsetSeconds(at: Timestamp(seconds: start)))
            stretches.append(Stretch(start: start, end: next, offset: offset))
            start = next
        }
        self.stretches = stretches
    }

    /// The moments at which local times, ascending, have to fire by the rule, each once, within the ten years.
    func firings(of locals: some Sequence<Int64>) -> [Int64] {
        var fired: [Int64] = []
        var first = 0
        for local in locals {
            // No stretch before `first` shows this time or a later one.
            while first + 1 < stretches.count, isOver(first, at: local) { first += 1 }
            guard let moment = moment(of: local, from: first), (ZoneDecade.start..<ZoneDecade.end).contains(moment)
            else {
                continue
            }
            if moment != fired.last { fired.append(moment) }
        }
        return fired
    }

    private func isOver(_ index: Int, at local: Int64) -> Bool {
        let stretch = stretches[index]
        return stretch.end + stretch.offset <= local - 2 * 86_400
    }

    /// Where the time is shown first; else the end of the gap that skips it.
    private func moment(of local: Int64, from first: Int) -> Int64? {
        for stretch in stretches[first...] {
            let moment = local - stretch.offset
            if (stretch.start..<stretch.end).contains(moment) { return moment }
            if stretch.start > local + 2 * 86_400 { break }
        }
        for index in max(first, 1)..<max(stretches.count, 1) {
            let before = stretches[index - 1]
            let after = stretches[index]
            if before.end + before.offset <= local, local < after.start + after.offset { return after.start }
        }
        return nil
    }
}

/// A schedule, and its local times as a plain count of seconds.
private struct SweptSchedule: Sendable {
    var text: String
    var firstSecond: Int64
    var everySeconds: Int64

    /// All local times around the ten years.
    var locals: StrideTo<Int64> {
        let start = (ZoneDecade.start - ZoneDecade.around) / 604_800 * 604_800 + firstSecond
        return stride(from: start, to: ZoneDecade.end + ZoneDecade.around, by: Int(everySeconds))
    }

    static let all = [
        SweptSchedule(text: "daily", firstSecond: 0, everySeconds: 86_400),
        SweptSchedule(text: "00:30", firstSecond: 1800, everySeconds: 86_400),
        SweptSchedule(text: "01:59:59", firstSecond: 7199, everySeconds: 86_400),
        SweptSchedule(text: "02:30", firstSecond: 9000, everySeconds: 86_400),
        SweptSchedule(text: "0 3 * * *", firstSecond: 10_800, everySeconds: 86_400),
        SweptSchedule(text: "23:45", firstSecond: 85_500, everySeconds: 86_400),
        // The weeks of 1970 begin with a Thursday.
        SweptSchedule(text: "sun 02:30", firstSecond: 3 * 86_400 + 9000, everySeconds: 604_800),
        SweptSchedule(text: "Sat 00:00", firstSecond: 2 * 86_400, everySeconds: 604_800),
        SweptSchedule(text: "hourly", firstSecond: 0, everySeconds: 3600),
    ]
}

@Suite struct ScheduleZonesTests {
    /// Firings that were expected or seen, and those that only one of the two has.
    private struct Count: Sendable {
        var firings = 0
        var misfires = 0
    }

    @Test(.enabled(if: MachineZones.areHere, "/usr/share/zoneinfo is not on this machine"))
    func `F-06 in every zone of this machine each local time of ten years fires once, as documented`() async throws {
        let zones = MachineZones.all
        let total = await withTaskGroup(of: Count.self) { group in
            for part in 0..<8 {
                group.addTask {
                    stride(from: part, to: zones.count, by: 8).reduce(into: Count()) { sweep(zones[$1], into: &$0) }
                }
            }
            return await group.reduce(into: Count()) {
                $0.firings += $1.firings
                $0.misfires += $1.misfires
            }
        }
        print(
            "F-06 misfires \(total.misfires) of \(total.firings), \(zones.count) zones x 10 years x \(SweptSchedule.all.count) schedules"
        )
        #expect(total.misfires == 0)
        #expect(total.firings > zones.count * 100_000)
    }

    @Test(arguments: GoldenZone.all)
    func `F-06 every quarter of an hour of ten years fires once, as documented`(_ zone: GoldenZone) {
        var count = Count()
        let schedule = SweptSchedule(text: "*:0/15", firstSecond: 0, everySeconds: 900)
        sweep((zone.name, zone.bytes), [schedule], into: &count)
        print("F-06 misfires \(count.misfires) of \(count.firings), \(zone.name), every quarter of an hour")
        #expect(count.misfires == 0)
        #expect(count.firings > 350_000)
    }

    private func sweep(
        _ zone: (name: String, bytes: [UInt8]),
        _ schedules: [SweptSchedule] = SweptSchedule.all,
        into count: inout Count
    ) {
        guard let rules = try? ZoneRules(tzif: zone.bytes) else {
            Issue.record("\(zone.name) does not decode")
            return
        }
        let decade = ZoneDecade(rules)
        for swept in schedules {
            guard let schedule = try? Schedule(swept.text) else {
                Issue.record("\(swept.text) is not read")
                continue
            }
            let expected = decade.firings(of: swept.locals)
            let start = Timestamp(seconds: ZoneDecade.start)
            let found = schedule.occurrences(from: start, to: Timestamp(seconds: ZoneDecade.end), in: rules).map(
                \.seconds
            )
            count.firings += expected.count
            guard found != expected else { continue }
            let differing = Set(found).symmetricDifference(expected)
            count.misfires += max(differing.count, 1)
            Issue.record("\(swept.text) in \(zone.name): \(differing.sorted().prefix(3))")
        }
    }
}
