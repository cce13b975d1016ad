import Bytes
package import Outcome
package import SecretStore
package import Strategy

/// One reference of the declaration, resolved, and tried where it can be.
package struct InspectedSecret: Sendable {
    /// What came of trying a password on its repository.
    package enum Trial: Sendable {
        /// It opens it, just now.
        case opened
        /// The repository is not here, with the reason.
        case away(String)
        /// It does not open it, or the repository cannot be opened by anybody.
        case failed(any ReportableFailure)
    }

    /// Where the reference stands: `repositories.host-os.password`.
    package var key: String
    package var reference: SecretReference
    package var found: Result<ResolvedSecret, SecretFailure>
    /// The repository that it should open; nil for secrets of another kind.
    package var repository: String?
    /// Nil where there is nothing to try, or nothing to try it with.
    package var trial: Trial?
    /// When it last opened its repository, before this look.
    package var proof: PasswordProof?

    package init(key: String, reference: SecretReference, found: Result<ResolvedSecret, SecretFailure>) {
        self.key = key
        self.reference = reference
        self.found = found
    }
}

/// Resolves every reference of the declaration, and tries each password on its repository where that is here.
///
/// Nothing is written but the time of a proof, and the sealed copy where the vault is asked. Media that runs mount are mounted for the look.
/// Each reference is resolved once, however often it is named: a `command:` may ask a person, or unlock something. Cost: one scrypt for each
/// password that is tried.
package struct SecretInspection: Sendable {
    /// What came of a reference.
    private typealias Found = Result<ResolvedSecret, SecretFailure>

    private let environment: ProtectionEnvironment

    package init(_ environment: ProtectionEnvironment) { self.environment = environment }

    /// Says each as it is known, in the order of the file.
    ///
    /// Errors: cancellation.
    package func run(_ say: (InspectedSecret) -> Void) async throws {
        let media = environment.lab.repositories.map(\.medium)
        try await environment.withMounted(media) { try await SecretInspection($0).inspectAll(say) }
    }

    private func inspectAll(_ say: (InspectedSecret) -> Void) async throws {
        var known: [SecretReference: Found] = [:]
        for (key, reference) in environment.lab.runReferences {
            let found: Found
            if let before = known[reference] { found = before } else { found = try await resolve(reference) }
            known[reference] = found
            let store = environment.stores.first { "repositories.\($0.name).password" == key }
            say(try await inspect(InspectedSecret(key: key, reference: reference, found: found), store))
        }
    }

    private func resolve(_ reference: SecretReference) async throws -> Found {
        do {
            return .success(try await environment.secrets.resolver.resolve(reference))
        } catch let failure as SecretFailure {
            return .failure(failure)
        }
    }

    private func inspect(_ resolved: InspectedSecret, _ store: LabStore?) async throws -> InspectedSecret {
        var inspected = resolved
        guard let store else { return inspected }
        inspected.repository = store.name
        inspected.proof = await environment.proof(of: resolved.reference, opening: store.name)
        guard case .success(let found) = inspected.found else { return inspected }
        inspected.trial = try await trial(of: found, on: store)
        return inspected
    }

    private func trial(of found: ResolvedSecret, on store: LabStore) async throws -> InspectedSecret.Trial {
        do {
            _ = try await store.open(.proof, with: found)
            return .opened
        } catch let failure as ProtectionFailure
            where [.mediumMissing, .mediumUnmounted, .mediumForeign].contains(failure.code)
        {
            let isMedium = failure.operation != "open repository"
            return .away(isMedium ? "\(failure.object) \(failure.what)" : "no repository is there")
        } catch {
            return .failed(try reportable(error, operation: "open", object: store.name))
        }
    }
}
