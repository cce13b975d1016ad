/// Every bound of this module, so that no input decides how much memory, depth or time it costs (L5).
package enum FormatLimits {
    /// Nesting of JSON objects and arrays; restic's own documents need six.
    ///
    /// Bounds the state of the reader (fault-plan I-03).
    package static let jsonDepthMax = 128

    /// Bytes of a config, key or lock document, and of a master key; real ones are below 1 KiB.
    package static let smallDocumentBytesMax = 1 << 20

    /// Bytes of a snapshot document.
    ///
    /// Its path list holds every name of `--files-from`, so a million paths must fit.
    package static let snapshotBytesMax = 256 << 20

    /// Bytes of one index document: a full pack header more than restic's 50,000 entries is below 100 MiB.
    package static let indexBytesMax = 1 << 30

    /// Bytes of one tree document: about ten million entries.
    ///
    /// Callers bound what they load by their own budget first.
    package static let treeBytesMax = 4 << 30

    /// Entries of one directory.
    package static let nodesPerTreeMax = 16 << 20

    /// Bytes of a name, owner, link target or error text of a node.
    ///
    /// Linux allows 255 and 4,096; other systems a little more.
    package static let nodeTextBytesMax = 1 << 20

    /// Extended or generic attributes of one node; Linux keeps all names of a file within 64 KiB.
    package static let attributesPerNodeMax = 1 << 16

    /// Plaintext bytes of a pack header: restic allows 16 MiB for the sealed header.
    package static let packHeaderBytesMax = 16 << 20

    /// What sealing adds to every blob and header: a 16-byte IV and a 16-byte MAC.
    package static let sealOverhead = 32
}
