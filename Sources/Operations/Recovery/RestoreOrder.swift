package import Bytes
import Outcome
import ResticFormat
package import ResticRepository

/// Where a restore goes to.
package enum RestorePlace: Sendable, Hashable {
    /// A folder, absolute; made when it is not there.
    case folder(ByteString)
    /// A folder below that one, named after the workload and the moment of the copy: the same for the same copy.
    case newFolder(below: ByteString)
    /// Where everything came from.
    case original
}

/// One restore of a workload, as asked for.
package struct WorkloadRestoreRequest: Sendable {
    package var wish: CopyWish
    /// Absolute paths in the snapshot, without `.` and `..`; empty: all of it.
    package var paths: [ByteString] = []
    package var place: RestorePlace
    /// Removes what is at the place, below the paths, and not in the snapshot.
    package var deletes = false

    package init(_ wish: CopyWish, to place: RestorePlace) {
        self.wish = wish
        self.place = place
    }
}

/// A restore that was looked into and not begun.
package struct PreparedRestore: Sendable {
    package var request: WorkloadRestoreRequest
    package var choice: CopyChoice
    package var preview: RestorePreview
    /// Folder that receives it.
    package var target: ByteString

    package var isInPlace: Bool { request.place == .original }

    /// What of the copy is brought back; empty: all of it.
    ///
    /// In place, nothing but what the snapshot was made of is touched.
    var paths: [ByteString] {
        request.paths.isEmpty && isInPlace ? choice.copy.snapshot.document.paths : request.paths
    }

    /// The restore for the engine, of a copy and some of the paths.
    func engineRequest(_ copy: FoundCopy, only paths: [ByteString]) throws -> RestoreRequest {
        guard let tree = copy.snapshot.document.tree else {
            throw RecoveryFailure(
                .damaged,
                operation: "restore",
                object: "snapshot \(copy.snapshot.id.short)",
                what: "names no tree: it holds nothing",
                state: "nothing was changed",
                next: "take another one with --snapshot or --from"
            )
        }
        var restoring = RestoreRequest(tree: tree, target: target)
        if !paths.isEmpty { restoring.includes = [PatternList(paths.map(\.asPattern))] }
        restoring.delete = request.deletes
        restoring.replacesWhole = true
        return restoring
    }
}

/// What a restore did.
package struct WorkloadRestored: Sendable {
    package var progress: RestoreProgress
    /// Seconds from its start to its end.
    package var seconds: Double
    /// What could not be brought back, with the reason.
    package var failed: [FailedItem]
    /// What this user may not set.
    package var warnings: [String]

    /// One that could not be brought back, or not completely.
    package struct FailedItem: Sendable {
        package var path: ByteString
        package var reason: String
        /// The copy is wrong, and not the place: another copy may be right.
        package var isDamage: Bool
    }

    /// Paths that another copy may have right.
    package var damaged: [ByteString] { failed.filter(\.isDamage).map(\.path) }

    /// What a second attempt at the damaged ones brought takes the place of their damage.
    package mutating func add(_ again: WorkloadRestored) {
        failed = failed.filter { !$0.isDamage } + again.failed
        progress.filesFinished += again.progress.filesFinished
        progress.bytesWritten += again.progress.bytesWritten
        seconds += again.seconds
        for warning in again.warnings where !warnings.contains(warning) { warnings.append(warning) }
    }
}

extension ByteString {
    /// A pattern that matches this path and nothing else.
    fileprivate var asPattern: ByteString {
        ByteString(bytes.flatMap { "\\*?[".utf8.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] })
    }

    /// The folders above an absolute path, without the root.
    var foldersAbove: [ByteString] {
        bytes.indices.dropFirst().filter { bytes[$0] == UInt8(ascii: "/") }.map { ByteString(Array(bytes[..<$0])) }
    }

    /// The last part of a path.
    var lastName: ByteString { ByteString(Array(bytes.split(separator: UInt8(ascii: "/")).last ?? [])) }
}
