import Outcome
import SecretStore
import Strategy

/// Password files that are there before `init` makes a repository with them.
struct PasswordsInPlace {
    private let lab: Lab

    init(_ lab: Lab) { self.lab = lab }

    /// Their paths; one that holds nothing, or that others can read or change, is refused before anything is made.
    ///
    /// Errors: `E-SECRET`. Isolation: reading blocks its thread.
    func files() async throws -> [String] {
        var files: [String] = []
        for repository in lab.repositories {
            guard case .file(let path) = repository.password, !files.contains(path),
                let found = try await SecretResolver().resolveIfPresent(repository.password)
            else { continue }
            if let finding = found.findings.first {
                throw SecretFailure(
                    .unreadable,
                    operation: "init",
                    object: finding.object,
                    what: "\(finding.what): a repository that is made with it would be open to them",
                    state: "nothing was changed",
                    next: "\(finding.next), if nobody has seen it; or move it away, and a new one is made"
                )
            }
            files.append(path)
        }
        return files
    }
}
