import Bytes
import Foundation
import Strategy
import Testing

@Suite struct SchedulesPageTests {
    private static let page: String = {
        var root = URL(filePath: #filePath)
        for _ in 0..<5 { root.deleteLastPathComponent() }
        return (try? String(contentsOf: root.appending(path: "docs/manual/schedules.md"), encoding: .utf8)) ?? ""
    }()

    /// The cells of all table rows whose table starts with a column of that name.
    private static func rows(below heading: String) -> [[String]] {
        var found: [[String]] = []
        var isInside = false
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("|") else {
                isInside = false
                continue
            }
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            if cells.first == heading {
                isInside = true
            } else if isInside, !line.hasPrefix("|--") {
                found.append(cells)
            }
        }
        return found
    }

    /// What stands between the first two backticks.
    private static func code(_ cell: String) -> String {
        cell.split(separator: "`", omittingEmptySubsequences: false).dropFirst().first.map(String.init) ?? ""
    }

    @Test func `every example of the manual is read, and means what stands beside it`() throws {
        let rows = SchedulesPageTests.rows(below: "you write")
        #expect(rows.count >= 30)
        for row in rows {
            try #require(row.count == 3)
            #expect(
                try Schedule(SchedulesPageTests.code(row[0])).description == SchedulesPageTests.code(row[1]),
                "\(row[0])"
            )
        }
    }

    @Test func `every refused example of the manual is refused in the words that stand beside it`() throws {
        let rows = SchedulesPageTests.rows(below: "refused")
        #expect(rows.count >= 5)
        for row in rows {
            let error = try #require(refusal(SchedulesPageTests.code(row[0])), "\(row[0]) is read")
            #expect(error.description == SchedulesPageTests.code(row[1]), "\(row[0])")
        }
    }

    @Test func `every moment of the manual's table of clocks that are set is the one that fires`() throws {
        let rows = SchedulesPageTests.rows(below: "night in Berlin")
        #expect(rows.count >= 4)
        let berlin = try GoldenZone.rules("Europe/Berlin")
        for row in rows {
            let schedule = try Schedule(SchedulesPageTests.code(row[1]))
            let date = local(SchedulesPageTests.code(row[0]))
            let start = berlin.firstMoment(reaching: date)
            let end = berlin.firstMoment(reaching: .init(seconds: date.seconds + 5 * 3600))
            let fired = schedule.occurrences(from: start, to: end, in: berlin).map { moment in
                let zoned = berlin.zoned(moment)
                let name = zoned.offsetSeconds == 7200 ? "CEST" : "CET"
                return berlin.local(at: moment).description.dropFirst(11).prefix(5) + " \(name)"
            }
            #expect(fired.joined(separator: ", ") == SchedulesPageTests.code(row[2]), "\(row)")
        }
    }
}
