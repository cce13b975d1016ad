package import Outcome
import Bytes

/// The words an operator reads when a command fails (fault-plan 1.2).
///
/// ```
/// error[E-NOSPACE] backup pack 3f9a1c77: cannot be written: No space left on device (ENOSPC in write)
///   state: this run stored nothing visible
///   next:  free about 1.2 GiB
/// ```
package struct FailureReport: Sendable {
    package var code: String
    package var exitStatus: ExitStatus
    package var lines: [String]

    /// `fallbackState` and `fallbackNext` stand in where the failing layer could not know.
    package init(_ failure: any ReportableFailure, fallbackState: String = "", fallbackNext: String = "") {
        code = failure.codeName
        exitStatus = failure.exitStatus
        let object = failure.object.isEmpty ? "" : " " + escapedControl(failure.object)
        var first = "error[\(failure.codeName)] \(failure.operation)\(object): \(escapedControl(failure.what))"
        for cause in causes(of: failure) where !first.contains(cause) { first += ": \(cause)" }
        lines = [first]
        let state = failure.state.isEmpty ? fallbackState : failure.state
        let next = failure.next.isEmpty ? fallbackNext : failure.next
        if !state.isEmpty { lines.append("  state: \(escapedControl(state))") }
        if !next.isEmpty { lines.append("  next:  \(escapedControl(next))") }
    }

    /// All lines with breaks between them.
    package var text: String { lines.joined(separator: "\n") }
}

/// The chain of causes in words, outermost first.
private func causes(of failure: any ReportableFailure) -> [String] {
    var parts: [String] = []
    var cause = failure.cause
    var depth = 0
    while let current = cause, depth < 8 {
        if let inner = current as? any ReportableFailure {
            parts.append(inner.object.isEmpty ? inner.what : "\(inner.object) \(inner.what)")
            cause = inner.cause
        } else {
            parts.append("\(current)")
            cause = nil
        }
        depth += 1
    }
    return parts.map(escapedControl)
}

/// The text with control characters (but line breaks) escaped, so that a hostile name cannot drive the terminal (T5).
package func escapedControl(_ text: String) -> String {
    if text.utf8.allSatisfy({ ($0 >= 0x20 && $0 < 0x7f) || $0 == 0x0a }) { return text }
    var output = ""
    for scalar in text.unicodeScalars {
        switch scalar.properties.generalCategory {
        case .control where scalar != "\n", .format, .lineSeparator, .paragraphSeparator:
            output += "\\u{" + String(scalar.value, radix: 16) + "}"
        default: output.unicodeScalars.append(scalar)
        }
    }
    return output
}
