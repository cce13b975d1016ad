import ArgumentParser
import Bytes
import Console
import HostSystem
import Outcome
import Protection
import SecretStore
import Strategy

/// The verb `holdfast secret`.
struct SecretVerb: ParsableCommand, ExampledCommand {
    static let examples = ["holdfast secret check", "holdfast secret fetch"]

    static let configuration = CommandConfiguration(
        commandName: "secret",
        abstract: "Looks at the secrets that holdfast.yaml refers to, and fetches those of the vault.",
        subcommands: [SecretCheckVerb.self, SecretFetchVerb.self]
    )
}

/// The verb `holdfast secret check`.
struct SecretCheckVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast secret check", "holdfast secret check --json"]

    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Says of each reference whether it gives a secret, and from where; never the secret.",
        discussion: """
            Nothing is changed but the sealed copy of the vault, which is renewed where the vault is asked. Ends in 0 when each reference gives \
            something; 1 when one does not.
            """
    )

    @OptionGroup var declaration: DeclarationOptions

    @Flag(help: "One JSON object per line.")
    var json = false

    func perform(on screen: Screen) async throws -> Int32 {
        let lab = try declaration.read()
        let secrets = try LabSecrets(lab)
        return try await SecretReport(screen: screen, isJSON: json).run(lab.secretReferences, secrets.resolver) { _ in
            nil
        }
    }
}

/// The verb `holdfast secret fetch`.
struct SecretFetchVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast secret fetch"]

    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Asks the vault for all that is referred to, and renews its sealed copy.",
        discussion: """
            Where no place of the master password is declared, it is asked for on the terminal, and kept nowhere. Ends in 0 when the vault \
            itself gave each of them; 1 when it did not.
            """
    )

    @OptionGroup var declaration: DeclarationOptions

    @Flag(help: "One JSON object per line.")
    var json = false

    func perform(on screen: Screen) async throws -> Int32 {
        let lab = try declaration.read()
        let ask: VaultSecrets.Question = { @Sendable prompt in
            do throws(Errno) {
                return try PasswordPrompt.read(prompt, screen: screen)
            } catch {
                throw ProtectionFailure(
                    .secret,
                    operation: "read password",
                    object: "master password",
                    what: "cannot be read: \(error)",
                    state: "nothing was changed",
                    next: error.remedy
                )
            }
        }
        let references = lab.secretReferences.filter { if case .vault = $0.reference { true } else { false } }
        guard !references.isEmpty else {
            screen.errorLine("no reference looks into a vault; nothing was fetched")
            return ExitStatus.success.rawValue
        }
        let secrets = try LabSecrets(lab, ask: ask)
        return try await SecretReport(screen: screen, isJSON: json).run(references, secrets.resolver) { found in
            // What the sealed copy gave was not fetched.
            found.source == .vault ? nil : "the vault did not give it now"
        }
    }
}

/// What is said of references, line by line.
private struct SecretReport {
    let screen: Screen
    let isJSON: Bool

    /// Resolves all and says what came of each; `doubt` may find fault with what came.
    func run(
        _ references: [(key: String, reference: SecretReference)],
        _ resolver: SecretResolver,
        doubt: (SecretCheck.Found) -> String?
    ) async throws -> Int32 {
        // Tags are for records, which are not kept yet; under a key of this moment they say nothing.
        let tagKey = Secret(SystemEntropy().bytes(32))
        var failed = 0
        for (key, reference) in references {
            for check in try await resolver.check([reference], tagKey: tagKey) {
                switch check.result {
                case .success(let found):
                    let problem = doubt(found)
                    if problem != nil { failed += 1 }
                    say(key, found, reference, problem)
                case .failure(let failure):
                    failed += 1
                    say(key, failure, reference)
                }
            }
        }
        if !isJSON {
            let given = references.count - failed
            let counts = "of \(references.count) references \(given) gave a secret, \(failed) did not"
            screen.line(Text(counts))
        }
        return (failed == 0 ? ExitStatus.success : .failed).rawValue
    }

    private func say(_ key: String, _ found: SecretCheck.Found, _ reference: SecretReference, _ problem: String?) {
        guard isJSON else {
            let age = found.ageSeconds.map { ", \(ageText(seconds: $0)) old" } ?? ""
            let state = problem.map { "failed (\($0))" } ?? "ok"
            screen.line(
                Text("\(key): \(reference.text): \(state), \(found.byteCount) bytes from \(found.source)\(age)")
            )
            for finding in found.findings {
                screen.errorLine(Text("warning: \(finding.object): \(finding.what); \(finding.next)"))
            }
            return
        }
        var line = JSONLine(messageType: "secret")
        line.add("key", key)
        line.add("reference", reference.text)
        line.add("ok", problem == nil)
        line.add("source", "\(found.source)")
        line.add("bytes", found.byteCount)
        if let age = found.ageSeconds { line.add("age_seconds", Int(age)) }
        let words = [problem].compactMap { $0 } + found.findings.map(\.what)
        if !words.isEmpty { line.add("message", words.joined(separator: "; ")) }
        screen.line(line.text)
    }

    private func say(_ key: String, _ failure: SecretFailure, _ reference: SecretReference) {
        guard isJSON else {
            screen.line(Text("\(key): \(reference.text): failed"))
            let report = FailureReport(failure, fallbackState: "nothing was changed", fallbackNext: "mend the cause")
            screen.errorLine(Text(report.text))
            return
        }
        var line = JSONLine(messageType: "secret")
        line.add("key", key)
        line.add("reference", reference.text)
        line.add("ok", false)
        line.add("code", failure.codeName)
        line.add("object", failure.object)
        line.add("message", failure.what)
        line.add("next", failure.next)
        screen.line(line.text)
    }
}
