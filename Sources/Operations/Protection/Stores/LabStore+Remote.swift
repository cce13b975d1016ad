import Bytes
import HTTPTransport
import HostSystem
import ObjectStorage
package import Outcome
import ResticRepository
import SecretStore
import Strategy

/// A repository behind a network: who asks there, and how long is waited.
///
/// Credentials are read from where the declaration says, each time the repository is opened, and go nowhere but into requests: not into
/// arguments, not into the environment of programs (S-04).
extension LabStore {
    /// What it is opened for.
    package enum Patience: Sendable {
        /// Somebody waits for what it shows.
        case looking
        /// Nobody does, and a line that is down for minutes should not cost the night.
        case running

        /// As restic for runs; a look ends soon.
        func policy(firstContactSeconds: Double) -> RetryPolicy {
            switch self {
            case .looking: RetryPolicy(totalSeconds: 60, firstContactSeconds: firstContactSeconds)
            case .running: RetryPolicy(firstContactSeconds: firstContactSeconds)
            }
        }
    }

    /// The store where it lies, without its budget; nothing is touched yet.
    ///
    /// Errors: `E-SECRET` for credentials, `E-UNSUPPORTED` for an address that is none.
    func plainStorage(_ patience: Patience) async throws -> any ObjectStorage {
        switch medium.location {
        case .folder: return LocalStorage(ByteString(path))
        case .s3: return remote(try await bucketStorage(), patience)
        case .rest: return remote(try await serverStorage(), patience)
        case .sftp(let folder):
            return remote(SFTPStorage(try settings(folder), entropy: environment.repository.entropy), patience)
        }
    }

    /// The bucket itself, where nothing is tried twice.
    ///
    /// Errors: as above, and `E-UNSUPPORTED` for a medium that is none.
    func bucketStorage() async throws -> S3Storage { try await bucketStorage(with: medium.credentials) }

    private func bucketStorage(with credentials: RemoteCredentials?) async throws -> S3Storage {
        guard case .s3(let bucket) = medium.location else { throw unspeakable("is no bucket") }
        let pair = try await pair(credentials)
        let key = pair.map { S3Credentials(keyID: $0.name, secret: $0.secret) }
        return try S3Storage(try settings(bucket), time: environment.repository.time) { key }
    }

    /// The server itself, where nothing is tried twice.
    ///
    /// Errors: as above, and `E-UNSUPPORTED` for a medium that is none.
    func serverStorage() async throws -> RESTStorage {
        guard case .rest(let server) = medium.location else { throw unspeakable("is no server") }
        return try RESTStorage(try settings(server, try await pair(medium.credentials)))
    }

    private func remote(_ store: any ObjectStorage, _ patience: Patience) -> RemoteStorage {
        let (name, warn, entropy) = (name, environment.warn, environment.repository.entropy)
        // What will be tried again is no more than noise to whoever looks.
        let isTold = patience == .running
        let time = environment.repository.time
        let policy = patience.policy(firstContactSeconds: environment.firstContactSeconds)
        return RemoteStorage(store, policy: policy, time: time, entropy: entropy) { _, failure, seconds in
            guard isTold else { return }
            warn("\(name): \(failure.object) \(failure.what); tried again in \(Int(seconds.rounded(.up))) s")
        }
    }

    private func settings(_ bucket: S3Bucket) throws -> S3Settings {
        let location: S3Location
        do throws(S3Location.Trouble) { location = try S3Location(parsing: String(path.dropFirst("s3:".count))) } catch
        {
            throw unspeakable(error.what)
        }
        var settings = S3Settings(location)
        settings.region = bucket.region
        settings.storageClass = bucket.storageClass
        if let length = bucket.lock {
            let mode: ObjectLock.Mode = bucket.lockMode == .compliance ? .compliance : .governance
            settings.lock = ObjectLock(mode, seconds: length.components.seconds)
        }
        settings.lookup = S3Address.Lookup(rawValue: bucket.lookup.rawValue) ?? .auto
        settings.connections = bucket.connections ?? settings.connections
        settings.trust.certificates = bucket.certificates
        settings.meter = environment.meters[medium.name]
        return settings
    }

