import Bytes
import Foundation
import ResticFormat
import Testing

import ResticRepository
import Strategy

@Suite struct KeepPolicyTests {
    /// Snapshots at these times, numbered in their IDs in the order given.
    private func snapshots(_ times: [String], tags: [[ByteString]] = []) throws -> [Snapshot] {
        try times.enumerated().map { number, text in
            let time = try #require(RFC3339.parse(Array(text.utf8)), "\(text)")
            var document = SnapshotDocument(time: time, tree: nil, paths: ["/"])
            if tags.indices.contains(number) { document.tags = tags[number] }
            return Snapshot(id: SnapshotID(Digest(a: UInt64(number), b: 0, c: 0, d: 0)), document: document)
        }
    }

    /// What stays, as `number: reasons`, newest first.
    private func kept(
        _ snapshots: [Snapshot],
        now: Int64 = 1_790_000_000,
        _ change: (inout KeepPolicy) -> Void
    ) -> [String] {
        var policy = KeepPolicy()
        change(&policy)
        let verdict = policy.divide(snapshots, now: Timestamp(seconds: now)) { _ in 0 }
        #expect(verdict.kept.count + verdict.removed.count == snapshots.count)
        return verdict.kept.map { kept in
            let number = snapshots.firstIndex { $0.id == kept.snapshot.id } ?? -1
            return "\(number): \(kept.reasons.joined(separator: ", "))"
        }
    }

