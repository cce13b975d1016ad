import Bytes
import Console
import Outcome
import ResticRepository

/// The options `--from-…` and their old forms `--…2`.
struct SecondaryRepository {
    private var repository: ByteString?
    private var repositoryFile: ByteString?
    private var keyHint: ByteString?
    private var password: PasswordSource
    private var legacy: (repository: ByteString?, file: ByteString?, keyHint: ByteString?, password: PasswordSource)

    init(_ values: FlagValues, _ environment: Environment) {
        func text(_ flag: String, _ variable: String) -> ByteString? {
            let given = values.isSet(flag) ? values.text(flag) : environment.value(variable)
            return given.flatMap { $0.isEmpty ? nil : $0 }
        }
        repository = text("from-repo", "RESTIC_FROM_REPOSITORY")
        repositoryFile = text("from-repository-file", "RESTIC_FROM_REPOSITORY_FILE")
        keyHint = text("from-key-hint", "RESTIC_FROM_KEY_HINT")
        password = PasswordSource(
            file: text("from-password-file", "RESTIC_FROM_PASSWORD_FILE"),
            command: text("from-password-command", "RESTIC_FROM_PASSWORD_COMMAND"),
            variable: "RESTIC_FROM_PASSWORD",
            isInsecureWithoutPassword: values.isOn("from-insecure-no-password")
        )
        legacy = (
            text("repo2", "RESTIC_REPOSITORY2"), text("repository-file2", "RESTIC_REPOSITORY_FILE2"),
            text("key-hint2", "RESTIC_KEY_HINT2"),
            PasswordSource(
                file: text("password-file2", "RESTIC_PASSWORD_FILE2"),
                command: text("password-command2", "RESTIC_PASSWORD_COMMAND2"),
                variable: "RESTIC_PASSWORD2"
            )
        )
    }

    /// The other repository's options, what a prompt calls it, and whether the new forms named it.
    struct Chosen {
        var options: GlobalOptions
        var role: String
        var isSource: Bool
    }

    var isNamed: Bool {
        repository != nil || repositoryFile != nil || legacy.repository != nil || legacy.file != nil
    }

    /// The global options with the other repository in place of the first.
    ///
    /// `legacyRole` is what a prompt calls a repository that the old forms name.
    func options(basedOn options: GlobalOptions, legacyRole: String = "secondary") throws(CommandFailure) -> Chosen {
        guard isNamed else {
            throw .fatal("Please specify a source repository location (--from-repo or --from-repository-file)")
        }
        let hasFrom =
            repository != nil || repositoryFile != nil || password.file != nil || keyHint != nil
            || password.command != nil
            || password.isInsecureWithoutPassword
        let hasLegacy =
            legacy.repository != nil || legacy.file != nil || legacy.password.file != nil || legacy.keyHint != nil
            || legacy.password.command != nil
        if hasFrom, hasLegacy {
            throw .fatal("Option groups repo2 and from-repo are mutually exclusive, please specify only one")
        }
        var result = options
        if hasFrom {
            if repository != nil, repositoryFile != nil {
                throw .fatal(
                    "Options --from-repo and --from-repository-file are mutually exclusive, please specify only one"
                )
            }
            (result.repository, result.repositoryFile, result.keyHint) = (repository, repositoryFile, keyHint)
            result.password = password
            return Chosen(options: result, role: "source", isSource: true)
        }
        if legacy.repository != nil, legacy.file != nil {
            throw .fatal("Options --repo2 and --repository-file2 are mutually exclusive, please specify only one")
        }
        (result.repository, result.repositoryFile, result.keyHint) = (legacy.repository, legacy.file, legacy.keyHint)
        result.password = legacy.password
        return Chosen(options: result, role: legacyRole, isSource: false)
    }
}

extension Session {
    /// Opens the other repository, with its own password.
    func openSecondary(_ chosen: SecondaryRepository.Chosen) async throws -> Repository {
        try await openRepository(chosen.options, password: try await secondaryPassword(chosen))
    }

    /// The other repository's password: from its options, or asked for.
    func secondaryPassword(_ chosen: SecondaryRepository.Chosen) async throws -> Secret {
        let found = try await chosen.options.password.resolve(context.environment)
        return try readPassword(
            found,
            chosen.options.password,
            prompt: "enter password for \(chosen.role) repository: "
        )
    }
}
