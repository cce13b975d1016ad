package import Bytes

/// A snapshot as a store showed it, as far as the strategy looks at it.
package struct ObservedSnapshot: Sendable, Hashable, DatedCopy {
    package var id: String
    /// When it was begun.
    package var time: ZonedTime
    package var tags: [ByteString]
    /// False when sources could not be read: it holds what could.
    package var isComplete: Bool
    /// Of the files in it; nil where the snapshot does not say.
    package var sourceBytes: UInt64?

    package init(
        id: String,
        time: ZonedTime,
        tags: [ByteString] = [],
        isComplete: Bool = true,
        sourceBytes: UInt64? = nil
    ) {
        self.id = id
        self.time = time
        self.tags = tags
        self.isComplete = isComplete
        self.sourceBytes = sourceBytes
    }
}
