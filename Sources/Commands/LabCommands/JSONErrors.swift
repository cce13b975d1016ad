import Console
import Outcome
import Strategy

/// How a verb that was asked for JSON says why it ends.
///
/// ```
/// {"message_type":"error","file":"holdfast.yaml","line":7,"column":20,"key":"media.usb.kind","message":"…","next":"…"}     output, one for each problem
/// {"message_type":"exit_error","code":1,"error":"E-DECLARATION","object":"holdfast.yaml","message":"…","state":"…","next":"…"}    error output, last
/// ```
/// `code` is the exit code, as restic has it; `error` the stable name of the failure.
struct JSONErrors {
    let screen: Screen

    /// Whether the arguments ask for JSON, looked at before they are understood: a usage error is one, too.
    static func areWanted(by arguments: [String]) -> Bool { arguments.prefix { $0 != "--" }.contains("--json") }

    func show(_ failure: any ReportableFailure, _ report: FailureReport) {
        let problems = (failure.cause as? StrategyProblems)?.problems ?? []
        for problem in problems { screen.line(Self.line(problem, isError: true)) }
        var line = JSONLine(messageType: "exit_error")
        line.add("code", report.exitStatus.rawValue)
        line.add("error", failure.codeName)
        line.add("object", failure.object)
        line.add("message", problems.isEmpty ? report.message : "\(counted(problems.count, "problem"))")
        line.add("state", report.state)
        line.add("next", report.next)
        screen.errorLine(line.text)
    }

    func show(_ message: String, _ status: ExitStatus) {
        var line = JSONLine(messageType: "exit_error")
        line.add("code", status.rawValue)
        line.add("message", message)
        screen.errorLine(line.text)
    }

    /// One problem of a declaration.
    static func line(_ problem: StrategyProblem, isError: Bool) -> Text {
        var line = JSONLine(messageType: isError ? "error" : "warning")
        line.add("file", problem.place.file)
        line.add("line", problem.place.line)
        line.add("column", problem.place.column)
        line.add("key", problem.key)
        line.add("message", problem.what)
        line.add("next", problem.next)
        return line.text
    }
}
