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
        let repository = try await openSecondary(other.options(basedOn: options))
        guard let polynomial = Polynomial(bits: repository.config.polynomial) else {
            throw CommandFailure.fatal("the secondary repository's chunker polynomial is invalid")
        }
        return polynomial
    }
}
