import Bytes
import HostSystem
import ResticFormat
import Synchronization

/// A file to be read, as the walk found it.
struct FileJob: Sendable {
    var directory: Directory
    /// Name in the source directory.
    var sourceName: ByteString
    var status: FileStatus
    var place: FilePlace
}

/// Where a file belongs in the snapshot.
struct FilePlace: Sendable {
    var tree: OpenTree
    var slot: Int
    var name: ByteString
    var previous: Node?
    var startedNanoseconds: UInt64
}

/// A file whose chunks are being saved, by one task or several.
///
/// The reader holds one part of `outstanding`; whoever lets go of the last part finishes the file.
final class FileInProgress: Sendable {
    struct Outcome {
        var content: [BlobID]
        var statistics: ItemStatistics
        var failure: (any Error)?
    }

    private struct State {
        var content: [BlobID] = []
        var statistics = ItemStatistics()
        var outstanding = 1
        var failure: (any Error)?
    }

    let place: FilePlace
    let node: Node
    private let state = Mutex(State())
    private let size = Atomic<UInt64>(0)

    init(place: FilePlace, node: Node) {
        self.place = place
        self.node = node
    }

    var bytesRead: UInt64 { size.load(ordering: .relaxed) }

    /// Announces the next chunk; returns its place in the file.
    func reserve(bytes: Int) -> Int {
        size.add(UInt64(bytes), ordering: .relaxed)
        return state.withLock { state in
            state.content.append(BlobID(.zero))
            state.outstanding += 1
            return state.content.count - 1
        }
    }

    /// Records a saved chunk; non-nil when the file is complete and the caller has to finish it.
    func saved(_ blob: SavedBlob, at position: Int, bytes: Int) -> Outcome? {
        state.withLock { state in
            state.content[position] = blob.id
            if blob.isNew {
                state.statistics.dataBlobs += 1
                state.statistics.dataSize += UInt64(bytes)
                state.statistics.dataSizeInRepository += UInt64(blob.storedBytes)
            }
            return Self.settle(&state)
        }
    }

    /// The reader is done, or failed.
    func readingEnded(_ failure: (any Error)?) -> Outcome? {
        state.withLock { state in
            state.failure = failure
            return Self.settle(&state)
        }
    }

    private static func settle(_ state: inout State) -> Outcome? {
        state.outstanding -= 1
        guard state.outstanding == 0 else { return nil }
        return Outcome(content: state.content, statistics: state.statistics, failure: state.failure)
    }
}
