import Bytes
import Foundation
import Strategy
import Testing

private let systemdAnalyze: InstalledTool? = {
    guard let tool = InstalledTool("/usr/bin/systemd-analyze", "/bin/systemd-analyze"),
        // Older ones know no base time.
        let help = try? tool.output(["--help"]), help.contains("--base-time")
    else { return nil }
    return tool
}()

@Suite struct SystemdTests {
    private static let iterations = 12

    @Test(.enabled(if: systemdAnalyze != nil, "systemd-analyze with --base-time is not installed"))
    func `F-06 in UTC random schedules fire when systemd says so, and have its normal form`() throws {
        let tool = try #require(systemdAnalyze)
        // It gives up, and says so, after a thousand steps: then there is nothing to compare.
        var givenUp = 0
        print("seed \(testSeed): TEST_SEED repeats it")
        var numbers = SeededNumbers(testSeed)
        var compared = 0
        for _ in 0..<16 {
            let base = Timestamp(seconds: Int64.random(in: 631_152_000...4_102_444_800, using: &numbers))
            let schedules = drawn(40, &numbers)
            let forms = try ask(tool, base, schedules.map(\.description))
            let closed = schedules.map { closingSteps(in: $0.description) }
            let answers = try ask(tool, base, closed)
            for (schedule, closed) in zip(schedules, closed) {
                guard let found = answers[closed] else {
                    givenUp += 1
                    continue
                }
                #expect(forms[schedule.description] != nil, "\(schedule) is not the normal form that systemd prints")
                #expect(found == elapses(of: schedule, after: base), "\(schedule) after \(shown(base))")
                compared += found.count
            }
        }
        print("systemd: \(compared) moments compared, \(givenUp) of 640 schedules given up by it")
        #expect(compared > 5000)
        #expect(givenUp < 32)
    }

    @Test(.enabled(if: systemdAnalyze != nil, "systemd-analyze with --base-time is not installed"))
    func `F-06 what systemd calls impossible is refused as what never comes`() throws {
        let tool = try #require(systemdAnalyze)
        let texts = ["*-02-30", "2021-02-29", "Mon 2026-01-01", "2100-02-29", "Tue 2024..2027-02-29"]
        let answers = try ask(tool, Timestamp(seconds: 0), texts)
        #expect(answers.count == texts.count)
        #expect(answers.values.allSatisfy { $0 == ["never"] })
        for text in texts { #expect(refusal(text)?.kind == .never, "\(text)") }
    }

    /// The same with an end to each step: `00/11` becomes `00..22/11`.
    ///
    /// systemd 252 passes over times after a step that has none: in `00/11:04,07` 00:04 never follows 22:07. Later ones do not.
    private func closingSteps(in text: String) -> String {
        var words = text.split(separator: " ").map(String.init)
        let time = words.count - 1
        let hours = words[time].split(separator: ":").map(String.init)
        words[time] = zip(hours, [23, 59, 59]).map { closing($0, 0...$1) }.joined(separator: ":")
        let isFromEnd = words[time - 1].contains("~")
        let date = words[time - 1].split(whereSeparator: { "-~".contains($0) }).map(String.init)
        let day = closing(date[2], 1...31, downward: isFromEnd)
        words[time - 1] = "\(closing(date[0], 1970...2199))-\(closing(date[1], 1...12))\(isFromEnd ? "~" : "-")\(day)"
        return words.joined(separator: " ")
    }

    private func closing(_ list: String, _ range: ClosedRange<Int>, downward: Bool = false) -> String {
        list.split(separator: ",").map { entry in
            let parts = entry.split(separator: "/")
            guard parts.count == 2, let first = Int(parts[0]), let step = Int(parts[1]) else { return String(entry) }
            let hits = downward ? (first - range.lowerBound) / step : (range.upperBound - first) / step
            let ends = downward ? [first - hits * step, first] : [first, first + hits * step]
            let numbers = ends.map { ($0 < 10 ? "0" : "") + String($0) }
            return "\(numbers[0])..\(numbers[1])" + (step > 1 ? "/\(step)" : "")
        }.joined(separator: ",")
    }

    /// Random calendar events that ever come, with and without seconds.
    private func drawn(_ count: Int, _ numbers: inout SeededNumbers) -> [Schedule] {
        var schedules: [Schedule] = []
        while schedules.count < count {
            let random = RandomSchedule.event(&numbers, withSeconds: numbers.chance(30))
            if let schedule = try? Schedule(random.text) { schedules.append(schedule) }
        }
        return schedules
    }

    private func elapses(of schedule: Schedule, after base: Timestamp) -> [String] {
        let end = Timestamp(seconds: 1 << 40)
        let next = Timestamp(seconds: base.seconds + 1)
        let found = schedule.occurrences(from: next, to: end, in: .utc).prefix(SystemdTests.iterations).map {
            shown($0)
        }
        return found.isEmpty ? ["never"] : found
    }

    /// By the normal form of each text: moments such as `2026-01-01 00:15:00`, or one `never`.
    private func ask(_ tool: InstalledTool, _ base: Timestamp, _ texts: [String]) throws -> [String: [String]] {
        let options = ["calendar", "--iterations=\(SystemdTests.iterations)", "--base-time=\(shown(base)) UTC"]
        var answers: [String: [String]] = [:]
        var last = ""
        for line in try tool.output(options + texts).split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let label = line[..<colon].trimmingCharacters(in: .whitespaces)
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            switch label {
            case "Normalized form":
                last = value
                answers[last] = []
            case let label where label == "Next elapse" || label.hasPrefix("Iter"):
                // Thu 2026-01-01 00:15:00 UTC
                let words = value.split(separator: " ")
                answers[last]?.append(words.count > 2 ? "\(words[1]) \(words[2])" : value)
            default: continue
            }
        }
        return answers
    }
}
