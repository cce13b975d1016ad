import Bytes
import Console
import ObjectStorage
import Outcome

/// The options `-o rest.…` and the environment of REST servers, in restic's words.
struct RESTOptions {
    private let values: [String: ByteString]
    private let environment: Environment

    init(_ extended: ExtendedOptions, _ environment: Environment) throws(CommandFailure) {
        values = try extended.values(of: "rest", known: ["connections"])
        self.environment = environment
    }

    /// How the server is spoken to; user and password of the environment stand in for those that the location lacks.
    func settings(_ location: RESTLocation, _ network: NetworkOptions) throws(CommandFailure) -> RESTSettings {
        var location = location
        if location.user == nil, location.password == nil {
            location.user = environment.value("RESTIC_REST_USERNAME").map { String(decoding: $0.bytes, as: UTF8.self) }
            location.password = environment.value("RESTIC_REST_PASSWORD").map { Secret($0.bytes) }
            if location.password != nil, location.user == nil { location.user = "" }
        }
        return RESTSettings(
            location,
            connections: try values.connections(of: "rest"),
            userAgent: network.userAgent ?? "holdfast",
            trust: try network.settings()
        )
    }
}
