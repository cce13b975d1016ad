package import Bytes
import Console

/// The options given by `--option KEY=VALUE`: keys are lower case and have their storage's name before a point.
package struct ExtendedOptions: Sendable, Hashable {
    private(set) var values: [ByteString: ByteString] = [:]

    /// Reads the list; the same key with another value is refused.
    package init(_ entries: [ByteString]) throws(CommandFailure) {
        for entry in entries {
            let (name, value) = entry.cut(0x3d) ?? (entry, "")
            let key = ByteString(name.trimmed.bytes.map { (0x41...0x5a).contains($0) ? $0 + 0x20 : $0 })
            guard !key.isEmpty else { throw .fatal("empty key is not a valid option") }
            if let old = values[key], old != value.trimmed {
                throw .fatal("key \(quoted(key)) present more than once")
            }
            values[key] = value.trimmed
        }
    }

    /// Operations at once that `local.connections` asks for; any other option of local storage is unknown.
    ///
    /// Options of other kinds of storage have no meaning for a local repository and are passed over, as restic does.
    package func localConnections() throws(CommandFailure) -> Int? {
        var connections: Int?
        for (key, value) in values.sorted(by: { $0.key < $1.key }) where key.hasPrefix("local.") {
            guard key == "local.connections" else { throw .fatal("option \(key) is not known") }
            do { connections = Int(try parseGoUInt(value, base: 0, bits: 32)) } catch {
                throw CommandFailure(error.text)
            }
        }
        if connections == 0 { throw .fatal("local.connections must be at least 1") }
        return connections
    }
}
