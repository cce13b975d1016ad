import Testing

import Bytes
import Strategy

@Suite struct MomentTests {
    private static let now = Timestamp(seconds: 1_772_366_400)  // 2026-03-01 12:00 UTC

    private static func read(_ text: String, offset: Int32 = 0) throws -> Int64 {
        try readMoment(text, now: now) { _ in offset }.seconds
    }

    @Test func `times as people write them, a day and a minute standing for their ends`() throws {
        #expect(try Self.read("2026-03-01 12:00") == 1_772_366_459)
        #expect(try Self.read("2026-03-01T12:00:05") == 1_772_366_405)
        #expect(try Self.read("2026-03-01T12:00:05Z", offset: 3600) == 1_772_366_405)
        #expect(try Self.read("2026-03-01 12:00", offset: 3600) == 1_772_362_859)
        #expect(try Self.read("2026-03-01") == 1_772_409_599)
        #expect(try Self.read("3d") == 1_772_366_400 - 3 * 86_400)
    }

    @Test(arguments: [
        "", "yesterday", "2026-13-01", "2026-02-29", "2026-03-01 24:00", "2026-03-01 12", "2026-3-1", "12:00",
    ])
    func `what is no time is refused with the forms that are`(_ text: String) {
        let error = #expect(throws: NotationError.self) { _ = try Self.read(text) }
        #expect(error?.next.contains("2026-11-20") == true)
    }
}
