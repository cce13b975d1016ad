import ArgumentParser
import Bytes
import Console
import Daemon
import HostSystem
import Outcome
import Protection
import ResticRepository

/// The verb `holdfast serve`.
struct ServeVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast serve --config /etc/holdfast/holdfast.yaml", "systemctl enable --now holdfast"]

    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "The daemon: runs what is due until it is told to stop.",
        discussion: """
            What became due while it was down runs once. SIGTERM lets the running run end, for 75 seconds at most; SIGHUP reads the \
            declaration anew, and keeps the old one when the new one is broken. It tells systemd that it is ready and alive.

            Ends in 0 after SIGTERM or SIGINT; 11 when another daemon serves this lab.
            """
    )

    @OptionGroup var options: LabOptions

    func perform(on screen: Screen) async throws -> Int32 {
        let first = try LabSession(options, screen: screen).withinBudget()
        let printer = first.printer
        let log: @Sendable (String) -> Void = { text in
            guard printer.isJSON else { return printer.normal(Text(escapedControl(text))) }
            var line = JSONLine(messageType: "daemon")
            line.add("message", text)
            printer.result(line.text)
        }
        // One journal for the life of the daemon: a reload keeps it.
        let journal = await first.recording().environment.journal
        let options = options
        let daemon = LabDaemon(observer: first.reporter, log: log) {
            var environment = try LabSession(options, screen: screen).withinBudget().environment
            environment.journal = journal
            return environment
        }
        let signals = (SignalInbox.current ?? SignalInbox()).signals()
        try await onPool(first.environment.repository.pool) { try await daemon.run(signals) }
        return ExitStatus.success.rawValue
    }
}
