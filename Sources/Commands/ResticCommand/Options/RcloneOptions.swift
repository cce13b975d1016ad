import Bytes
import Console
import ObjectStorage

/// The options `-o rclone.…`, in restic's words.
struct RcloneOptions {
    private let values: [String: ByteString]

    init(_ extended: ExtendedOptions) throws(CommandFailure) {
        values = try extended.values(of: "rclone", known: ["args", "connections", "program", "timeout"])
    }

    /// How rclone is run; `said` hears each line of its standard error.
    func settings(
        _ remote: ByteString,
        _ network: NetworkOptions,
        said: @escaping @Sendable (ByteString) -> Void
    ) throws(CommandFailure) -> RcloneSettings {
        var settings = RcloneSettings(remote)
        if let words = try words("program") {
            settings.program = words[0]
            settings.arguments = Array(words.dropFirst()) + settings.arguments
        }
        if let words = try words("args") {
            let own = settings.arguments.count - RcloneSettings(remote).arguments.count
            settings.arguments = Array(settings.arguments.prefix(own)) + words
        }
        settings.connections = try values.connections(of: "rclone")
        settings.answerSeconds = Int(max(1, network.stuckNanoseconds / 1_000_000_000))
        if let text = values["timeout"] {
            let nanoseconds = try GoDuration.parse(text).nanoseconds
            guard nanoseconds > 0 else { throw .fatal("rclone.timeout must be positive") }
            settings.startSeconds = Int((nanoseconds + 999_999_999) / 1_000_000_000)
        }
        settings.said = { bytes in
            for line in bytes.split(separator: UInt8(ascii: "\n")) { said(ByteString(Array(line))) }
        }
        return settings
    }

    private func words(_ name: String) throws(CommandFailure) -> [ByteString]? {
        guard let text = values[name], !text.isEmpty else { return nil }
        let words = try shellWords(text)
        return words.isEmpty ? nil : words
    }
}
