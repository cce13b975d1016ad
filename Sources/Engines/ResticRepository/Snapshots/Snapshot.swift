package import Bytes
package import ResticFormat
import Strategy

/// A snapshot file: its name and what it says.
package struct Snapshot: Sendable {
    package var id: SnapshotID
    package var document: SnapshotDocument

    package init(id: SnapshotID, document: SnapshotDocument) {
        self.id = id
        self.document = document
    }

    /// The order of snapshots, oldest first: by moment, and by name where two have the same nanosecond (F-04), so that
    /// "the latest" is the same snapshot for everybody who asks.
    package static func isOlder(_ left: Snapshot, than right: Snapshot) -> Bool {
        let (first, second) = (left.document.time.moment, right.document.time.moment)
        return first != second ? first < second : left.id < right.id
    }
}

extension [Snapshot] {
    /// Oldest first; see `Snapshot.isOlder`.
    package func sortedByTime() -> [Snapshot] { sorted { Snapshot.isOlder($0, than: $1) } }
}

extension Snapshot: DatedCopy {
    package var time: ZonedTime { document.time }
    package var tags: [ByteString] { document.tags }
}

/// A snapshot as people name it: `latest`, the start of its name, and behind a colon a folder inside it.
package struct SnapshotName: Sendable, Hashable {
    /// `latest`, or 1…64 hexadecimal digits.
    package var name: String
    /// What stands behind the first colon, as given; nil without a colon or when nothing follows it.
    package var subfolder: ByteString?

    package static let latest = "latest"

    /// Splits `SNAP` or `SNAP:SUB` at the first colon.
    package init(_ text: ByteString) {
        let parts = text.bytes.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        name = String(decoding: parts.first ?? [], as: UTF8.self)
        guard parts.count == 2, !parts[1].isEmpty else { return }
        subfolder = ByteString(Array(parts[1]))
    }

    package var isLatest: Bool { name == Self.latest }
}
