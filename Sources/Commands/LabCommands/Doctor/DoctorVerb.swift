import ArgumentParser
import Console
import Outcome
import Protection
import Strategy

/// The verb `holdfast doctor`.
struct DoctorVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast doctor", "holdfast doctor --json"]

    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract:
            "Checks what the lab stands on: machine, clock, state, media, secrets, repositories; each finding with its remedy.",
        discussion: "Ends in 0; 1 when something is bad. What is doubtful is named, and does not fail."
    )

    @OptionGroup var options: LabOptions

    func perform(on screen: Screen) async throws -> Int32 {
        let plain = try LabSession(options, screen: screen)
        let session = await plain.recordingMounts(of: plain.lab.media.map(\.name))
        let found = try await session.onPool { try await Examination(session.environment).run() }
        for examined in found { show(examined, session.printer) }
        return (found.contains { $0.verdict == .bad } ? ExitStatus.failed : .success).rawValue
    }

    private func show(_ examined: Examined, _ printer: Printer) {
        guard !printer.isJSON else {
            var line = JSONLine(messageType: "finding")
            line.add("verdict", examined.verdict.rawValue)
            line.add("object", examined.object)
            line.add("message", examined.what)
            line.add("next", examined.next)
            return printer.result(line.text)
        }
        let word =
            switch examined.verdict {
            case .good: "ok        "
            case .doubtful: "doubtful  "
            case .bad: "BAD       "
            }
        printer.result(Text("\(word)\(escapedControl(examined.object)): \(escapedControl(examined.what))"))
        if !examined.next.isEmpty { printer.result(Text("          next: \(examined.next)")) }
    }
}
