/// Bounds on what is believed to be a secret or to hold one (L5).
package enum SecretLimits {
    /// Bytes of one secret; a PBS key file has 300, the longest SSH key 4 KiB.
    package static let secretBytes = 64 << 10
    /// Time for a command: a person touches a key, or an agent asks a server.
    package static let commandNanoseconds: UInt64 = 60_000_000_000
    /// Bytes kept of what a command complains.
    package static let complaintBytes = 4 << 10
    /// Characters shown of it.
    package static let complaintShown = 160

    // MARK: vault

    /// Characters of one sealed text; the server's own bound for notes is a tenth.
    package static let vaultTextBytes = 1 << 20
    /// Bytes of an answer that is not the whole vault.
    package static let answerBytes = 1 << 20
    /// Bytes of the whole vault; two thousand items have about 5 MiB.
    package static let syncBytes = 64 << 20
    /// Seconds for a connection, and for one question with its whole answer.
    package static let connectSeconds = 10
    package static let answerSeconds = 60
    /// After which a vault that did not answer is asked again by the same process: a daemon outlives an outage.
    package static let outageSeconds = 60
    /// Before its end, a token is renewed.
    package static let tokenMarginSeconds = 300
    /// Old passwords that an item keeps, as the vault's own clients have it.
    package static let passwordHistory = 5

    // MARK: sealed copy

    /// Bytes of the file.
    package static let cacheBytes = 8 << 20
    /// Days after which using a sealed copy is told louder.
    package static let cacheDays = 30
}
