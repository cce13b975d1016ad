package import Bytes
import ResticRepository
import Synchronization

/// What a restore would do to the place that it goes to.
package struct RestorePreview: Sendable {
    /// Paths of what would be lost that are kept.
    static let lossesKept = 1_000_000
    /// Items that cannot be read that are kept.
    private static let faultsKept = 3

    /// Files that would be written, whether anything stands there or not.
    package var writtenFiles = 0
    package var unchangedFiles = 0
    /// What stands there and would be replaced by something else.
    package var replaced = 0
    /// What would be removed and not replaced.
    package var deleted = 0
    /// Bytes that would be written.
    package var bytes: UInt64 = 0
    /// Paths below the place of what would be replaced or removed; at most a million of them.
    package var losses: [ByteString] = []
    /// What the place does not allow, with the reason.
    package var obstacles: [String] = []
    /// Items of the copy that cannot be read.
    var faults = 0
    private var shownFaults: [String] = []
    /// Those of them that the repository's bytes are at fault for.
    private(set) var damage = MetDamage()

    /// Nothing that is there would be lost.
    package var isHarmless: Bool { replaced == 0 && deleted == 0 }

    /// Why the copy cannot give everything; nil when nothing is known against it.
    var faultText: String? {
        guard faults > 0 else { return nil }
        let more = faults > shownFaults.count ? ", and \(faults - shownFaults.count) more" : ""
        return "\(shownFaults.joined(separator: "; "))\(more)"
    }

    fileprivate mutating func lose(_ path: ByteString) {
        if losses.count < Self.lossesKept { losses.append(path) }
    }

    fileprivate mutating func fail(_ path: ByteString, _ error: any Error) {
        let text = "\(path.display): \(error)"
        guard isFaultOfCopy(error) else {
            if obstacles.count < Self.faultsKept { obstacles.append(text) }
            return
        }
        faults += 1
        damage.add(path, error)
        if shownFaults.count < Self.faultsKept { shownFaults.append(text) }
    }
}

/// Counts what a dry run tells.
final class PreviewCounter: RestoreObserver {
    private let state = Mutex(RestorePreview())

    var preview: RestorePreview { state.withLock { $0 } }

    func completed(_ action: RestoreAction, path: ByteString, size: UInt64) {
        state.withLock { state in
            switch action {
            case .fileRestored, .fileUpdated:
                state.writtenFiles += 1
                state.bytes += size
            case .deleted:
                state.deleted += 1
                state.lose(path)
            case .fileUnchanged: state.unchangedFiles += 1
            case .directoryRestored, .otherRestored: break
            }
        }
    }

    func replaces(path: ByteString) {
        state.withLock { state in
            state.replaced += 1
            state.lose(path)
        }
    }

    func failed(path: ByteString, error: any Error) { state.withLock { $0.fail(path, error) } }
    func warned(_ message: String) {}
}
