import Bytes
import ObjectStorage
import Outcome
import ResticFormat
import Sealing

/// Key files: each wraps the same master key under one password.
enum KeyStore {
    /// Wraps `master` under `password` in a new key file's bytes.
    static func seal(
        _ master: ResticKey,
        password: Secret,
        parameters: ScryptParameters,
        environment: RepositoryEnvironment
    ) throws -> [UInt8] {
        let salt = environment.entropy.bytes(64)
        let wrapping = try wrappingKey(password: password, salt: salt, parameters: parameters)
        let plain = master.withParts { encrypt, k, r in
            MasterKeyDocument(k: Array(k), r: Array(r), encrypt: Array(encrypt)).encode()
        }
        let file = KeyFile(
            created: environment.zonedNow(),
            username: environment.userName,
            hostname: environment.hostName,
            n: parameters.n,
            r: parameters.r,
            p: parameters.p,
            salt: salt,
            data: ResticCipher(key: wrapping).seal(plain, entropy: environment.entropy)
        )
        return file.encode()
    }

    /// The master key that this file wraps, or nil when the password is not its password.
    ///
    /// Errors: `E-DAMAGE` when the file is no key file, or asks for more memory or work than any honest one (D-13).
    static func open(_ bytes: [UInt8], password: Secret, object: String) throws -> ResticKey? {
        let file: KeyFile
        do { file = try KeyFile(decoding: bytes) } catch {
            throw damaged(object, "is not a key file: \(error)", cause: error)
        }
        guard file.kdf == KeyFile.supportedKDF else {
            throw damaged(object, "uses the unknown key derivation \(file.kdf.display)")
        }
        let wrapping: ResticKey
        do {
            wrapping = try wrappingKey(
                password: password,
                salt: file.salt,
                parameters: ScryptParameters(n: file.n, r: file.r, p: file.p)
            )
        } catch {
            throw damaged(object, "cannot be tried: \(error)", cause: error)
        }
        let plain: [UInt8]
        do { plain = try ResticCipher(key: wrapping).open(file.data) } catch SealError.wrongMAC {
            return nil
        } catch {
            throw damaged(object, "holds \(file.data.count) bytes of key data, which is no sealed key", cause: error)
        }
        guard let document = try? MasterKeyDocument(decoding: plain),
            let master = ResticKey(encrypt: document.encrypt, k: document.k, r: document.r)
        else { throw damaged(object, "opens with the password but holds no valid master key") }
        return master
    }

    private static func wrappingKey(password: Secret, salt: [UInt8], parameters: ScryptParameters) throws -> ResticKey {
        let derived = try scrypt(password: password, salt: salt, parameters, count: 64)
        guard
            let key = ResticKey(
                encrypt: Array(derived[0..<32]),
                k: Array(derived[32..<48]),
                r: Array(derived[48..<64])
            )
        else {
            throw RepositoryFailure(
                .damaged,
                operation: "derive key",
                object: "key file",
                what: "derives an all-zero key",
                next: "use another key"
            )
        }
        return key
    }

    private static func damaged(_ object: String, _ what: String, cause: (any Error)? = nil) -> RepositoryFailure {
        RepositoryFailure(
            .damaged,
            retry: .afterRepair,
            operation: "open repository",
            object: object,
            what: what,
            state: "the data is not touched; any other key still opens it",
            next: "use another key, or restore this key file from a copy of the repository",
            cause: cause
        )
    }
}