    @Test func `the newest of each period stays, and the oldest of all while counts are left`() throws {
        let days = try snapshots([
            "2026-01-01T10:00:00Z", "2026-01-01T12:00:00Z", "2026-01-02T10:00:00Z", "2026-01-02T10:30:00Z",
        ])
        #expect(kept(days) { $0.counts[.last] = .atMost(2) } == ["3: last snapshot", "2: last snapshot"])
        #expect(kept(days) { $0.counts[.daily] = .atMost(1) } == ["3: daily snapshot"])
        #expect(kept(days) { $0.counts[.daily] = .atMost(2) } == ["3: daily snapshot", "1: daily snapshot"])
        #expect(
            kept(days) { $0.counts[.daily] = .atMost(3) }
                == ["3: daily snapshot", "1: daily snapshot", "0: oldest daily snapshot"]
        )
        #expect(
            kept(days) { $0.counts[.hourly] = .unlimited }
                == ["3: hourly snapshot", "1: hourly snapshot", "0: hourly snapshot"]
        )
        #expect(
            kept(days) {
                $0.counts = [.last: .atMost(1), .yearly: .atMost(1), .monthly: .atMost(2)]
            } == ["3: last snapshot, monthly snapshot, yearly snapshot", "0: oldest monthly snapshot"]
        )
        #expect(kept(days) { _ in }.isEmpty)
        #expect(kept([]) { $0.counts[.last] = .atMost(1) }.isEmpty)
    }

    @Test func `days and weeks are those of the zone a snapshot was made in`() throws {
        // The same hour everywhere, and four dates.
        let places = try snapshots([
            "2026-01-01T00:30:00+14:00", "2025-12-31T10:31:00Z", "2025-12-30T22:32:00-12:00",
            "2025-12-31T05:33:00-05:00",
        ])
        #expect(
            kept(places) { $0.counts[.daily] = .unlimited }
                == ["3: daily snapshot", "2: daily snapshot", "1: daily snapshot", "0: daily snapshot"]
        )
        // 29 December 2025 to 4 January 2026 is week 1 of 2026.
        let week = try snapshots(["2025-12-28T12:00:00Z", "2025-12-29T12:00:00Z", "2026-01-04T12:00:00Z"])
        #expect(kept(week) { $0.counts[.weekly] = .atMost(9) } == ["2: weekly snapshot", "0: weekly snapshot"])
    }

    @Test func `spans count from the newest snapshot that is not in the future`() throws {
        let some = try snapshots([
            "2026-01-31T12:00:00Z", "2026-02-27T12:00:00Z", "2026-03-31T11:00:00Z", "2026-03-31T12:00:00Z",
            "2099-01-01T00:00:00Z",
        ])
        let month = KeepDuration(months: 1)
        // A month before 31 March is 3 March.
        #expect(kept(some) { $0.within = month } == ["4: within 1m", "3: within 1m", "2: within 1m"])
        #expect(
            kept(some) { $0.within = KeepDuration(months: 1, days: 4, hours: 1) }
                == ["4: within 1m4d1h", "3: within 1m4d1h", "2: within 1m4d1h", "1: within 1m4d1h"]
        )
        // The boundary itself is outside.
        #expect(kept(some) { $0.within = KeepDuration(hours: 1) } == ["4: within 1h", "3: within 1h"])
        #expect(
            kept(some) { $0.withinPeriods[.daily] = KeepDuration(years: 1) }
                == [
                    "4: daily within 1y", "3: daily within 1y", "1: daily within 1y", "0: daily within 1y",
                ]
        )
        #expect(kept(some, now: 0) { $0.within = KeepDuration(hours: 1) }.count == 5, "all of them are in the future")
    }

    @Test func `tags keep without being counted`() throws {
        let some = try snapshots(
            ["2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z", "2026-01-03T10:00:00Z"],
            tags: [["a", "b"], ["b"], []]
        )
        #expect(
            kept(some) {
                $0.tags = [["a", "b"], ["b"], [""]]
            } == ["2: has tags []", "1: has tags [b]", "0: has tags [a, b], has tags [b]"]
        )
        #expect(
            kept(some) {
                $0.tags = [["a"]]
                $0.counts[.last] = .atMost(1)
            } == ["2: last snapshot", "0: has tags [a]"]
        )
    }

    @Test func `a policy is read out as restic does`() {
        var policy = KeepPolicy()
        #expect(policy.isEmpty && policy.text == "remove")
        policy.within = KeepDuration(years: 1, hours: 2)
        #expect(policy.text == "keep all snapshots within 1y2h of the newest")
        policy.counts = [.yearly: .unlimited, .last: .atMost(3)]
        policy.withinPeriods = [.weekly: KeepDuration(days: 9)]
        policy.tags = [["a", "b"], ["c"]]
        #expect(
            policy.text
                == "keep 3 latest, all yearly snapshots, weekly snapshots within 9d and all snapshots with tags [[a, b] [c]] and all snapshots within 1y2h of the newest"
        )
    }

    @Test func `P-02 spans longer than the calendar keep everything and overflow nothing`() throws {
        let some = try snapshots(["0001-01-02T00:00:00Z", "2026-01-02T10:00:00Z", "9999-12-31T23:59:59-24:00"])
        for span in [
            KeepDuration(years: .max), KeepDuration(months: .max), KeepDuration(days: .max), KeepDuration(hours: .max),
            KeepDuration(years: 1_000_000), KeepDuration(months: 100_000_000_000), KeepDuration(hours: 3_000_000_000),
        ] {
            #expect(kept(some) { $0.within = span }.count == 3, "\(span)")
        }
    }

    // MARK: the calendar

    @Test func `dates and weeks agree with another calendar over four centuries`() throws {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        var random = SplitMix64(seed: TestSeed.value)
        for _ in 0..<4000 {
            let seconds = Int64(random.next() % 14_000_000_000) - 3_000_000_000
            let ours = CalendarTime(Timestamp(seconds: seconds), offsetSeconds: 0)
            let date = Date(timeIntervalSince1970: Double(seconds))
            let parts: Set<Calendar.Component> = [.year, .month, .day, .hour, .weekOfYear, .yearForWeekOfYear]
            let theirs = calendar.dateComponents(parts, from: date)
            #expect(
                ours.year == theirs.year.map(Int64.init) && ours.month == theirs.month.map(Int64.init),
                "\(seconds)"
            )
            #expect(ours.day == theirs.day.map(Int64.init) && ours.hour == theirs.hour.map(Int64.init), "\(seconds)")
            let week = ours.isoWeek
            #expect(week.week == theirs.weekOfYear.map(Int64.init), "seed \(TestSeed.value): \(seconds)")
            #expect(week.year == theirs.yearForWeekOfYear.map(Int64.init), "seed \(TestSeed.value): \(seconds)")
        }
    }

    @Test(arguments: [
        // A month before noon in summer time is noon in winter time; hours are counted on the clock's seconds.
        ("2026-04-15T12:00:00+02:00", KeepDuration(months: 1), "2026-03-15T12:00:00+01:00"),
        ("2026-04-15T12:00:00+02:00", KeepDuration(days: 31, hours: 1), "2026-03-15T11:00:00+01:00"),
        // Another zone than ours keeps its offset.
        ("2026-04-15T12:00:00+03:00", KeepDuration(months: 1), "2026-03-15T12:00:00+03:00"),
        ("2026-04-15T12:00:00Z", KeepDuration(months: 1), "2026-03-15T12:00:00Z"),
        // 29 February of a common year is 1 March; 02:30 is skipped on 29 March 2026 and read by the old offset.
        ("2024-02-29T12:00:00+01:00", KeepDuration(years: 1), "2023-03-01T12:00:00+01:00"),
        ("2026-04-29T02:30:00+02:00", KeepDuration(months: 1), "2026-03-29T02:30:00+01:00"),
        ("2026-01-31T00:00:00+01:00", KeepDuration(months: 14), "2024-12-01T00:00:00+01:00"),
    ])
    func `F-06 spans go back on the calendar of the zone`(latest: String, span: KeepDuration, expected: String) throws {
        let berlin = try #require(TimeZone(identifier: "Europe/Berlin"))
        let from = try #require(RFC3339.parse(Array(latest.utf8)))
        let wanted = try #require(RFC3339.parse(Array(expected.utf8)))
        let found = span.before(from) {
            Int32(berlin.secondsFromGMT(for: Date(timeIntervalSince1970: Double($0.seconds))))
        }
        #expect(found == wanted.moment, "\(found.seconds - wanted.moment.seconds) s off")
    }
}
