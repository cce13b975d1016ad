import Bytes
import HostSystem
import KitFormat
import ObjectStorage
import Outcome
import ResticRepository

/// The variables that a kit carries beside a password, as restic reads them.
enum KitVariable {
    static let keyID = "AWS_ACCESS_KEY_ID"
    static let key = "AWS_SECRET_ACCESS_KEY"
    static let region = "AWS_DEFAULT_REGION"
    static let user = "RESTIC_REST_USERNAME"
    static let password = "RESTIC_REST_PASSWORD"
}

/// Repositories behind a network, made of the location and the variables of the kit alone: nothing of this process or its user is asked.
extension KitStore {
    /// Errors: `E-KIT-AWAY` for what needs more than a kit has.
    func remote() throws -> any ObjectStorage {
        let store: any ObjectStorage
        switch entry.location.prefix(while: { $0 != ":" }) {
        case "s3": store = try bucket()
        case "rest": store = try server()
        default:
            throw away("is behind ssh, whose keys are no part of a kit", "follow the steps of the kit with restic")
        }
        return RemoteStorage(
            store,
            policy: RetryPolicy(totalSeconds: 60, firstContactSeconds: 15),
            time: environment.time,
            entropy: environment.entropy
        )
    }

    private func bucket() throws -> any ObjectStorage {
        guard let keyID = variable(KitVariable.keyID), let key = variable(KitVariable.key) else {
            throw away(
                "is in a bucket, and the kit carries no key that reads it",
                "declare media.\(entry.medium).read-only and make a new kit; or follow its steps with a key of your own"
            )
        }
        let location: S3Location
        do throws(S3Location.Trouble) { location = try S3Location(parsing: String(entry.location.dropFirst(3))) } catch
        {
            throw away(error.what, "compare its location with the paper")
        }
        var settings = S3Settings(location)
        settings.region = variable(KitVariable.region).map(text)
        let credentials = S3Credentials(keyID: text(keyID), secret: key)
        return try S3Storage(settings, time: environment.time) { credentials }
    }

    /// A server may ask nobody.
    private func server() throws -> any ObjectStorage {
        var location: RESTLocation
        do throws(RESTLocation.Trouble) {
            location = try RESTLocation(parsing: String(entry.location.dropFirst(5)))
        } catch {
            throw away(error.what, "compare its location with the paper")
        }
        location.user = variable(KitVariable.user).map(text)
        location.password = variable(KitVariable.password)
        return try RESTStorage(RESTSettings(location))
    }

    private func variable(_ name: String) -> Secret? { entry.variables.first { $0.name == name }?.secret }

    private func text(_ secret: Secret) -> String { secret.withBytes { String(decoding: $0, as: UTF8.self) } }
}
