import Bytes
import ResticFormat
import Testing

@Suite struct TimeTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", zoned(0)), ("2026-11-21T06:10:11.7961525Z", zoned(1_795_241_411, 796_152_500)),
            ("1969-12-31T23:59:59.999999999Z", zoned(-1, 999_999_999)),
            ("2000-02-29T12:00:00.1+05:45", zoned(951_804_900, 100_000_000, offset: 20_700)),
            ("0000-01-01T00:00:00Z", zoned(-62_167_219_200)), ("9999-12-31T23:59:59Z", zoned(253_402_300_799)),
            ("0001-01-01T00:00:00Z", RFC3339.zeroTime),
            ("2038-01-19T03:14:08-03:30", zoned(2_147_496_248, 0, offset: -12_600)),
        ] as [(String, ZonedTime)]
    )
    func `times are written and read as Go does`(text expected: String, time: ZonedTime) {
        #expect(text(RFC3339.format(time)) == expected)
        #expect(RFC3339.parse(bytes(expected)) == time)
    }

    @Test func `the seconds of an offset are dropped but count for the digits`() {
        #expect(text(RFC3339.format(zoned(-3_000_000_000, 0, offset: 3208))) == "1874-12-07T19:33:28+00:53")
        #expect(text(RFC3339.format(zoned(0, 0, offset: -59))) == "1969-12-31T23:59:01+00:00")
        #expect(text(RFC3339.format(zoned(0, 0, offset: -75))) == "1969-12-31T23:58:45-00:01")
    }

    @Test(arguments: [
        "", "2026-11-21", "2026-11-21T06:10:11", "2026-11-21t06:10:11Z", "2026-11-21T06:10:11z", "2026-11-21T06:10:60Z",
        "2026-02-29T06:10:11Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00,Z", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+24:61", "2026-01-01T00:00:00+25:00", "2026-01-01T00:00:00+00:61",
        "2026-01-01T00:00:00+0000",
        "2026-01-01T00:00:00+00:00Z", "2026-01-01T:00:00Z", "2026-01-01T0:0:00Z",
        "12026-01-01T00:00:00Z", "-026-01-01T00:00:00Z", "2026-01-01T00:00:00.1234567890123x", "2026-1-01T000:00:00Z",
        "1900-02-29T00:00:00Z",
    ])
    func `times that Go refuses are refused`(written: String) {
        #expect(RFC3339.parse(bytes(written)) == nil)
    }

    /// Each was put into a key file, which stock restic 0.19.1 opened.
    @Test(
        arguments: [
            ("2026-01-01T00:00:00,5Z", zoned(1_767_225_600, 500_000_000)),
            ("2026-01-01T0:00:00Z", zoned(1_767_225_600)),
            ("2026-01-01T00:00:00+24:00", zoned(1_767_139_200, 0, offset: 86_400)),
            ("2026-01-01T00:00:00+23:60", zoned(1_767_139_200, 0, offset: 86_400)),
        ] as [(String, ZonedTime)]
    )
    func `what Go's decoder lets pass is read`(written: String, time: ZonedTime) {
        #expect(RFC3339.parse(bytes(written)) == time)
    }

    @Test func `digits behind the ninth are dropped`() {
        #expect(RFC3339.parse(bytes("1970-01-01T00:00:00.1234567899999Z")) == zoned(0, 123_456_789))
    }

    @Test func `F-08 years outside 0 to 9999 are clamped, whatever the seconds`() {
        for seconds in [
            Int64.min, .min + 1, -9_223_371_966_579_724_801, .max, .max - 1, 253_402_300_800, -62_167_219_201, 1 << 62,
            -1 << 62,
        ] {
            for offset: Int32 in [0, 3600, -43_200] {
                let written = text(RFC3339.format(zoned(seconds, 0, offset: offset)))
                #expect(written.hasPrefix("0000-") || written.hasPrefix("9999-"), "\(seconds) \(offset): \(written)")
            }
            for offset: Int32 in [.max, .min] { #expect(RFC3339.format(zoned(seconds, 0, offset: offset)).count == 25) }
        }
        #expect(text(RFC3339.format(zoned(253_402_300_800))) == "9999-01-01T00:00:00Z")
        #expect(text(RFC3339.format(zoned(-62_167_219_201))) == "0000-12-31T23:59:59Z")
    }

    @Test func `clamping takes the offset of the new year`() {
        let clamped = RFC3339.clamped(Timestamp(seconds: 253_402_300_800)) {
            $0.seconds > 253_402_300_000 ? 7200 : 3600
        }
        #expect(clamped == zoned(253_370_764_800 + 7200 - 3600, 0, offset: 3600))
    }

    @Test func `every day of 800 years goes there and back`() {
        for day in Int64(-150_000)..<150_000 {
            let time = zoned(day * 86_400 + 86_399)
            guard RFC3339.parse(RFC3339.format(time)) == time else {
                Issue.record("day \(day)")
                return
            }
        }
    }
}
