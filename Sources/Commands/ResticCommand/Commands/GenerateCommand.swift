import Bytes
import Console
import HostSystem
import Outcome

extension Session {
    /// `generate`: writes manual pages and shell completion.
    func runGenerate() throws -> ExitStatus {
        guard words.isEmpty else {
            throw CommandFailure.fatal(
                "the generate command expects no arguments, only options - please see `restic help generate` for usage and flags"
            )
        }
        let directory = values.text("man").flatMap { $0.isEmpty ? nil : $0 }
        let targets = Shell.allCases.compactMap { shell -> (Shell, ByteString)? in
            values.text("\(shell.rawValue)-completion").flatMap { $0.isEmpty ? nil : (shell, $0) }
        }
        if let directory { try writeManPages(to: directory) }
        guard targets.filter({ $0.1 == "-" }).count <= 1 else {
            throw CommandFailure.fatal(
                "the generate command can generate shell completions to stdout for single shell only"
            )
        }
        for (shell, file) in targets {
            printer.onTerminal("writing \(shell.rawValue) completion file to \(printer.name(file))")
            if file == "-" {
                context.screen.raw(completionScript(shell).bytes)
            } else {
                try write(completionScript(shell), to: file)
            }
        }
        guard directory != nil || !targets.isEmpty else {
            throw CommandFailure.fatal("nothing to do, please specify at least one output file/dir")
        }
        return .success
    }

    private func writeManPages(to directory: ByteString) throws {
        printer.normal("writing man pages to directory \(printer.name(directory))")
        for page in manPages() {
            try write(page.text, to: ByteString(directory.bytes + [0x2f] + Array(page.fileName.utf8)))
        }
    }

    private func write(_ text: Text, to path: ByteString) throws {
        do throws(Errno) {
            let file = try openForOverwriting(path)
            try file.write(text.bytes)
            try file.close()
        } catch {
            throw CommandFailure("open \(quotedForDisplay(path)): \(goMessage(error))")
        }
    }
}
