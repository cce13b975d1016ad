import Bytes
import Console
import HostSystem
import LabCommands
import Outcome
import ResticCommand
import Synchronization

/// Open files that a process has to be allowed: what a run and the libraries below it hold at a time, with room.
///
/// With fewer, libdispatch ends the process with a trap when it cannot look into /proc (Q-02).
private let openFilesMin: UInt64 = 64

/// Runs the command line on the pool and answers the exit status; `openFiles` is how many this process may have, 0 when that is not known.
///
/// The first SIGINT or SIGTERM cancels the root task, which gives its locks back and ends with 130; the second ends the process at
/// once (A-04). SIGHUP changes nothing: others send it to see whether the holder of a lock is alive.
func startHoldfast(_ arguments: [ByteString], _ environment: Environment, openFiles: UInt64) async -> Int32 {
    let facts = TerminalFacts.current(
        term: environment.value("TERM")?.display,
        noColor: environment.value("NO_COLOR")?.display
    )
    let screen = Screen(facts: facts)
    guard openFiles == 0 || openFiles >= openFilesMin else {
        screen.errorLine(
            "Fatal: this process may have \(openFiles) open files, and needs \(openFilesMin)\n  state: nothing was changed\n  next:  raise the limit: ulimit -n 1024, or LimitNOFILE= of a systemd unit"
        )
        return ExitStatus.failed.rawValue
    }
    let pool: WorkerPool
    do { pool = try WorkerPool() } catch {
        screen.errorLine("Fatal: no thread can be started: \(error.description)\n  next:  \(error.remedy)")
        return ExitStatus.failed.rawValue
    }
    let inbox = SignalInbox()
    let root = Task(executorPreference: pool) {
        await SignalInbox.$current.withValue(inbox) { await runCommandLine(arguments, environment, screen, pool) }
    }
    do {
        try Signals.install { signal in
            guard !inbox.post(signal), signal != .hangup else { return }
            if PasswordPrompt.isOpen {
                PasswordPrompt.restoreTerminal()
                Signals.exitInterrupted()
            }
            screen.errorRaw(
                Array("\rsignal \(signal == .interrupt ? "interrupt" : "terminated") received, cleaning up \n".utf8)
            )
            root.cancel()
        }
    } catch {
        screen.errorLine("signals cannot be handled: \(error.description)")
    }
    return await root.value
}

/// Decides by the program's name and first argument which command line this is.
private func runCommandLine(
    _ arguments: [ByteString],
    _ environment: Environment,
    _ screen: Screen,
    _ pool: WorkerPool
) async -> Int32 {
    func restic(_ arguments: some Sequence<ByteString>, calledAs name: String) async -> Int32 {
        let context = CommandContext(programName: name, environment: environment, screen: screen, pool: pool)
        return await runRestic(arguments: Array(arguments), context: context)
    }
    if let program = arguments.first, isRestic(program) {
        return await restic(arguments.dropFirst(), calledAs: "restic")
    }
    switch arguments.dropFirst().first {
    case "restic": return await restic(arguments.dropFirst(2), calledAs: "holdfast restic")
    case "version":
        screen.line("\(ProductVersion.program) (restic \(ProductVersion.restic) command line and repository format)")
        return ExitStatus.success.rawValue
    default:
        return await runLab(arguments: Array(arguments.dropFirst()))
    }
}
