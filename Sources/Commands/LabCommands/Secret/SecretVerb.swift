import ArgumentParser
import Console
import HostSystem
import Outcome
import Protection
import SecretStore
import Strategy
import Synchronization

/// The verb `holdfast secret`.
struct SecretVerb: ParsableCommand, ExampledCommand {
    static let examples = ["holdfast secret check", "holdfast secret rotate host-os"]

    static let configuration = CommandConfiguration(
        commandName: "secret",
        abstract: "Looks at the secrets that holdfast.yaml refers to, fetches those of the vault, makes new ones.",
        subcommands: [SecretCheckVerb.self, SecretFetchVerb.self, SecretRotateVerb.self]
    )
}

/// The verb `holdfast secret check`.
struct SecretCheckVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast secret check", "holdfast secret check --json"]

    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract:
            "Says of each reference whether it gives a secret, from where, and whether it opens its repository; never the secret.",
        discussion: """
            Each password is tried on its repository where that is here, and the time is remembered. Nothing else is changed but the sealed copy of \
            the vault, which is renewed where the vault is asked. Ends in 0 when each reference gives something, and each that was tried opens its \
            repository; 12 when a password does not; 1 when a reference gives nothing, others can read or change its file, or a repository cannot be \
            opened at all.
            """
    )

    @OptionGroup var options: LabOptions

    func perform(on screen: Screen) async throws -> Int32 {
        let session = try await LabSession(options, screen: screen).recording()
        let page = SecretPage(printer: session.printer, environment: session.environment)
        let inspection = SecretInspection(session.environment)
        return try await session.onPool {
            var counts = SecretPage.Counts()
            try await inspection.run { counts.add(page.show($0)) }
            return page.end(counts)
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
        let references = lab.runReferences.filter { if case .vault = $0.reference { true } else { false } }
        guard !references.isEmpty else {
            screen.errorLine("no reference looks into a vault; nothing was fetched")
            return ExitStatus.success.rawValue
        }
        let secrets = try LabSecrets(lab, ask: masterPasswordQuestion(screen))
        let page = SecretPage(printer: Printer(screen: screen, verbosity: .normal, isJSON: json), environment: nil)
        var counts = SecretPage.Counts()
        for (key, reference) in references {
            let entry: InspectedSecret
            do {
                let found = try await secrets.resolver.resolve(reference)
                entry = InspectedSecret(key: key, reference: reference, found: .success(found))
            } catch let failure as SecretFailure {
                entry = InspectedSecret(key: key, reference: reference, found: .failure(failure))
            }
            // What the sealed copy gave was not fetched.
            counts.add(page.show(entry, mustBeFresh: true))
        }
        return page.end(counts)
    }
}

/// Asks for the vault's master password on the terminal, once for all that asks it.
func masterPasswordQuestion(_ screen: Screen) -> VaultSecrets.Question {
    let typed = TypedOnce()
    return { @Sendable prompt in
        if let known = typed.secret { return known }
        do throws(Errno) {
            let answer = try PasswordPrompt.read(prompt, screen: screen)
            typed.keep(answer)
            return answer
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
}

/// What a person typed, for the rest of the command.
private final class TypedOnce: Sendable {
    private let held = Mutex<Secret?>(nil)

    var secret: Secret? { held.withLock { $0 } }
    func keep(_ secret: Secret) { held.withLock { $0 = secret } }
}
