import Console
import Testing

@Suite struct AmountTests {
    @Test(arguments: [
        (UInt64(0), "0 B"), (1023, "1023 B"), (1024, "1.000 KiB"), (1697, "1.657 KiB"), (5 << 20, "5.000 MiB"),
        (3 << 30, "3.000 GiB"), (1 << 41, "2.000 TiB"),
    ])
    func `sizes are printed in binary units with three decimals`(count: UInt64, text: String) {
        #expect(formatBytes(count) == text)
    }

    @Test(arguments: [(UInt64(0), "0:00"), (59, "0:59"), (61, "1:01"), (3600, "1:00:00"), (36_061, "10:01:01")])
    func `times are printed as minutes and seconds, with hours where there are any`(seconds: UInt64, text: String) {
        #expect(formatSeconds(seconds) == text)
    }

    @Test func `percentages have two decimals and never exceed 100`() {
        #expect(formatPercent(1, of: 3) == "33.33%")
        #expect(formatPercent(5, of: 3) == "100.00%")
        #expect(formatPercent(1, of: 0).isEmpty)
    }

    @Test func `the rate of a steady flow is its rate`() {
        var estimator = RateEstimator(startSeconds: 0)
        for second in 0..<60 { estimator.record(1000, atSeconds: Double(second)) }
        #expect(estimator.rate(atSeconds: 60) == 1000)
        #expect(estimator.secondsRemaining(10_000, atSeconds: 60) == 0, "too slow to promise anything")
    }

    @Test func `a fast flow forgets what is older than two minutes`() {
        var estimator = RateEstimator(startSeconds: 0)
        for second in 0..<60 { estimator.record(100_000_000, atSeconds: Double(second)) }
        for second in 60..<180 { estimator.record(200_000_000, atSeconds: Double(second)) }
        #expect(abs(estimator.rate(atSeconds: 180) - 200_000_000) < 1_000_000)
        #expect(estimator.secondsRemaining(2_000_000_000, atSeconds: 180) == 10)
    }

    @Test func `progress is reported on terminals and in JSON, and where frames are asked for`() {
        #expect(progressInterval(isShown: true, isJSON: false, canUpdateStatus: true, fps: nil) == 100_000_000)
        #expect(progressInterval(isShown: true, isJSON: true, canUpdateStatus: false, fps: nil) == 100_000_000)
        #expect(progressInterval(isShown: true, isJSON: false, canUpdateStatus: false, fps: nil) == nil)
        #expect(progressInterval(isShown: false, isJSON: true, canUpdateStatus: true, fps: nil) == nil)
        #expect(progressInterval(isShown: false, isJSON: false, canUpdateStatus: false, fps: "2") == 500_000_000)
        #expect(progressInterval(isShown: true, isJSON: false, canUpdateStatus: false, fps: "1000") == 16_666_666)
        #expect(progressInterval(isShown: true, isJSON: false, canUpdateStatus: false, fps: "often") == nil)
    }
}
