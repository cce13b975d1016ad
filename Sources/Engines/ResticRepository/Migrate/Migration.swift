package import Bytes
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import Sealing

/// The migrations of restic 0.19.1.
package enum Migration: String, Sendable, CaseIterable {
    case upgradeRepositoryV2 = "upgrade_repo_v2"

    package var summary: String {
        switch self {
        case .upgradeRepositoryV2: "upgrade a repository to version 2"
        }
    }

    /// Why it does not apply, or nil when it does.
    package func obstacle(in repository: Repository) -> String? {
        switch self {
        case .upgradeRepositoryV2:
            repository.config.version == 1
                ? nil : "repository is already upgraded to version \(repository.config.version)"
        }
    }
}

extension Repository {
    /// Makes a version 1 repository one of version 2, which compresses; what is stored already stays as it is.
    ///
    /// ```
    /// read config > copy of it to this machine, synced > PUT CONFIG in one step > read it back > the copy goes
    /// ```
    /// 1. At every moment the store has the old config or the new one, whole, where it can replace a file in one step (L1, L4); where it
    ///    cannot, the copy is on this machine in between, and the old config is put back when the new one is not taken.
    /// 2. The copy stays unless a whole config was read back; every failure then names it.
    ///
    /// Afterwards this handle still works as one of version 1: open the repository again. The caller holds an exclusive lock and has
    /// checked the repository. `temporary` is the directory of the copy. Errors: `E-UNSUPPORTED` for another version, those of the store.
    package func upgradeToVersion2(temporary: ByteString) async throws {
        guard config.version == 1 else { throw notVersion1() }
        let old = try await store.get(.config)
        var upgraded = config
        upgraded.version = 2
        let new = try sealedConfig(upgraded)
        let backup = try ConfigBackup(of: old, in: temporary, entropy: environment.entropy)
        do {
            try await commitCheck()
            try await store.replaceConfig(new)
            guard try await holds(new) else { throw unchanged() }
        } catch {
            return try await settle(after: error, old: old, new: new, backup)
        }
        backup.discard()
    }

    private func sealedConfig(_ config: RepositoryConfig) throws -> Block {
        let plain = config.encode()
        let sealed = Block(ResticCipher(key: key).seal(plain, entropy: environment.entropy))
        guard try ResticCipher(key: key).open(sealed.bytes) == plain else {
            throw RepositoryFailure(
                .verification,
                operation: "migrate",
                object: "config of \(store.location)",
                what: "cannot be opened right after it was sealed: memory or processor fault",
                state: "nothing was changed",
                next: "test this machine's memory, then run again"
            )
        }
        return sealed
    }

    /// Looks what a failed replacement left: the new config counts as done, the old one as untouched, anything else is put right.
    private func settle(after error: any Error, old: Block, new: Block, _ backup: ConfigBackup) async throws {
        if (try? await holds(new)) == true { return backup.discard() }
        if (try? await holds(old)) != true {
            try? await store.replaceConfig(old)
            if (try? await holds(old)) != true {
                // A store that has none takes it as the first one.
                try? await store.put(.config, old)
            }
        }
        guard (try? await holds(old)) == true else { throw failed(error, backup.path) }
        backup.discard()
        throw failed(error, nil)
    }

    private func holds(_ config: Block) async throws -> Bool { try await store.get(.config).bytes == config.bytes }

    private func unchanged() -> RepositoryFailure {
        RepositoryFailure(
            .verification,
            retry: .later,
            operation: "migrate",
            object: "config of \(store.location)",
            what: "was taken by the store, which does not give it back"
        )
    }

    /// `backup` nil: the old config was read back.
    private func failed(_ error: any Error, _ backup: ByteString?) -> any Error {
        switch error {
        case let failure as StorageFailure: explained(failure, backup)
        case let failure as RepositoryFailure: explained(failure, backup)
        default:
            explained(
                RepositoryFailure(
                    .verification,
                    retry: .later,
                    operation: "",
                    object: "",
                    what: "\(error)",
                    cause: error
                ),
                backup
            )
        }
    }

    /// The failure under its own code, told as what it means for the config.
    private func explained<Code>(_ failure: Failure<Code>, _ backup: ByteString?) -> Failure<Code> {
        var failure = failure
        failure.cause = failure
        failure.operation = "migrate"
        failure.object = "config of \(store.location)"
        failure.what = "new config was not stored: \(failure.what)"
        failure.state =
            backup.map { "the config may be missing or damaged; there is a backup of it in \($0.display)" }
            ?? "the repository is as it was, with its old config"
        failure.next =
            backup.map { "copy \($0.display) to `config` in \(store.location), then run `check`" }
            ?? "run the command again when the store can write"
        return failure
    }

    private func notVersion1() -> RepositoryFailure {
        RepositoryFailure(
            .unsupported,
            operation: "migrate",
            object: store.location,
            what: "repository has version \(config.version), only upgrades from version 1 are supported",
            state: "nothing was changed",
            next: "nothing: this repository compresses already"
        )
    }
}

/// A copy of the config on this machine, durable before anything happens to the config.
private struct ConfigBackup {
    let path: ByteString
    private let directory: ByteString
    private let base: ByteString

    /// Writes `restic-migrate-upgrade-repo-v2-<number>/config` in `base`; readable by its owner alone.
    init(of config: Block, in base: ByteString, entropy: any EntropySource) throws(Errno) {
        let parent = try Directory.open(base)
        directory = try Self.create(in: parent, entropy)
        self.base = base
        path = ByteString(base.bytes + [0x2f] + directory.bytes + Array("/config".utf8))
        try writeDurably(config.bytes, to: "config", in: try parent.openDirectory(directory), entropy: entropy)
        try parent.sync()
    }

    private static func create(in parent: Directory, _ entropy: any EntropySource) throws(Errno) -> ByteString {
        var attemptsLeft = 100
        while true {
            let number = entropy.bytes(4).reduce(0) { UInt32($0) << 8 | UInt32($1) }
            let name = ByteString("restic-migrate-upgrade-repo-v2-\(number)")
            attemptsLeft -= 1
            do throws(Errno) {
                try parent.createDirectory(name)
                return name
            } catch  where error.kind == .exists && attemptsLeft > 0 {
                // That of an earlier run, which failed and named it.
            }
        }
    }

    /// Removes it; what cannot be removed harms nothing.
    func discard() {
        guard let parent = try? Directory.open(base) else { return }
        try? parent.openDirectory(directory).remove("config")
        try? parent.removeDirectory(directory)
    }
}
