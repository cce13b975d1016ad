import HostSystem
import Bytes
import Chunking
import Compression
package import ObjectStorage
package import Outcome
import ResticFormat
import Sealing

extension Repository {
    /// Opens an existing repository: identity of the store, key, config, cache.
    ///
    /// `found` spares looking for what the caller has just seen. Cost: one scrypt for each key file tried, the hinted one first. Errors:
    /// `E-NO-REPOSITORY`, `E-PASSWORD`, `E-DAMAGE`.
    package static func open(
        store: any ObjectStorage,
        found: FoundRepository? = nil,
        password: Secret,
        keyHint: String? = nil,
        environment: RepositoryEnvironment,
        options: RepositoryOptions = RepositoryOptions()
    ) async throws -> Repository {
        var found = found
        if found == nil { found = try await find(store: store) }
        guard let found else { throw noRepository(store) }
        let (key, keyID, config) = try await findKeyOfConfig(found, store: store, password: password, keyHint: keyHint)
        return Repository(
            store: store,
            config: config,
            key: key,
            keyID: keyID,
            environment: environment,
            options: options,
            cache: openCache(store, config, options, environment),
            highWater: openHighWater(config, options, environment)
        )
    }

    /// The repository in the store, before its password is known; nil when there is none.
    package static func find(store: any ObjectStorage) async throws -> FoundRepository? {
        // A look costs a disk nothing, and knows a folder that is not there; a service is asked for the config at once.
        if store.localDirectory != nil, try await !store.exists() { return nil }
        do {
            return FoundRepository(config: try await store.getTwice(.config))
        } catch let failure as StorageFailure where failure.code == .notFound {
            return nil
        }
    }

    /// Opens again what `known` opened, with the key that it has: no scrypt.
    ///
    /// The store is looked at anew, and so are the key file, which has to have the bytes of its name, and the config. Nil when any of it
    /// is not as it was: then whoever asks opens with the password, and hears why. Errors: cancellation alone.
    package static func reopen(
        _ known: Repository,
        store: any ObjectStorage,
        options: RepositoryOptions
    ) async throws -> Repository? {
        let environment = known.environment
        do {
            guard let found = try await find(store: store) else { return nil }
            let file = try await store.getTwice(ObjectName(.key, known.keyID.digest))
            guard sha256(file) == known.keyID.digest else { return nil }
            let config = try await readConfig(found, store: store, key: known.key)
            guard config.id == known.config.id else { return nil }
            return Repository(
                store: store,
                config: config,
                key: known.key,
                keyID: known.keyID,
                environment: environment,
                options: options,
                cache: openCache(store, config, options, environment),
                highWater: openHighWater(config, options, environment)
            )
        } catch {
            try Task.checkCancellation()
            return nil
        }
    }

    /// The same repository for a proof: nothing in memory, no copies of metadata, everything from the store, and there from its medium.
    package func forProof() -> Repository {
        Repository(
            store: store.fromMedium,
            config: config,
            key: key,
            keyID: keyID,
            environment: environment,
            options: options,
            cache: nil,
            highWater: highWater
        )
    }

    private static func noRepository(_ store: any ObjectStorage) -> RepositoryFailure {
        RepositoryFailure(
            .noRepository,
            operation: "open repository",
            object: store.location,
            what: "repository does not exist: unable to open config file at \(store.location)",
            state: "nothing was written",
            next: "if it is on a removable disk, attach and mount it; to make a new repository there run `init`"
        )
    }

    /// The first key that opens the config.
    ///
    /// Of two that made a repository at once, one wrote the config; the key of the other opens with the same password, and nothing
    /// else. Errors: those of the first key, when none opens it.
    private static func findKeyOfConfig(
        _ found: FoundRepository,
        store: any ObjectStorage,
        password: Secret,
        keyHint: String?
    ) async throws -> (ResticKey, KeyID, RepositoryConfig) {
        var tried: Set<Digest> = []
        var first: (any Error)?
        while true {
            let (key, keyID): (ResticKey, KeyID)
            do {
                (key, keyID) = try await findKey(store: store, password: password, keyHint: keyHint, leavingOut: tried)
            } catch let failure as RepositoryFailure where failure.code == .wrongPassword {
                throw first ?? failure
            }
            do {
                return (key, keyID, try await readConfig(found, store: store, key: key))
            } catch let failure as RepositoryFailure where failure.code == .damaged {
                first = first ?? failure
                tried.insert(keyID.digest)
            }
        }
    }

