import Bytes
import Console
import ObjectStorage

/// The options `-o sftp.…`, in restic's words.
struct SFTPOptions {
    private let values: [String: ByteString]

    init(_ extended: ExtendedOptions) throws(CommandFailure) {
        values = try extended.values(of: "sftp", known: ["args", "command", "connections", "layout"])
        if values["args"]?.isEmpty == false, values["command"]?.isEmpty == false {
            throw .fatal("cannot specify both sftp.command and sftp.args options")
        }
    }

    /// How the machine is reached.
    func settings(_ location: SFTPLocation, _ network: NetworkOptions) throws(CommandFailure) -> SFTPSettings {
        SFTPSettings(
            location,
            command: try words("command"),
            arguments: try words("args"),
            connections: try values.connections(of: "sftp"),
            silenceSeconds: Int(max(1, network.stuckNanoseconds / 1_000_000_000))
        )
    }

    private func words(_ name: String) throws(CommandFailure) -> [ByteString] {
        guard let text = values[name], !text.isEmpty else { return [] }
        return try shellWords(text)
    }
}
