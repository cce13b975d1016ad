import Bytes
import Console
import HTTPTransport
import ObjectStorage

/// What every store behind a network takes: certificates, patience and a name.
struct NetworkOptions: Sendable {
    /// Files of certificates that are trusted beside no others.
    var certificates: [ByteString]
    var clientCertificate: ByteString?
    var isInsecure: Bool
    var userAgent: String?
    /// How long a server may say nothing.
    var stuckNanoseconds: Int64

    private static let stuckDefaultNanoseconds: Int64 = 300_000_000_000
    private static let connectSeconds = 10

    /// Flags over environment; RESTIC_CACERT holds files between commas.
    init(_ values: FlagValues, _ environment: Environment) {
        let given = values.texts("cacert")
        let fallback = environment.value("RESTIC_CACERT").map {
            $0.bytes.split(separator: 0x2c).map { ByteString(Array($0)) }
        }
        certificates = given.isEmpty ? fallback ?? [] : given
        let client =
            values.isSet("tls-client-cert")
            ? values.text("tls-client-cert") : environment.value("RESTIC_TLS_CLIENT_CERT")
        clientCertificate = client.flatMap { $0.isEmpty ? nil : $0 }
        isInsecure = values.isOn("insecure-tls")
        userAgent = values.text("http-user-agent").flatMap { $0.isEmpty ? nil : $0.display }
        stuckNanoseconds = values.integer("stuck-request-timeout") ?? Self.stuckDefaultNanoseconds
    }

    /// As the transport takes it.
    func settings() throws(CommandFailure) -> HTTPSettings {
        guard stuckNanoseconds > 0 else {
            throw CommandFailure("stuck-request-timeout must be positive")
        }
        let agent = userAgent ?? ""
        guard HTTPHeader("User-Agent", agent).isSound else {
            throw CommandFailure("http-user-agent holds what no header may")
        }
        return HTTPSettings(
            certificates: certificates.first.map { String(decoding: $0.bytes, as: UTF8.self) },
            moreCertificates: certificates.dropFirst().map { String(decoding: $0.bytes, as: UTF8.self) },
            clientCertificate: clientCertificate.map { String(decoding: $0.bytes, as: UTF8.self) },
            verifiesCertificates: !isInsecure,
            connectSeconds: Self.connectSeconds,
            answerSeconds: Int(max(1, stuckNanoseconds / 1_000_000_000))
        )
    }
}

extension ExtendedOptions {
    /// The values of one kind of storage by their names behind the point; a name that it does not have is refused.
    func values(of storage: String, known: Set<String>) throws(CommandFailure) -> [String: ByteString] {
        var found: [String: ByteString] = [:]
        for (key, value) in values.sorted(by: { $0.key < $1.key }) where key.hasPrefix("\(storage).") {
            let name = String(key.display.dropFirst(storage.count + 1))
            guard known.contains(name) else { throw .fatal("option \(key) is not known") }
            found[name] = value
        }
        return found
    }
}

extension [String: ByteString] {
    /// Requests at a time: five unless told otherwise, never none.
    func connections(of storage: String) throws(CommandFailure) -> Int {
        guard let value = self["connections"] else { return 5 }
        let count: UInt64
        do { count = try parseGoUInt(value, base: 0, bits: 32) } catch { throw CommandFailure(error.text) }
        guard (1...1000).contains(count) else { throw .fatal("\(storage).connections must be from 1 to 1000") }
        return Int(count)
    }

    /// A word that Go takes for true or false; false when it is not given.
    func isOn(_ name: String) throws(CommandFailure) -> Bool {
        guard let value = self[name] else { return false }
        switch value.display {
        case "1", "t", "T", "TRUE", "true", "True": return true
        case "0", "f", "F", "FALSE", "false", "False": return false
        default: throw CommandFailure("strconv.ParseBool: parsing \(quoted(value)): invalid syntax")
        }
    }
}