    private static func findKey(
        store: any ObjectStorage,
        password: Secret,
        keyHint: String?,
        leavingOut tried: Set<Digest>
    ) async throws -> (ResticKey, KeyID) {
        var entries = try await store.list(.key).filter { !tried.contains($0.digest) }
        if let keyHint, !keyHint.isEmpty {
            let hinted = entries.filter { $0.digest.hex.hasPrefix(keyHint) }
            entries = hinted + entries.filter { !$0.digest.hex.hasPrefix(keyHint) }
        }
        var damage: (any Error)?
        for entry in entries.prefix(Limits.keysTriedMax) {
            try Task.checkCancellation()
            let object = "key \(entry.digest.short) in \(store.location)"
            do {
                let block = try await store.getTwice(ObjectName(.key, entry.digest))
                if let key = try KeyStore.open(block.bytes, password: password, object: object) {
                    return (key, KeyID(entry.digest))
                }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                damage = error
            }
        }
        // Whether the password is wrong is not known then.
        if let damage { throw damage }
        throw RepositoryFailure(
            .wrongPassword,
            operation: "open repository",
            object: store.location,
            what: entries.isEmpty ? "no key found: the repository has no key file" : "wrong password or no key found",
            state: "nothing was read or written",
            next: entries.isEmpty
                ? "restore the `keys` directory from a copy of the repository"
                : "check the password, the password file, and the key hint"
        )
    }

    /// The config as it was found; as it is now, when that is damaged (D-10).
    private static func readConfig(
        _ found: FoundRepository,
        store: any ObjectStorage,
        key: ResticKey
    ) async throws -> RepositoryConfig {
        do {
            return try openConfig(found.config, store: store, key: key)
        } catch {
            return try openConfig(try await store.getTwice(.config), store: store, key: key)
        }
    }

    private static func openConfig(_ block: Block, store: any ObjectStorage, key: ResticKey) throws -> RepositoryConfig
    {
        func damaged(_ what: String, _ cause: (any Error)?) -> RepositoryFailure {
            RepositoryFailure(
                .damaged,
                retry: .afterRepair,
                operation: "open repository",
                object: "config in \(store.location)",
                what: what,
                state: "packs, indexes and snapshots are not touched",
                next: "restore the file `config` from a copy of the repository",
                cause: cause
            )
        }
        let plain: [UInt8]
        do { plain = try ResticCipher(key: key).open(block.bytes) } catch {
            throw damaged("does not authenticate with this repository's key", error)
        }
        let config: RepositoryConfig
        do { config = try RepositoryConfig(decoding: plain) } catch { throw damaged("is not valid: \(error)", error) }
        guard let polynomial = Polynomial(bits: config.polynomial), polynomial.isIrreducible else {
            throw damaged("names a chunker polynomial that is not irreducible", nil)
        }
        return config
    }

    private static func openHighWater(
        _ config: RepositoryConfig,
        _ options: RepositoryOptions,
        _ environment: RepositoryEnvironment
    ) -> HighWater? {
        guard let base = options.recordDirectory, !options.isDryRun else { return nil }
        return HighWaterFile(base: base, repositoryID: config.id, environment: environment, warn: options.warn)
            .map(HighWater.init)
    }

    static func openCache(
        _ store: any ObjectStorage,
        _ config: RepositoryConfig,
        _ options: RepositoryOptions,
        _ environment: RepositoryEnvironment
    ) -> MetadataCache? {
        guard let directory = options.cacheDirectory else { return nil }
        return MetadataCache(
            base: directory,
            repositoryID: config.id,
            environment: environment,
            keepsCopies: !store.isLocalDisk,
            warn: options.warn
        )
    }
}

/// A repository whose password is not known yet.
package struct FoundRepository: Sendable {
    /// The sealed config, as it was read.
    let config: Block
}
