import Bytes
import Console
import Outcome
import ResticRepository
import Synchronization

/// Tells what a check does and finds.
///
/// In JSON mode only errors appear, one object each on standard error.
final class CheckReporter: CheckObserver {
    private struct State {
        var phase: CheckPhase?
        var counter: ProgressCounter?
        var hasErrors = false
        var duplicates = 0
        var mixed = 0
        var orphans = 0
        var lastHeading: String?
    }

    private let session: Session
    private let printer: Printer
    private let state = Mutex(State())

    init(_ session: Session) {
        self.session = session
        printer = session.printer
    }

    func began(_ phase: CheckPhase) {
        end(state.withLock { $0.phase })
        state.withLock { state in
            state.phase = phase
            switch phase {
            case .indexes:
                state.counter = session.context.screen.facts.outputIsTerminal ? counter("index files loaded") : nil
            case .structure: state.counter = counter("snapshots")
            case .readData: state.counter = counter("packs")
            case .packs, .affected: state.counter = nil
            }
        }
        printer.normal(Text(phase.sentence))
    }

    private func counter(_ what: String) -> ProgressCounter { ProgressCounter(what, session: session) }

    func progressed(_ phase: CheckPhase, _ progress: CheckProgress) {
        let counter = state.withLock { $0.counter }
        counter?.set(UInt64(progress.done), of: UInt64(progress.total))
    }

    func found(_ findings: [Finding]) {
        for finding in findings {
            switch finding.severity {
            case .hint: hint(finding)
            case .warning: printer.error(Text(finding.checkText))
            case .damage: error(finding)
            }
        }
    }

    private func hint(_ finding: Finding) {
        state.withLock { state in
            switch finding.code {
            case "index-duplicate": state.duplicates += 1
            case "pack-mixed": state.mixed += 1
            case "pack-orphaned": state.orphans += 1
            default: break
            }
        }
        guard !session.options.isJSON else { return }
        if finding.code == "pack-orphaned" {
            printer.verbose(Text(finding.checkText))
        } else {
            printer.result(Text(finding.checkText))
        }
    }

    private func error(_ finding: Finding) {
        let heading = state.withLock { state in
            state.hasErrors = true
            defer { state.lastHeading = finding.checkHeading }
            return state.lastHeading == finding.checkHeading ? nil : finding.checkHeading
        }
        if let heading { say(heading) }
        say(finding.checkText)
    }

    /// A line about damage.
    func say(_ text: String) {
        guard session.options.isJSON else { return printer.error(Text(escapedControl(text))) }
        var line = JSONLine(messageType: "error")
        line.add("message", text)
        printer.error(line.text)
    }

    /// Ends the stage that runs: its last count, and the advice that belongs to it.
    func finish() {
        let phase = state.withLock { state in
            defer { state.phase = nil }
            return state.phase
        }
        end(phase)
    }

    private func end(_ phase: CheckPhase?) {
        let ended = state.withLock { state in
            defer { state.counter = nil }
            return state
        }
        ended.counter?.finish()
        guard !session.options.isJSON else { return }
        if phase == .indexes {
            if ended.duplicates > 0 {
                printer.result("Duplicate packs are non-critical, you can run `restic repair index' to correct this.")
            }
            if ended.mixed > 0 {
                printer.result(
                    "Mixed packs with tree and data blobs are non-critical, you can run `restic prune` to correct this."
                )
            }
        }
        if phase == .packs, ended.orphans > 0, !ended.hasErrors {
            printer.normal(
                "\(ended.orphans) additional files were found in the repo, which likely contain duplicate data.\nThis is non-critical, you can run `restic prune` to correct this."
            )
        }
    }
}
