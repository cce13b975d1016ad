package import Bytes
package import HostSystem
import Synchronization

/// What happens to a file that is in the way.
package enum OverwriteMode: String, Sendable, Hashable, CaseIterable {
    /// Content is compared, and only what differs is written.
    case always
    /// As `always`, but a file of equal size and time is taken as equal.
    case ifChanged = "if-changed"
    /// Only when the snapshot's file is newer.
    case ifNewer = "if-newer"
    case never
}

/// One restore, as asked for.
package struct RestoreRequest: Sendable {
    /// Root of what is restored: a snapshot's tree or a directory in it.
    package var tree: BlobID
    /// Directory that receives it; created when missing.
    package var target: ByteString
    /// At most one of the two kinds of lists is used; an item is restored when any include list, or no exclude list, matches.
    package var includes: [PatternList] = []
    package var excludes: [PatternList] = []
    package var overwrite = OverwriteMode.always
    /// Remove what is in the target and not in the snapshot.
    package var delete = false
    /// A file that differs is written anew beside it and takes its place when it is whole, instead of being patched where it stands.
    ///
    /// At every moment the old one or the new one is there. Cost: what they have in common is read again.
    package var replacesWhole = false
    package var sparse = false
    package var isDryRun = false
    package var ownershipByName = false
    /// Decides which extended attributes are restored.
    package var wantsAttribute: @Sendable (ByteString) -> Bool = { _ in true }
    /// Sees every system call on the target; for tests (fault-plan 2.3).
    package var hooks: SystemHooks?

    package init(tree: BlobID, target: ByteString) {
        self.tree = tree
        self.target = target
    }
}

/// What became of one item of a restore.
package enum RestoreAction: Sendable, Hashable {
    case directoryRestored
    case fileRestored
    case fileUpdated
    case fileUnchanged
    case otherRestored
    case deleted
}

/// Hears of each item; called from any task, and must return quickly.
package protocol RestoreObserver: Sendable {
    func completed(_ action: RestoreAction, path: ByteString, size: UInt64)
    /// What stands there is something else than the snapshot has, and gives way to it; in a dry run: would. What is removed by
    /// `delete` without anything in its place is not told here.
    func replaces(path: ByteString)
    /// An item that could not be restored, or not completely; the restore goes on.
    func failed(path: ByteString, error: any Error)
    /// Once for the whole restore: what this user may not set.
    func warned(_ message: String)
}

extension RestoreObserver {
    package func replaces(path: ByteString) {}
}

/// Numbers of a restore as restic counts them.
package struct RestoreProgress: Sendable, Hashable {
    package var filesTotal: UInt64 = 0
    package var filesFinished: UInt64 = 0
    package var filesSkipped: UInt64 = 0
    package var filesDeleted: UInt64 = 0
    package var bytesTotal: UInt64 = 0
    package var bytesWritten: UInt64 = 0
    package var bytesSkipped: UInt64 = 0
    package var errors: UInt64 = 0

    package init() {}
}

/// Progress of a running restore, polled by whoever shows it.
package final class RestoreCounters: Sendable {
    private let state = Mutex(RestoreProgress())

    package init() {}

    package var progress: RestoreProgress { state.withLock { $0 } }

    func update(_ body: (inout RestoreProgress) -> Void) { state.withLock { body(&$0) } }
}

/// What a restore did.
package struct RestoreResult: Sendable {
    package var progress: RestoreProgress
    /// Regular files that were written or compared, for `verify`.
    package var files: [RestoredFile]
    /// Seconds from start to end.
    package var duration: Double
}

/// A file that a restore wrote, and what it must hold.
package struct RestoredFile: Sendable {
    /// Path below the target, `/dir/file`.
    package var path: ByteString
    package var content: [BlobID]
}
