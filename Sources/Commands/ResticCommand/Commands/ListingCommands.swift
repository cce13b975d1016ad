import Bytes
import Console
import Outcome

extension Session {
    /// `options`: the extended options that `--option` takes.
    func runOptions() -> ExitStatus {
        printer.result("All Extended Options:")
        let width = KnownOptions.all.map(\.name.utf8.count).max() ?? 0
        for option in KnownOptions.all { printer.result("  \(padRight(option.name, width))  \(option.text)") }
        return .success
    }

    /// `features`: the flags that `RESTIC_FEATURES` takes.
    func runFeatures() throws -> ExitStatus {
        guard words.isEmpty else { throw CommandFailure.fatal("the feature command expects no arguments") }
        printer.result("All Feature Flags:\n")
        var table = Table(["Name", "Type", "Default", "Description"])
        for flag in FeatureFlags.known {
            table.add([
                [Text(bytes: flag.name.bytes)], [Text(flag.maturity.rawValue)],
                [flag.maturity == .alpha ? "false" : "true"], [Text(flag.text)],
            ])
        }
        for line in table.lines() { printer.result(line) }
        return .success
    }
}
