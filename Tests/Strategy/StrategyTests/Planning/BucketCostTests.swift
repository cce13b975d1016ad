import Bytes
import Strategy
import Testing

/// What a bucket costs, by prices and by what was seen.
@Suite struct BucketCostTests {
    private static let folder = "{ kind: stand-in,  path: ./media//cloud/ }"
    /// 2026-03-20 12:00 UTC.
    private static let now = Timestamp(seconds: 1_774_008_000)
    private static let prices =
        "prices: { currency: EUR, storage: 0.006, writes: 0.005, reads: 0.0004, egress: 0.01, free-egress: 10 GB }"

    private func declaration(_ bucket: String) -> String {
        completeDeclaration.replacing(
            Self.folder,
            with:
                "{ kind: offsite, credentials: \"file:secrets/cloud\", s3: { endpoint: \"https://s3.example.com\", bucket: lab-dr, \(bucket) } }"
        )
    }

    private func ledger(stored: UInt64, rate: UInt64? = nil) -> Ledger {
        var ledger = Ledger()
        var history = RepositoryHistory(id: "ab", seen: Self.now)
        history.storedBytes = stored
        history.rate = rate.map { ReadingRate(bytesPerSecond: $0, time: Self.now, isOfRestore: false) }
        ledger.repositories["offsite"] = history
        return ledger
    }

    private func traffic(_ uploaded: UInt64, _ downloaded: UInt64 = 0, writes: UInt64 = 0, reads: UInt64 = 0) -> Traffic
    {
        var traffic = Traffic()
        (traffic.uploadedBytes, traffic.downloadedBytes) = (uploaded, downloaded)
        (traffic.writes, traffic.reads) = (writes, reads)
        return traffic
    }

    private func cost(_ bucket: String, _ ledger: Ledger) throws -> BucketCost {
        let lab = try decode(declaration(bucket))
        let medium = try #require(lab.medium(named: "cloud"))
        return try #require(BucketCost(medium, lab: lab, ledger: ledger, now: Self.now))
    }

    @Test func `a month and a restore are counted by the price table`() throws {
        var ledger = ledger(stored: 100_000_000_000, rate: 10_000_000)
        var moved = BucketTraffic()
        // All that there was on the first day counts for none of the following.
        moved.add(traffic(90_000_000_000, writes: 60_000), at: Timestamp(seconds: Self.now.seconds - 10 * 86_400))
        for day in (0..<10).reversed() {
            let moment = Timestamp(seconds: Self.now.seconds - Int64(day) * 86_400)
            moved.add(traffic(1_000_000_000, 1_200_000_000, writes: 100, reads: 50), at: moment)
        }
        ledger.traffic["cloud"] = moved
        let cost = try cost(Self.prices, ledger)
        #expect(cost.usual?.seenDays == 10)
        #expect(cost.usual?.traffic == traffic(30_000_000_000, 36_000_000_000, writes: 3000, reads: 1500))
        #expect(cost.storage?.text == "0.78")
        #expect(cost.writes?.text == "0.015")
        #expect(cost.reads?.text == "0.0006")
        // Each byte once in 30 days, and what is written once more.
        #expect(cost.verifiedBytes == 100_000_000_000)
        #expect(cost.egressBytes == 130_000_000_000)
        #expect(cost.egress.text == "1.2")
        #expect(cost.month.rounded == "2.00")
        #expect(cost.restore.rounded == "0.90")
        #expect(cost.restoreRequests == 5961)
        #expect(cost.restoreTime == .seconds(10_000))
        #expect(cost.excesses.isEmpty)
    }

    @Test func `what was never seen costs nothing and is not guessed`() throws {
        let unknown = try cost(Self.prices, Ledger())
        #expect(unknown.storedBytes == nil && unknown.storage == nil && unknown.writes == nil)
        #expect(unknown.month.rounded == "0.00" && unknown.restoreTime == nil)
        var ledger = ledger(stored: 5_000_000_000)
        ledger.traffic["cloud"] = BucketTraffic()
        ledger.traffic["cloud"]?.add(traffic(5_000_000_000), at: Self.now)
        let first = try cost(Self.prices, ledger)
        #expect(first.usual == nil && first.storage?.text == "0.03" && first.egress.text == "0")
        let lab = try decode(completeDeclaration)
        #expect(lab.media.allSatisfy { BucketCost($0, lab: lab, ledger: ledger, now: Self.now) == nil })
    }

