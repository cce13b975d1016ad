import Bytes
import HostSystem
import Outcome
import ResticFormat
import Synchronization

/// What all tasks of one restore share.
final class RestoreFlow: Sendable {
    let request: RestoreRequest
    let repository: Repository
    let observer: any RestoreObserver
    let counters: RestoreCounters
    let selection: RestoreSelection
    let metadata: MetadataWriter
    /// The target; nil in a dry run into a directory that is not there.
    let target: Directory?
    /// True when this restore made the target.
    let targetIsNew: Bool
    private let deletionForbidden = Atomic<Bool>(false)

    init(
        request: RestoreRequest,
        repository: Repository,
        observer: any RestoreObserver,
        counters: RestoreCounters,
        target: Directory?,
        targetIsNew: Bool
    ) {
        self.request = request
        self.repository = repository
        self.observer = observer
        self.counters = counters
        self.target = target
        self.targetIsNew = targetIsNew
        selection = RestoreSelection(request)
        metadata = MetadataWriter(request)
    }

    /// False when a hostile name was met: then nothing is deleted any more.
    var mayDelete: Bool { request.delete && !deletionForbidden.load(ordering: .relaxed) }

    /// Records an item that could not be restored.
    func failed(_ path: ByteString, _ error: any Error) {
        counters.update { $0.errors += 1 }
        observer.failed(path: path, error: error)
    }

    /// Refuses names that are not one component (H-01).
    func isAcceptable(_ node: Node, at path: @autoclosure () -> ByteString) -> Bool {
        if node.name.isSingleComponent, node.name.bytes.count <= 255 { return true }
        deletionForbidden.store(true, ordering: .relaxed)
        failed(path(), WalkProblem.hostileName(node.name))
        return false
    }

    // MARK: counting as restic counts

    func itemAnnounced(bytes: UInt64 = 0) {
        counters.update { progress in
            progress.filesTotal += 1
            progress.bytesTotal += bytes
        }
    }

    func skipped(_ path: ByteString, bytes: UInt64) {
        counters.update { progress in
            progress.filesSkipped += 1
            progress.bytesSkipped += bytes
        }
        observer.completed(.fileUnchanged, path: path, size: bytes)
    }

    func bytesWritten(_ count: UInt64) { counters.update { $0.bytesWritten += count } }

    func finished(_ action: RestoreAction, _ path: ByteString, size: UInt64 = 0) {
        counters.update { $0.filesFinished += 1 }
        observer.completed(action, path: path, size: size)
    }

    func deleted(_ path: ByteString) {
        counters.update { $0.filesDeleted += 1 }
        observer.completed(.deleted, path: path, size: 0)
    }

    // MARK: overwriting

    /// Whether the mode lets this node replace what stands there with that status.
    func mayOverwrite(_ node: Node, _ present: FileStatus?) -> Bool {
        guard let present else { return true }
        switch request.overwrite {
        case .always, .ifChanged: return true
        case .ifNewer: return present.modified < node.mtime.moment
        case .never: return false
        }
    }
}

extension Directory {
    /// The status of an entry, or nil when there is none.
    func statusIfPresent(_ name: ByteString) throws(Errno) -> FileStatus? {
        do throws(Errno) { return try status(name) } catch  where error.kind == .missing { return nil }
    }
}
