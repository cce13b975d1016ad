package import Bytes

/// The environment variables of the process, names and values as bytes.
package struct Environment: Sendable {
    package var variables: [ByteString: ByteString]

    package init(_ variables: [ByteString: ByteString]) { self.variables = variables }

    /// The value, or nil when the variable is unset or empty: restic makes no difference.
    package func value(_ name: ByteString) -> ByteString? {
        guard let value = variables[name], !value.bytes.isEmpty else { return nil }
        return value
    }

    /// The same by a plain name.
    package func value(_ name: String) -> ByteString? { value(ByteString(name)) }

    /// What a child process sees: everything but the passwords that this program was given (S-02).
    package var withoutSecrets: Environment {
        Environment(variables.filter { !Self.secretNames.contains($0.key) })
    }

    private static let secretNames: Set<ByteString> = ["RESTIC_PASSWORD", "RESTIC_FROM_PASSWORD", "RESTIC_PASSWORD2"]
}
