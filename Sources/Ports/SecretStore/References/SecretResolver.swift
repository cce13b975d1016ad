package import Bytes
import HostSystem
import Outcome
package import Strategy

/// Turns references into secrets, at the time of use and never before.
///
/// 1. No secret enters a message; what a command writes to its standard error is cut, and dropped where it repeats the secret.
/// 2. A reference that gives nothing is a failure that names it; no other reference is tried in its place.
/// 3. Everything has a bound (`SecretLimits`).
///
/// **Isolation**: reading blocks its thread; call it on a `WorkerPool`.
package struct SecretResolver: Sendable {
    private let time: any TimeSource
    private let variable: @Sendable (String) -> ByteString?
    private let commandNanoseconds: UInt64
    private let vault: VaultSecrets?

    /// Reads from this machine, and from `vault` where one is declared.
    ///
    /// `variable` reads the environment, `commandNanoseconds` bounds a command; both are for tests.
    package init(
        vault: VaultSecrets? = nil,
        time: any TimeSource = SystemTime(),
        variable: @escaping @Sendable (String) -> ByteString? = { environmentVariable($0) },
        commandNanoseconds: UInt64 = SecretLimits.commandNanoseconds
    ) {
        self.time = time
        self.variable = variable
        self.commandNanoseconds = commandNanoseconds
        self.vault = vault
    }

    /// The secret behind the reference.
    ///
    /// **Errors**: `SecretFailure`; `CancellationError`.
    package func resolve(_ reference: SecretReference) async throws -> ResolvedSecret {
        if let found = try await resolveIfPresent(reference) { return found }
        throw SecretFailure(
            .unreadable,
            reference,
            "the file is not there",
            next: "write the secret into it, or mount what holds it"
        )
    }

    /// As `resolve`, but nil when a file does not exist, which for a new repository means that it has no password yet.
    package func resolveIfPresent(_ reference: SecretReference) async throws -> ResolvedSecret? {
        switch reference {
        case .file(let path): try readFile(path, reference)
        case .environment(let name): try readVariable(name, reference)
        case .command(let line): try await runCommand(line, reference)
        case .credential(let name): try readCredential(name, reference)
        case .vault(let place): try await readVault(place, reference)
        }
    }

    private func readVault(
        _ place: SecretReference.VaultField,
        _ reference: SecretReference
    ) async throws -> ResolvedSecret {
        guard let vault else {
            throw SecretFailure(
                .unreadable,
                reference,
                "no vault is known here",
                next: "name the secret by \"file:\", \"env:\", \"command:\" or \"credential:\""
            )
        }
        return try await vault.resolve(place)
    }

    // MARK: files

    private func readFile(_ path: String, _ reference: SecretReference) throws -> ResolvedSecret? {
        let status: FileStatus
        let bytes: [UInt8]
        do throws(Errno) {
            status = try HostSystem.status(at: ByteString(path), followLinks: true)
            // A pipe would block, a device would never end.
            bytes =
                status.kind == .regular
                ? try HostSystem.readFile(ByteString(path), limit: SecretLimits.secretBytes) : []
        } catch {
            if error.kind == .missing { return nil }
            throw unreadable(reference, error)
        }
        guard status.kind == .regular else {
            throw SecretFailure(.unreadable, reference, "is not a regular file", next: "name the file itself")
        }
        return resolved(reference, try firstLine(bytes, reference), .file, findings: exposure(of: status, reference))
    }

    /// A secret that other users of the machine can read is told, and the run goes on: a backup that is not made is worse.
    ///
    /// Docker mounts its secrets in `/run/secrets` with mode 0444, for the container alone: there it is as it has to be.
    private func exposure(of status: FileStatus, _ reference: SecretReference) -> [Finding] {
        let user = effectiveUser
        var findings: [Finding] = []
        let isDockers = if case .file(let path) = reference { path.hasPrefix("/run/secrets/") } else { false }
        if status.permissions & (isDockers ? 0o033 : 0o077) != 0 {
            findings.append(
                Finding(
                    .warning,
                    "secret-readable",
                    object: reference.text,
                    what: "can be read by others: mode \(String(status.permissions, radix: 8))",
                    next: "chmod 600 it"
                )
            )
        }
        if status.uid != user, status.uid != 0 {
            findings.append(
                Finding(
                    .warning,
                    "secret-owner",
                    object: reference.text,
                    what: "belongs to user \(status.uid), who can change it",
                    next: "chown it to the user that holdfast runs as"
                )
            )
        }
        return findings
    }

    private func readCredential(_ name: String, _ reference: SecretReference) throws -> ResolvedSecret? {
        guard let folder = variable("CREDENTIALS_DIRECTORY"), !folder.isEmpty else {
            throw SecretFailure(
                .unreadable,
                reference,
                "systemd handed over no credentials: CREDENTIALS_DIRECTORY is not set",
                next:
                    "start holdfast as a service with LoadCredentialEncrypted=\(name), or use another reference by hand"
            )
        }
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try HostSystem.readAll(
                try Directory.open(folder).openFile(ByteString(name)),
                limit: SecretLimits.secretBytes
            )
        } catch {
            guard error.kind == .missing else { throw unreadable(reference, error) }
            throw SecretFailure(
                .unreadable,
                reference,
                "systemd handed over no credential of that name",
                next: "add LoadCredentialEncrypted=\(name) to the service"
            )
        }
        return resolved(reference, try firstLine(bytes, reference), .credential)
    }

    private func unreadable(_ reference: SecretReference, _ error: Errno) -> SecretFailure {
        guard error.kind == .fileTooLarge else {
            return SecretFailure(.unreadable, reference, "cannot be read: \(error)", next: error.remedy)
        }
        return SecretFailure(
            .unreadable,
            reference,
            "has more than \(SecretLimits.secretBytes >> 10) KiB, which is no secret",
            next: "name the right file"
        )
    }

    // MARK: environment

    private func readVariable(_ name: String, _ reference: SecretReference) throws -> ResolvedSecret {
        guard let value = variable(name), !value.isEmpty else {
            throw SecretFailure(.unreadable, reference, "the variable is not set", next: "set \(name) and run again")
        }
        guard value.count <= SecretLimits.secretBytes else {
            throw SecretFailure(.unreadable, reference, "is too long for a secret", next: "set \(name) to the secret")
        }
        return resolved(reference, Secret(value.bytes), .environment)
    }

    // MARK: commands

    private func runCommand(
        _ line: SecretReference.CommandLine,
        _ reference: SecretReference
    ) async throws -> ResolvedSecret {
        var command = Command(line.words.map { ByteString($0) })
        command.hasOwnGroup = true
        let result: CommandResult
        do {
            result = try await run(
                command,
                outputLimit: SecretLimits.secretBytes,
                errorLimit: SecretLimits.complaintBytes,
                timeoutNanoseconds: commandNanoseconds
            )
        } catch let error as Errno {
            throw SecretFailure(.unreadable, reference, "the command cannot be started: \(error)", next: error.remedy)
        }
        guard result.ending.isSuccess else {
            let complaint = complaint(of: result).map { "; it said: \($0)" } ?? ""
            throw SecretFailure(
                .unreadable,
                reference,
                "the command ended with \(result.ending)\(complaint)",
                next: "run the command by hand as the user that holdfast runs as; it sees few environment variables"
            )
        }
        guard !result.isCut || result.output.count < SecretLimits.secretBytes else {
            throw SecretFailure(
                .unreadable,
                reference,
                "the command writes more than \(SecretLimits.secretBytes >> 10) KiB, which is no secret",
                next: "name a command that writes the secret alone"
            )
        }
        return resolved(reference, try firstLine(result.output, reference), .command)
    }

    /// The first line of its standard error, unless that repeats something of its standard output.
    private func complaint(of result: CommandResult) -> String? {
        let line = ByteString(Array(result.errorOutput.prefix { $0 != 0x0a })).display
        let isTelling = result.output.split(separator: 0x0a).contains { secret in
            line.contains(ByteString(Array(secret)).display)
        }
        return line.isEmpty || isTelling ? nil : String(line.prefix(SecretLimits.complaintShown))
    }

    // MARK: all

    private func firstLine(_ bytes: [UInt8], _ reference: SecretReference) throws -> Secret {
        let line = bytes.prefix { $0 != 0x0a && $0 != 0x0d }
        guard !line.isEmpty else {
            throw SecretFailure(.unreadable, reference, "its first line is empty", next: "put the secret there")
        }
        return Secret(line)
    }

    private func resolved(
        _ reference: SecretReference,
        _ secret: Secret,
        _ source: ResolvedSecret.Source,
        findings: [Finding] = []
    ) -> ResolvedSecret {
        ResolvedSecret(reference, secret, from: source, at: time.now(), findings: findings)
    }
}
