package import Bytes
import ResticRepository
import Synchronization

/// What a restore would do to the place that it goes to, in counts.
package struct RestorePreview: Sendable, Hashable {
    /// Paths that are kept of each kind.
    package static let shown = 5

    package var newFiles = 0
    package var unchangedFiles = 0
    /// Files whose content would be replaced.
    package var overwritten = 0
    package var deleted = 0
    /// Bytes that would be written.
    package var bytes: UInt64 = 0
    /// The first of those that would be replaced or removed.
    package var losses: [ByteString] = []
    /// Whether the place exists.
    package var placeExists = false

    /// Nothing that is there would be lost.
    package var isHarmless: Bool { overwritten == 0 && deleted == 0 }
}

/// Counts what a dry run tells.
final class PreviewCounter: RestoreObserver {
    private let state = Mutex(RestorePreview())

    var preview: RestorePreview { state.withLock { $0 } }

    func completed(_ action: RestoreAction, path: ByteString, size: UInt64) {
        state.withLock { state in
            switch action {
            case .fileRestored:
                state.newFiles += 1
                state.bytes += size
            case .fileUpdated:
                state.overwritten += 1
                state.bytes += size
                state.note(path)
            case .deleted:
                state.deleted += 1
                state.note(path)
            case .fileUnchanged: state.unchangedFiles += 1
            case .directoryRestored, .otherRestored: break
            }
        }
    }

    func failed(path: ByteString, error: any Error) {}
    func warned(_ message: String) {}
}

extension RestorePreview {
    fileprivate mutating func note(_ path: ByteString) {
        if losses.count < Self.shown { losses.append(path) }
    }
}
