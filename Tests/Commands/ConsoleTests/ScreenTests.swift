import Bytes
import Console
import Testing

@Suite struct ScreenTests {
    private func screen(isTerminal: Bool) -> (Screen, output: MemorySink, error: MemorySink) {
        let (output, error) = (MemorySink(), MemorySink())
        let facts = TerminalFacts(outputIsTerminal: isTerminal, canUpdateStatus: isTerminal)
        return (Screen(facts: facts, output: output, error: error, columns: { 40 }), output, error)
    }

    @Test func `a listing of many lines is written in few pieces`() {
        let (screen, output, _) = screen(isTerminal: false)
        for number in 0..<10_000 { screen.bulk("line \(number)") }
        screen.flush()
        #expect(output.writes.count <= 3)
        #expect(output.text.hasSuffix("line 9999\n"))
    }

    @Test func `a message pushes the listing before it out first`() {
        let (screen, output, error) = screen(isTerminal: false)
        screen.bulk("first")
        screen.errorLine("oops")
        #expect(output.text == "first\n")
        #expect(error.text == "oops\n")
    }

    @Test func `status is drawn in place on a terminal and cut to its width`() {
        let (screen, output, _) = screen(isTerminal: true)
        screen.setStatus(["[0:01] 50.00%", "/a/very/long/path/that/does/not/fit/into/forty/columns"])
        #expect(output.text == "[0:01] 50.00%\n/a/very/long/path/that/does/not/fit/in\r\u{1b}[1A")
        screen.line("message")
        #expect(output.text.contains("\r\u{1b}[Jmessage\n[0:01]"))
        screen.setStatus([])
        #expect(output.text.hasSuffix("\r\u{1b}[J"))
    }

    @Test func `status becomes lines in a pipe, each once`() {
        let (screen, output, _) = screen(isTerminal: false)
        screen.setStatus(["one"])
        screen.setStatus(["one"])
        screen.setStatus([])
        #expect(output.text == "one\n")
    }

    @Test func `G-08 a name cannot drive the terminal, and stays as it is in a pipe`() {
        let hostile = ByteString(Array("a\u{1b}[2Jb".utf8) + [0xff])
        #expect(screen(isTerminal: true).0.shown(hostile).display == #""a\x1b[2Jb\xff""#)
        #expect(screen(isTerminal: false).0.shown(hostile) == hostile)
        #expect(quotedForDisplay("ordinary näme 😀").display == "ordinary näme 😀")
        #expect(quotedForDisplay(ByteString("rtl\u{202e}txt")).display == #""rtl\u202etxt""#)
    }

    @Test func `output that nobody reads any more is dropped and remembered`() {
        struct Gone: ByteSink {
            func write(_ bytes: [UInt8]) -> Bool { false }
        }
        let screen = Screen(facts: TerminalFacts(), output: Gone(), error: MemorySink())
        #expect(!screen.isOutputGone)
        screen.line("x")
        #expect(screen.isOutputGone)
    }

    @Test func `quiet says nothing, normal little, verbose more; JSON only results`() {
        func said(_ verbosity: Verbosity, isJSON: Bool = false) -> String {
            let (screen, output, _) = screen(isTerminal: false)
            let printer = Printer(screen: screen, verbosity: verbosity, isJSON: isJSON)
            printer.result("r")
            printer.normal("n")
            printer.verbose("v")
            printer.detailed("d")
            printer.onTerminal("t")
            screen.flush()
            return output.text
        }
        #expect(said(.quiet) == "r\n")
        #expect(said(.normal) == "r\nn\n")
        #expect(said(.verbose) == "r\nn\nv\n")
        #expect(said(.detailed) == "r\nn\nv\nd\n")
        #expect(said(.detailed, isJSON: true) == "r\n")
    }
}
