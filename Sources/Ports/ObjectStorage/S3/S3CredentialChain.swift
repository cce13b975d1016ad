import Bytes
import HostSystem
import Outcome

/// Where credentials for object stores are looked for, first found first taken, as restic has it.
///
/// ```
/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
/// MINIO_ACCESS_KEY, MINIO_SECRET_KEY (or MINIO_ROOT_USER, MINIO_ROOT_PASSWORD)
/// the profile AWS_PROFILE, or default, of AWS_SHARED_CREDENTIALS_FILE, or ~/.aws/credentials
/// ```
/// **Errors**: half a pair, a profile that was named and is not there, a file that was named and cannot be read.
package struct S3CredentialChain: Sendable {
    private let variable: @Sendable (String) -> String?

    /// `variable` answers the environment; nil for what is unset or empty.
    package init(variable: @escaping @Sendable (String) -> String?) { self.variable = variable }

    /// The credentials as they are now; nil when there are none anywhere.
    package func find() throws -> S3Credentials? {
        if let found = try pair("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", token: "AWS_SESSION_TOKEN") {
            return found
        }
        if let found = try pair("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD") { return found }
        if let found = try pair("MINIO_ACCESS_KEY", "MINIO_SECRET_KEY") { return found }
        return try shared()
    }

    private func pair(_ key: String, _ secret: String, token: String? = nil) throws -> S3Credentials? {
        switch (variable(key), variable(secret)) {
        case (nil, nil): return nil
        case (let keyID?, let value?):
            return S3Credentials(
                keyID: keyID,
                secret: Secret(Array(value.utf8)),
                sessionToken: Secret(Array((token.flatMap(variable) ?? "").utf8))
            )
        case (nil, _): throw S3CredentialChain.failure("$\(key)", "is empty, although $\(secret) is set", "set both")
        case (_, nil): throw S3CredentialChain.failure("$\(secret)", "is empty, although $\(key) is set", "set both")
        }
    }

    private func shared() throws -> S3Credentials? {
        let named = variable("AWS_SHARED_CREDENTIALS_FILE")
        guard let path = named ?? variable("HOME").map({ "\($0)/.aws/credentials" }) else { return nil }
        let profile = variable("AWS_PROFILE") ?? variable("AWS_DEFAULT_PROFILE")
        var bytes: [UInt8]
        do throws(Errno) {
            bytes = try readFile(ByteString(path), limit: S3CredentialChain.fileBytesMax)
        } catch {
            if error.kind == .missing, named == nil, profile == nil { return nil }
            throw S3CredentialChain.failure(
                "credentials file \(path)",
                "cannot be read: \(error)",
                "check AWS_SHARED_CREDENTIALS_FILE"
            )
        }
        defer { for index in bytes.indices { bytes[index] = 0 } }
        let found = S3CredentialChain.profile(profile ?? "default", in: bytes)
        guard found == nil, profile != nil || named != nil else { return found }
        throw S3CredentialChain.failure(
            "credentials file \(path)",
            "has no profile \(profile ?? "default") with aws_access_key_id and aws_secret_access_key",
            "check AWS_PROFILE"
        )
    }

    private static let fileBytesMax = 1 << 20

    /// One section of a file in the form of INI; nil when it or one of its two keys is missing.
    package static func profile(_ name: String, in bytes: [UInt8]) -> S3Credentials? {
        var section = ""
        var values: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let line = trimmed(line)
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("["), line.hasSuffix("]") {
                section = String(trimmed(line.dropFirst().dropLast()))
                continue
            }
            guard section == name, let equals = line.firstIndex(of: "=") else { continue }
            let value = trimmed(line[line.index(after: equals)...])
            values[trimmed(line[..<equals]).lowercased()] = String(value)
        }
        guard let keyID = values["aws_access_key_id"], let secret = values["aws_secret_access_key"], !keyID.isEmpty,
            !secret.isEmpty
        else { return nil }
        return S3Credentials(
            keyID: keyID,
            secret: Secret(Array(secret.utf8)),
            sessionToken: Secret(Array((values["aws_session_token"] ?? "").utf8))
        )
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text.drop { $0 == " " || $0 == "\t" }
    }

    private static func failure(_ object: String, _ what: String, _ next: String) -> StorageFailure {
        StorageFailure(.auth, "find credentials", object, what, state: "nothing was sent", next: next)
    }
}
