/// What the operator declared in `holdfast.yaml`, checked: every name that is used exists, every path is absolute.
///
/// Values only: reading the file, opening a medium or a password belongs to the callers.
package struct Lab: Sendable, Hashable {
    package var name: String
    package var media: [Medium]
    package var repositories: [RepositoryDeclaration]
    package var protections: [HostProtection]

    /// The medium of that name; nil only for a name that did not come out of this value.
    package func medium(named name: String) -> Medium? { media.first { $0.name == name } }

    /// The repository of that name; nil only for a name that did not come out of this value.
    package func repository(named name: String) -> RepositoryDeclaration? { repositories.first { $0.name == name } }

    /// The folder that holds a repository: one below its medium, named as the repository is.
    package func path(of repository: RepositoryDeclaration) -> String? {
        medium(named: repository.medium).map { "\($0.path)/\(repository.name)" }
    }

    /// Repositories on media of that kind, in the order of the file.
    package func repositories(on kind: MediumKind) -> [RepositoryDeclaration] {
        repositories.filter { medium(named: $0.medium)?.kind == kind }
    }
}

/// Where copies live, as far as it matters to the strategy.
package enum MediumKind: String, Sendable, Hashable, CaseIterable {
    case `internal`
    case removable
    case offsite
    /// Plays the cloud in a rehearsal; a stand-in never counts as an off-site copy.
    case standIn = "stand-in"
}

/// A place for repositories: a folder on a disk.
package struct Medium: Sendable, Hashable {
    package var name: String
    package var kind: MediumKind
    /// Absolute; a relative path in the file counts from the folder of the file.
    package var path: String
    /// Line of `holdfast.yaml`, from 1.
    package var line: Int
}

/// A repository in restic's format on one medium.
package struct RepositoryDeclaration: Sendable, Hashable {
    package var name: String
    package var medium: String
    package var password: SecretReference
    /// Line of `holdfast.yaml`, from 1.
    package var line: Int
}

/// Where a secret is found; the secret itself never stands in the file.
package enum SecretReference: Sendable, Hashable {
    /// `file:PATH`, absolute after reading: the first line of that file.
    case file(String)
    /// `env:NAME`: the value of an environment variable.
    case environment(String)

    /// As it is written in the file.
    package var text: String {
        switch self {
        case .file(let path): "file:\(path)"
        case .environment(let name): "env:\(name)"
        }
    }
}

/// Folders of this machine and the repositories that keep them.
package struct HostProtection: Sendable, Hashable {
    /// Absolute, at least one.
    package var paths: [String]
    /// Patterns in restic's filter language.
    package var exclude: [String]
    /// Names of repositories, at least one, each once.
    package var repositories: [String]
    /// Line of `holdfast.yaml`, from 1.
    package var line: Int
}
