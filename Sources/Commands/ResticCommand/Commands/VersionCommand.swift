import Console
import Outcome

extension Session {
    /// `version`: the line that scripts look at.
    func runVersion() -> ExitStatus {
        let (compiler, architecture) = (ProductVersion.compiler, ProductVersion.architecture)
        guard options.isJSON else {
            printer.result(
                "restic \(ProductVersion.restic) compiled with \(compiler) on linux/\(architecture) (\(ProductVersion.program))"
            )
            return .success
        }
        var line = JSONLine(messageType: "version")
        line.add("version", ProductVersion.restic)
        line.add("go_version", compiler)
        line.add("go_os", "linux")
        line.add("go_arch", architecture)
        printer.result(line.text)
        return .success
    }
}
