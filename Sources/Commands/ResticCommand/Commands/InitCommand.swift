import Bytes
import Chunking
import Console
import ObjectStorage
import Outcome
import ResticFormat
import ResticRepository

extension Session {
    /// `init`: creates a repository, on request with another's chunker polynomial.
    func runInit() async throws -> ExitStatus {
        guard words.isEmpty else {
            throw CommandFailure.fatal(
                "the init command expects no arguments, only options - please see `restic help init` for usage and flags"
            )
        }
        let version = try requestedVersion()
        let polynomial = try await copiedPolynomial()
        guard (1...2).contains(version) else {
            throw CommandFailure.fatal("Fatal: only repository versions between 1 and 2 are allowed")
        }
        let repository = try await create(version, polynomial)
        let location = RepositoryLocation.shown(options.repository ?? "")
        let id = repository.config.id.hex
        if options.isJSON {
            var line = JSONLine(messageType: "initialized")
            line.add("id", id)
            line.add("repository", location)
            printer.result(line.text)
            return .success
        }
        printer.normal("created restic repository \(id.prefix(10)) at \(printer.name(location))")
        if polynomial != nil { printer.normal(" with chunker parameters copied from secondary repository") }
        printer.normal("")
        printer.normal("Please note that knowledge of your password is required to access")
        printer.normal("the repository. Losing your password means that your data is")
        printer.normal("irrecoverably lost.")
        return .success
    }

    private func requestedVersion() throws(CommandFailure) -> UInt64 {
        let text = values.text("repository-version") ?? "stable"
        if ["latest", "stable", ""].contains(text.display) { return 2 }
        do { return try parseGoUInt(text, base: 10, bits: 32) } catch {
            throw .fatal("invalid repository version")
        }
    }

    private func create(_ version: UInt64, _ polynomial: Polynomial?) async throws -> Repository {
        let location: ByteString
        let store: any ObjectStorage
        do { (store, location) = try storage(options) } catch let failure as CommandFailure {
            // restic wraps the failure once more.
            throw failure.message.string.hasPrefix("Fatal: parsing")
                ? CommandFailure.fatal(
                    "Fatal: create repository at \(options.repository ?? "") failed: \(failure.message)"
                )
                : failure
        }
        let secret = try newPassword()
        var repositoryOptions = RepositoryOptions()
        repositoryOptions.compression = options.compression
        do {
            return try await Repository.create(
                store: store,
                version: Int(version),
                password: secret,
                polynomial: polynomial,
                environment: repositoryEnvironment,
                options: repositoryOptions
            )
        } catch let failure as RepositoryFailure where failure.code == .exists {
            let shown = quotedForDisplay(RepositoryLocation.shown(location))
            throw CommandFailure.fatal(
                "Fatal: create repository at \(shown) failed: \(failure.what)\n  state: \(failure.state)\n  next:  \(failure.next)"
            )
        }
    }

    /// Asks twice where a person answers.
    private func newPassword() throws -> Secret {
        let isAsked = password == nil && !options.password.isInsecureWithoutPassword
        let first = try readPassword(password, options.password, prompt: "enter password for new repository: ")
        guard isAsked, context.screen.facts.inputIsTerminal else { return first }
        let second = try readPassword(nil, options.password, prompt: "enter password again: ")
        let isSame = first.withBytes { left in
            second.withBytes { right in left.elementsEqual(right) }
        }
        guard isSame else { throw CommandFailure.fatal("Fatal: passwords do not match") }
        return first
    }

    // MARK: the other repository

    private func copiedPolynomial() async throws -> Polynomial? {
        let other = SecondaryRepository(values, context.environment)
        guard values.isOn("copy-chunker-params") else {
            guard !other.isNamed else {
                throw CommandFailure.fatal(
                    "Secondary repository must only be specified when copying the chunker parameters"
                )
            }
            return nil
        }
        let (otherOptions, prefix) = try other.options(basedOn: options)
        let found: Secret?
        do { found = try await otherOptions.password.resolve(context.environment) } catch let failure as CommandFailure
        {
            throw failure
        }
        let secret = try readPassword(
            found,
            otherOptions.password,
            prompt: "enter password for \(prefix) repository: "
        )
        let repository = try await openRepository(otherOptions, password: secret)
        guard let polynomial = Polynomial(bits: repository.config.polynomial) else {
            throw CommandFailure.fatal("the secondary repository's chunker polynomial is invalid")
        }
        return polynomial
    }
}

/// The options `--from-…` and their old forms `--…2`.
private struct SecondaryRepository {
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

    var isNamed: Bool {
        repository != nil || repositoryFile != nil || legacy.repository != nil || legacy.file != nil
    }

    /// The global options with the other repository in place of the first.
    func options(basedOn options: GlobalOptions) throws(CommandFailure) -> (options: GlobalOptions, prefix: String) {
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
            return (result, "source")
        }
        if legacy.repository != nil, legacy.file != nil {
            throw .fatal("Options --repo2 and --repository-file2 are mutually exclusive, please specify only one")
        }
        (result.repository, result.repositoryFile, result.keyHint) = (legacy.repository, legacy.file, legacy.keyHint)
        result.password = legacy.password
        return (result, "secondary")
    }
}
