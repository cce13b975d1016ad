package import Bytes
import ObjectStorage
package import Outcome
package import ResticFormat
package import Sealing

/// One key file and what it says of itself.
package struct KeyEntry: Sendable {
    package var id: KeyID
    package var file: KeyFile
}

/// Adding, changing and removing passwords.
///
/// 1. A new key counts once its file was read back from the store and opened with its password to this repository's master key.
/// 2. Only then an old key goes, so that at every moment the old password or the new one opens the repository (L7).
/// 3. The key with which the repository was opened is removed by `changePassword` alone.
extension Repository {
    /// All keys; `unreadable` hears of those that are none.
    package func listKeys(unreadable: (KeyID, any Error) -> Void) async throws -> [KeyEntry] {
        var keys: [KeyEntry] = []
        for entry in try await store.list(.key) {
            try Task.checkCancellation()
            do {
                let block = try await store.get(ObjectName(.key, entry.digest), range: nil)
                keys.append(KeyEntry(id: KeyID(entry.digest), file: try KeyFile(decoding: block.bytes)))
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                unreadable(KeyID(entry.digest), error)
            }
        }
        return keys
    }

    /// Wraps the master key under one more password, and proves that it opens.
    ///
    /// Names that are nil are those of this process. `scrypt` nil calibrates for about half a second and 60 MiB. Errors: of the store,
    /// `E-LOCK-LOST`, and `E-VERIFY` when the new key does not open, in which case it is taken away again.
    package func addKey(
        password: Secret,
        userName: ByteString? = nil,
        hostName: ByteString? = nil,
        scrypt: ScryptParameters? = nil
    ) async throws -> KeyEntry {
        let parameters = scrypt ?? calibrateScrypt(milliseconds: 500, memoryBytes: 60 << 20, time: environment.time)
        var maker = environment
        if let userName { maker.userName = userName }
        if let hostName { maker.hostName = hostName }
        let bytes = try KeyStore.seal(key, password: password, parameters: parameters, environment: maker)
        let block = Block(bytes)
        let id = KeyID(sha256(block))
        try await commitCheck()
        try Task.checkCancellation()
        do {
            try await store.putConfirmed(ObjectName(.key, id.digest), block)
            try await prove(id, password: password)
        } catch {
            // A key that nobody was told of, or that does not open, has no place here.
            try? await store.remove(ObjectName(.key, id.digest))
            throw error
        }
        return KeyEntry(id: id, file: try KeyFile(decoding: bytes))
    }

    /// Adds a key for the new password, then removes the one in use.
    ///
    /// Errors: as `addKey`, with the old password in force; and of the removal, with both in force.
    package func changePassword(
        to password: Secret,
        userName: ByteString? = nil,
        hostName: ByteString? = nil,
        scrypt: ScryptParameters? = nil
    ) async throws -> KeyEntry {
        let entry = try await addKey(password: password, userName: userName, hostName: hostName, scrypt: scrypt)
        do {
            try await commitCheck()
            try await store.remove(ObjectName(.key, keyID.digest))
        } catch let failure as StorageFailure {
            throw bothInForce(failure)
        } catch let failure as RepositoryFailure {
            throw bothInForce(failure)
        }
        return entry
    }

    private func bothInForce<Code>(_ failure: Failure<Code>) -> Failure<Code> {
        var failure = failure
        failure.state = "the new password opens the repository, and the old one still does"
        failure.next = "remove the old key with `key remove \(keyID.short)`, giving the new password"
        return failure
    }

    /// Removes another key than the one in use.
    ///
    /// Errors: `E-REQUEST` for the key in use, those of the store.
    package func removeKey(_ id: KeyID) async throws {
        guard id != keyID else {
            throw RepositoryFailure(
                .invalidRequest,
                operation: "remove key",
                object: "key \(id.short) in \(store.location)",
                what: "refusing to remove key currently used to access repository",
                state: "nothing was changed",
                next: "open the repository with the password of another key"
            )
        }
        try await commitCheck()
        try await store.remove(ObjectName(.key, id.digest))
    }

    /// Reads the key back and opens it, as the next run will.
    private func prove(_ id: KeyID, password: Secret) async throws {
        let block = try await store.get(ObjectName(.key, id.digest), range: nil)
        let opened = try KeyStore.open(block.bytes, password: password, object: "key \(id.short) in \(store.location)")
        guard sha256(block) == id.digest, let opened, isSame(opened) else { throw unproven(id) }
    }

    private func isSame(_ other: ResticKey) -> Bool {
        other.withParts { encrypt, k, r in
            key.withParts { $0.elementsEqual(encrypt) && $1.elementsEqual(k) && $2.elementsEqual(r) }
        }
    }

    private func unproven(_ id: KeyID) -> RepositoryFailure {
        RepositoryFailure(
            .verification,
            retry: .later,
            operation: "add key",
            object: "key \(id.short) in \(store.location)",
            what: "failed to access repository with new key: it does not open with its password",
            state: "no key was removed; the old password opens the repository",
            next: "run the command again; when it fails again, distrust this store and this machine's memory"
        )
    }
}
