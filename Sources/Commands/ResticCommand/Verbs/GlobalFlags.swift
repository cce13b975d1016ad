import Bytes
import Console

/// The options that every command takes.
package let globalFlags: [Flag] = [
    Flag("repo", "r", .string, "repository", "the repository (default: $RESTIC_REPOSITORY)"),
    Flag(
        "repository-file",
        nil,
        .string,
        "file",
        "read the repository's location from this file (default: $RESTIC_REPOSITORY_FILE)"
    ),
    Flag("password-file", "p", .string, "file", "read the password from this file (default: $RESTIC_PASSWORD_FILE)"),
    Flag("key-hint", nil, .string, "key", "try the key with this ID first (default: $RESTIC_KEY_HINT)"),
    Flag(
        "password-command",
        nil,
        .string,
        "command",
        "run this command and take the password from its output (default: $RESTIC_PASSWORD_COMMAND)"
    ),
    Flag("quiet", "q", .switched, "", "say nothing but errors and results"),
    Flag("verbose", "v", .counted, "", "say more; twice or --verbose=2: every file"),
    Flag("no-lock", nil, .switched, "", "read without locking the repository"),
    Flag(
        "retry-lock",
        nil,
        .duration,
        "duration",
        "wait up to this long for a lock, such as 5m or 2h (default: do not wait)"
    ),
    Flag("json", nil, .switched, "", "print JSON where the command knows how"),
    Flag(
        "cache-dir",
        nil,
        .string,
        "directory",
        "the directory of the cache (default: $RESTIC_CACHE_DIR or the user's cache directory)"
    ),
    Flag("no-cache", nil, .switched, "", "use no local cache"),
    Flag(
        "cacert",
        nil,
        .list,
        "file",
        "trust the root certificates in this file; for network storage (default: $RESTIC_CACERT)"
    ),
    Flag(
        "tls-client-cert",
        nil,
        .string,
        "file",
        "PEM file with client certificate and key; for network storage (default: $RESTIC_TLS_CLIENT_CERT)"
    ),
    Flag(
        "insecure-no-password",
        nil,
        .switched,
        "",
        "work with an empty password; every command needs it then (insecure)"
    ),
    Flag("insecure-tls", nil, .switched, "", "do not verify TLS certificates; for network storage (insecure)"),
    Flag("cleanup-cache", nil, .switched, "", "remove old cache directories"),
    Flag(
        "compression",
        nil,
        .checked(compressionComplaint),
        "mode",
        "how to compress in a version 2 repository: auto, off, fastest, better or max (default: $RESTIC_COMPRESSION)",
        defaultText: "auto"
    ),
    Flag("no-extra-verify", nil, .switched, "", "do not check data once more before it is stored"),
    Flag("limit-upload", nil, .integer, "rate", "write at most this many KiB a second (default: no limit)"),
    Flag("limit-download", nil, .integer, "rate", "read at most this many KiB a second (default: no limit)"),
    Flag("pack-size", nil, .unsigned, "size", "aim for packs of this many MiB (default: $RESTIC_PACK_SIZE)"),
    Flag("option", "o", .list, "key=value", "set an extended option; may be repeated"),
    Flag("http-user-agent", nil, .string, "string", "the user agent of HTTP requests; for network storage"),
    Flag(
        "stuck-request-timeout",
        nil,
        .duration,
        "duration",
        "repeat requests that hang this long; for network storage",
        defaultText: "5m0s"
    ),
    Flag("help", "h", .switched, "", "show this help"),
]

/// Complains about a word that names no compression mode.
func compressionComplaint(_ value: ByteString) -> Text? {
    ["auto", "off", "fastest", "better", "max"].contains(value.display)
        ? nil : "invalid compression mode \(quoted(value)), must be one of (auto|off|fastest|better|max)"
}
