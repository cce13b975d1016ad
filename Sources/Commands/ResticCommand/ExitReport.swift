import Bytes
import Console
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import ResticRepository

/// How a command that failed ends: its status, and the words that go to standard error.
///
/// Where restic has a sentence that scripts look for, it comes first; then code, object, cause, state and next step (fault-plan 1.2).
struct ExitReport {
    var status: ExitStatus
    var message: Text

    init(_ error: any Error) {
        switch error {
        case let unsaved as UnsavedSnapshot:
            let inner = ExitReport(unsaved.cause)
            let words = inner.message.string
            let rest = words.hasPrefix("Fatal: ") ? String(words.dropFirst("Fatal: ".utf8.count)) : words
            status = inner.status
            message = Text("Fatal: unable to save snapshot: \(rest)")
        case let unfinished as UnfinishedRewrite:
            let inner = ExitReport(unfinished.cause)
            let words = inner.message.string
            let isOurs = unfinished.cause is any ReportableFailure && words.hasPrefix("Fatal: ")
            let rest = isOurs ? String(words.dropFirst("Fatal: ".utf8.count)) : words
            status = inner.status
            message = Text("Fatal: unable to rewrite snapshot ID \"\(unfinished.snapshot.short)\": \(rest)")
        case let failure as CommandFailure:
            status = failure.status
            message = failure.message
        case is OutputGone:
            status = .failed
            message = ""
        case is CancellationError:
            status = .interrupted
            message =
                "Fatal: context canceled\n  state: nothing incomplete is visible in the repository, and our lock is gone\n  next:  run the command again; what was stored already is not stored twice"
        case let failure as any ReportableFailure:
            status = failure.exitStatus
            message = Text(
                Self.sentence(failure) + FailureReport(failure, fallbackNext: Self.fallbackNext(failure)).text
            )
        case let failure as SelfTestFailure:
            status = .failed
            message =
                """
                Fatal: \(failure.description)
                  state: nothing was read or written
                  next:  this build or this machine computes wrongly; test the memory, install the program anew
                """
        case let failure as FormatError:
            status = .failed
            message =
                """
                Fatal: the object is damaged: \(escapedControl("\(failure)"))
                  next:  run `check` to see what it affects
                """
        case let error as Errno:
            status = .failed
            message = "Fatal: \(error.description)\n  next:  \(error.remedy)"
        default:
            status = .failed
            message = "Fatal: \(escapedControl(String(describing: error)))"
        }
    }

    /// What restic says, with a line break behind it where our own words follow.
    private static func sentence(_ failure: any ReportableFailure) -> String {
        switch failure.exitStatus {
        case .noRepository:
            "Fatal: repository does not exist: unable to open config file\nIs there a repository at the following location?\n\(escapedControl(failure.object))\n"
        case .wrongPassword: "Fatal: wrong password or no key found\n"
        case .locked: "unable to create lock in backend: \(escapedControl(failure.what))\n"
        default: "Fatal: "
        }
    }

    private static func fallbackNext(_ failure: any ReportableFailure) -> String {
        switch failure.retry {
        case .later: "try again later"
        case .afterRepair: "run `check` to see what is damaged"
        case .never: ""
        }
    }

    /// Prints the message, as JSON in one line where that is asked for.
    func print(on screen: Screen, isJSON: Bool) {
        guard !message.isEmpty else { return }
        guard isJSON else { return screen.errorLine(message + "\n") }
        var line = JSONLine(messageType: "exit_error")
        line.add("code", status.rawValue)
        line.add("message", message)
        screen.errorLine(line.text)
    }
}

/// The words of an error inside a line of ours: what is wrong, without code, state and next step.
func causeText(_ error: any Error) -> Text {
    switch error {
    case let failure as CommandFailure: return failure.message
    case let failure as any ReportableFailure:
        var text = failure.what
        if let failure = failure as? RepositoryFailure, failure.code == .damaged || failure.code == .missing {
            text = "\(failure.object): \(failure.what)"
        }
        if let failure = failure as? StorageFailure { text = "\(failure.object): \(failure.what)" }
        return Text(escapedControl(text))
    case let error as Errno: return Text(goMessage(error))
    case is CancellationError: return "context canceled"
    default: return Text(escapedControl(String(describing: error)))
    }
}
