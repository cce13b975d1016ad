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
    /// half a second and 60 MiB. Errors: `E-EXISTS` when a config, key or snapshot is there already.
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
        try await refuseExisting(store)
        try await store.prepare()
        let master = ResticKey.random(environment.entropy)
        let parameters =
            scrypt ?? calibrateScrypt(milliseconds: 500, memoryBytes: 60 << 20, time: environment.time)
        let keyFile = Block(
            try KeyStore.seal(master, password: password, parameters: parameters, environment: environment)
        )
        let keyID = KeyID(sha256(keyFile))
        try await store.put(ObjectName(.key, keyID.digest), keyFile)
        let config = RepositoryConfig(
            version: version,
            id: environment.entropy.bytes(32).withUnsafeBytes { Digest(bytes: $0) },
            polynomial: (polynomial ?? .random(environment.entropy)).bits
        )
        let sealed = ResticCipher(key: master).seal(config.encode(), entropy: environment.entropy)
        try await store.put(.config, Block(sealed))
        return Repository(
            store: store,
            config: config,
            key: master,
            keyID: keyID,
            environment: environment,
            options: options,
            cache: openCache(config, options, environment)
        )
    }

    private static func refuseExisting(_ store: any ObjectStorage) async throws {
        func exists(_ what: String) -> RepositoryFailure {
            RepositoryFailure(
                .exists,
                operation: "create repository",
                object: store.location,
                what: what,
                state: "nothing was changed",
                next: "open it with its password, or choose an empty place"
            )
        }
        if try await store.exists() { throw exists("config file already exists") }
        if let keys = try? await store.list(.key), !keys.isEmpty { throw exists("repository already contains keys") }
        if let snapshots = try? await store.list(.snapshot), !snapshots.isEmpty {
            throw exists("repository already contains snapshots")
        }
    }
}