    private func settings(_ server: RESTServer, _ pair: (name: String, secret: Secret)?) throws -> RESTSettings {
        var location: RESTLocation
        do throws(RESTLocation.Trouble) {
            location = try RESTLocation(parsing: String(path.dropFirst("rest:".count)))
        } catch {
            throw unspeakable(error.what)
        }
        location.user = pair?.name
        location.password = pair?.secret
        var settings = RESTSettings(location)
        settings.connections = server.connections ?? settings.connections
        settings.trust.certificates = server.certificates
        return settings
    }

    /// ssh finds its keys and hosts by itself, and asks nobody: a run has nobody to ask.
    private func settings(_ folder: SSHFolder) throws -> SFTPSettings {
        let location: SFTPLocation
        do throws(SFTPLocation.Trouble) {
            location = try SFTPLocation(parsing: String(path.dropFirst("sftp:".count)))
        } catch {
            throw unspeakable(error.what)
        }
        var arguments: [ByteString] = ["-o", "BatchMode=yes"]
        if let key = folder.key { arguments += ["-o", "IdentitiesOnly=yes", "-i", ByteString(key)] }
        return SFTPSettings(
            location,
            program: environment.secureShell,
            arguments: arguments,
            connections: folder.connections ?? 5
        )
    }

    private func unspeakable(_ what: String) -> ProtectionFailure {
        ProtectionFailure(
            .mediumMissing,
            operation: "open medium",
            object: "\(medium.name) (\(path))",
            what: what,
            state: "nothing was sent; the other media are not touched",
            next: "correct its address in holdfast.yaml"
        )
    }

    // MARK: credentials

    /// Name and secret of what can only read there; nil where none are declared.
    package func readOnlyPair() async throws -> (name: String, secret: Secret)? { try await pair(medium.readOnly) }

    /// What the credentials of runs, and those of the kit where there are any, can do in a bucket; nil where none are declared.
    ///
    /// Errors: those of the store.
    func rights(of credentials: RemoteCredentials?) async throws -> S3Rights? {
        guard let credentials else { return nil }
        return try await bucketStorage(with: credentials).rights(entropy: environment.repository.entropy)
    }

    /// Name and secret; nil where none are declared.
    private func pair(_ credentials: RemoteCredentials?) async throws -> (name: String, secret: Secret)? {
        switch credentials {
        case nil: return nil
        case .typed:
            guard let typed = environment.typedCredentials else { throw untyped }
            return try parts(of: typed, from: "typed")
        case .login(let name, let secret):
            let (name, secret) = (try await read(name), try await read(secret))
            return (name.withBytes { String(decoding: $0, as: UTF8.self) }, secret)
        case .pair(let reference):
            return try parts(of: try await read(reference), from: reference.text)
        }
    }

    private func parts(of pair: Secret, from place: String) throws -> (name: String, secret: Secret) {
        let parts = pair.withBytes { bytes -> (String, Secret)? in
            guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            return (String(decoding: bytes[..<colon], as: UTF8.self), Secret(Array(bytes[(colon + 1)...])))
        }
        guard let parts, !parts.0.isEmpty, !parts.1.isEmpty else {
            let next = "write key ID and secret with a colon between them"
            throw unusable(place, "are not of the form NAME:SECRET", next: next)
        }
        return parts
    }

    private var untyped: ProtectionFailure {
        unusable("typed", "are typed by a person, and nobody was asked", next: "holdfast media prune \(medium.name)")
    }

    private func read(_ reference: SecretReference) async throws -> Secret {
        if let found = try await environment.secrets.read(reference) { return found }
        throw unusable(reference.text, "do not exist", next: "bring them back to \(reference.text)")
    }

    private func unusable(_ place: String, _ what: String, next: String) -> ProtectionFailure {
        ProtectionFailure(
            .secret,
            operation: "open medium",
            object: "\(medium.name) (\(medium.text))",
            what: "its credentials (\(place)) \(what)",
            state: "nothing was sent; the other media are not touched",
            next: next
        )
    }
}
