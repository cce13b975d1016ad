import Bytes
import Console
import Outcome
import Testing

@Suite struct TableTests {
    @Test func `columns are as wide as their widest cell, and lines end without blanks`() {
        var table = Table(["ID", "Host      ", "Paths"])
        table.isSpaced = true
        table.add([["1"], ["vm"], ["/a", "/b/long"]])
        table.add([["2"], ["日本"], ["/c"]])
        table.addFooter("2 rows")
        #expect(
            table.lines().map(\.string) == [
                "ID  Host        Paths", "-----------------------", "1   vm          /a", "                /b/long", "",
                "2   日本        /c", "-----------------------", "2 rows",
            ]
        )
    }

    @Test func `a failure is told in three lines with its code, state and next step`() {
        enum Code: String, FailureCode {
            case noSpace = "E-NOSPACE"
            var exitStatus: Outcome.ExitStatus { .failed }
        }
        struct Cause: Error, CustomStringConvertible {
            var description: String { "No space left on device (ENOSPC in write)" }
        }
        let failure = Failure<Code>(
            .noSpace,
            operation: "backup",
            object: "pack \u{1b}[2J",
            what: "cannot be written",
            next: "free about 1.2 GiB",
            cause: Cause()
        )
        let report = FailureReport(failure, fallbackState: "nothing visible was stored")
        #expect(
            report.lines == [
                #"error[E-NOSPACE] backup pack \u{1b}[2J: cannot be written: No space left on device (ENOSPC in write)"#,
                "  state: nothing visible was stored", "  next:  free about 1.2 GiB",
            ]
        )
    }
}
