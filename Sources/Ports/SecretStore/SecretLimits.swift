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
}
