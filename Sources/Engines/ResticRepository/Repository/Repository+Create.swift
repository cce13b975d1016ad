import Bytes
package import Chunking
package import ObjectStorage
package import Outcome
import ResticFormat
package import Sealing

extension Repository {
    /// Creates a repository: layout, key, then config; the config makes it true (L4).
    ///
    /// `polynomial` is taken over for copies that shall deduplicate, else drawn at random. `scrypt` nil calibrates for about
    /// half a second and 60 MiB. An init that broke off between key and config is taken up where it ended, when the password is the
    /// same. Errors: `E-EXISTS` when a config, another key, or data is there already.
    package static func create(
        store: any ObjectStorage,
        version: Int = 2,
        password: Secret,
        polynomial: Polynomial? = nil,
        scrypt: ScryptParameters? = nil,
        environment: RepositoryEnvironment,
        options: RepositoryOptions = RepositoryOptions()
    ) async throws -> Repository {
        precondition(version == 1 || version == 2)
        let leftOver = try await refuseExisting(store, password)
        try await store.prepare()
        let (master, keyID): (ResticKey, KeyID)
        if let leftOver {
            (master, keyID) = leftOver
        } else {
            master = ResticKey.random(environment.entropy)
            let parameters =
                scrypt ?? calibrateScrypt(milliseconds: 500, memoryBytes: 60 << 20, time: environment.time)
            let keyFile = Block(
                try KeyStore.seal(master, password: password, parameters: parameters, environment: environment)
            )
            keyID = KeyID(sha256(keyFile))
            try await store.putConfirmed(ObjectName(.key, keyID.digest), keyFile)
        }
        let config = RepositoryConfig(
            version: version,
            id: environment.entropy.bytes(32).withUnsafeBytes { Digest(bytes: $0) },
            polynomial: (polynomial ?? .random(environment.entropy)).bits
        )
        let sealed = ResticCipher(key: master).seal(config.encode(), entropy: environment.entropy)
        try await store.putConfirmed(.config, Block(sealed))
        return Repository(
            store: store,
            config: config,
            key: master,
            keyID: keyID,
            environment: environment,
            options: options,
            cache: openCache(store, config, options, environment)
        )
    }

    /// Refuses what is there, but for the key of an init that broke off before its config, which is returned.
    private static func refuseExisting(
        _ store: any ObjectStorage,
        _ password: Secret
    ) async throws -> (ResticKey, KeyID)? {
        if try await store.exists() {
            throw exists(
                store,
                "config file already exists",
                "open it with its password, or choose an empty place"
            )
        }
        let keys = try await entries(.key, in: store)
        for kind in [ObjectKind.snapshot, .index, .pack] where try await !entries(kind, in: store).isEmpty {
            throw exists(
                store,
                keys.isEmpty || kind != .snapshot
                    ? "repository already contains \(kind.rawValue) files, but no config"
                    : "repository already contains keys and snapshots, but no config",
                "restore the file `config` from a copy of this repository, or choose an empty place"
            )
        }
        guard !keys.isEmpty else { return nil }
        for entry in keys.prefix(Limits.keysTriedMax) {
            let name = ObjectName(.key, entry.digest)
            let block = try await store.get(name, range: nil)
            let master = try? KeyStore.open(block.bytes, password: password, object: name.short)
            if let master { return (master, KeyID(entry.digest)) }
        }
        throw exists(
            store,
            "repository already contains keys that this password does not open, but no config and no data",
            "an init broke off here: run it again with the same password; or remove the files in `keys`, then run init"
        )
    }

    /// What a place holds of a kind; nothing when it has no layout yet, or is not there: that it has no config is certain.
    private static func entries(_ kind: ObjectKind, in store: any ObjectStorage) async throws -> [ObjectEntry] {
        do {
            return try await store.list(kind)
        } catch let failure as StorageFailure {
            switch failure.code {
            case .notFound, .layout, .diskGone, .noBucket: return []
            default: throw failure
            }
        }
    }

    private static func exists(_ store: any ObjectStorage, _ what: String, _ next: String) -> RepositoryFailure {
        RepositoryFailure(
            .exists,
            operation: "create repository",
            object: store.location,
            what: what,
            state: "nothing was changed",
            next: next
        )
    }
}
