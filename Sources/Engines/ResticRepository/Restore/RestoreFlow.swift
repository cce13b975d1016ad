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
    let guarded: TargetGuard
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
        guarded: TargetGuard,
        target: Directory?,
        targetIsNew: Bool
    ) {
        self.request = request
        self.repository = repository
        self.observer = observer
        self.counters = counters
        self.guarded = guarded
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
        if Self.isAcceptable(node) { return true }
        deletionForbidden.store(true, ordering: .relaxed)
        failed(path(), WalkProblem.hostileName(node.name))
        return false
    }

    static func isAcceptable(_ node: Node) -> Bool { node.name.isSingleComponent && node.name.bytes.count <= 255 }

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

    func bytesWritten(_ count: UInt64) {
        if count > 0 { counters.update { $0.bytesWritten += count } }
    }

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
        present.map { request.overwrite.allows(replacing: $0, modified: node.mtime.moment) } ?? true
    }

    /// Gives what was made under a temporary name its own: the commit point of an entry (L4).
    ///
    /// Errors: `Errno`; `RestoreProblem.directoryInTheWay`, or `.nameTaken` after it got another name because its own, which was free,
    /// now belongs to another entry: the file system takes two names for one, or somebody was faster (H-07).
    func commit(_ temporary: ByteString, as name: ByteString, in directory: Directory, isExpectedFree: Bool) throws {
        if isExpectedFree {
            do throws(Errno) {
                return try directory.renameWithoutReplacing(temporary, to: name, in: directory)
            } catch {
                if error.kind != .exists { throw error }
            }
            let other = TemporaryNames.alternative(name)
            try directory.rename(temporary, to: other, in: directory)
            throw RestoreProblem.nameTaken(other)
        }
        do throws(Errno) {
            return try directory.rename(temporary, to: name, in: directory)
        } catch {
            if error.kind != .isDirectory { throw error }
        }
        if request.delete {
            try TreeRemoval(guarded: guarded).remove(name, in: directory)
        } else {
            // An empty one gives way, as in restic; anything else stays.
            do throws(Errno) { try directory.removeDirectory(name) } catch {
                if error.kind == .notEmpty { throw RestoreProblem.directoryInTheWay }
                throw error
            }
        }
        try directory.rename(temporary, to: name, in: directory)
    }
}

extension OverwriteMode {
    /// Whether an entry of that time may take the place of what has that status.
    func allows(replacing present: FileStatus, modified: Timestamp) -> Bool {
        switch self {
        case .always, .ifChanged: true
        case .ifNewer: present.modified < modified
        case .never: false
        }
    }
}

extension Directory {
    /// The status of an entry, or nil when there is none.
    func statusIfPresent(_ name: ByteString) throws(Errno) -> FileStatus? {
        do throws(Errno) { return try status(name) } catch  where error.kind == .missing { return nil }
    }
}