    @Test func `a budget that does not suffice is told with what would`() throws {
        let ledger = ledger(stored: 100_000_000_000)
        let dear = try cost("\(Self.prices), budget: { cost: 1, egress: 25 GB }", ledger)
        #expect(
            dear.excesses.map(\.what) == [
                "a month would cost 1.50 EUR, and 1.00 are its budget",
                "a month would read 100.0 GB from it, and 25.0 GB are its budget",
            ]
        )
        #expect(dear.excesses[1].next.hasSuffix("verify.every: 120d would fit"))
        #expect(try cost("\(Self.prices), budget: { cost: 1.5, egress: 100 GB }", ledger).excesses.isEmpty)
        let free = Self.prices.replacing("free-egress: 10 GB", with: "free-egress-times: 3")
        #expect(try cost("\(free), budget: { cost: 0.6 }", ledger).excesses.isEmpty)
    }

    @Test func `the month of the calendar is counted in UTC, and what is old is forgotten`() {
        var moved = BucketTraffic()
        let first: Int64 = 1_772_323_200  // 2026-03-01 00:00 UTC
        moved.add(traffic(1), at: Timestamp(seconds: first - 1))
        moved.add(traffic(10), at: Timestamp(seconds: first))
        moved.add(traffic(100), at: Self.now)
        #expect(moved.thisMonth(Self.now).uploadedBytes == 110)
        #expect(moved.thisMonth(Timestamp(seconds: first - 1)).uploadedBytes == 1)
        moved.add(traffic(1000), at: Timestamp(seconds: first + 90 * 86_400))
        #expect(moved.days.count == 1)
        moved.add(Traffic(), at: Self.now)
        #expect(moved.days.count == 1)
    }

    @Test func `I-05 no number of a ledger is a trap`() throws {
        for stored in [0, 1, UInt64(Int.max)] {
            var ledger = ledger(stored: stored, rate: 1)
            var moved = BucketTraffic()
            let most = UInt64(Int.max)
            for day in [Int64.min, -1, 0, Int64.max] {
                moved.days[day] = traffic(most, most, writes: most, reads: most)
            }
            for day in 0..<20 {
                moved.days[BucketTraffic.day(Self.now) - Int64(day)] = traffic(most, most, writes: most, reads: most)
            }
            ledger.traffic["cloud"] = moved
            let cost = try cost("\(Self.prices), budget: { cost: 1, egress: 1 }", ledger)
            #expect(cost.excesses.count == 2)
            #expect(!cost.restore.rounded.isEmpty && !cost.month.text.isEmpty)
            _ = moved.thisMonth(Timestamp(seconds: .max))
            _ = moved.thisMonth(Timestamp(seconds: .min))
        }
    }

    @Test(
        arguments: [
            ("budget: { cost: 1 }", "media.cloud.s3.budget.cost: cannot be judged without prices"),
            ("prices: { currency: EUR }", "\"storage\""), ("prices: { currency: EUR, storage: 1 EUR }", "is no amount"),
            ("budget: {}", "media.cloud.s3.budget"), ("prices: { currency: EUR, storage: -1 }", "is no amount"),
        ]
    )
    func `a price table that says nothing is refused`(bucket: String, words: String) {
        let found = problems(declaration(bucket))
        #expect(found.contains { $0.contains(words) }, "found: \(found)")
    }

    @Test func `amounts are read and written as they are`() throws {
        for text in ["0", "0.006", "12", "0.000000001", "999999999.999999999"] { #expect(try Money(text).text == text) }
        #expect(try Money("1.50").text == "1.5")
        for (text, rounded) in [
            ("0", "0.00"), ("0.0099", "<0.01"), ("0.015", "0.02"), ("1.994", "1.99"), ("12", "12.00"),
        ] {
            #expect(try Money(text).rounded == rounded)
        }
        for text in ["", ".", "1.", ".5", "1,5", "1e3", "1.0000000001", "1000000000", "+1", "0x1", "1 "] {
            #expect(throws: NotationError.self) { try Money(text) }
        }
    }
}
