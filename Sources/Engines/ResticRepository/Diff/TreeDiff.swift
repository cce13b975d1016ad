package import Bytes
package import ResticFormat

/// One difference between two trees: `+`, `-`, or what changed of an item that both have (`T`, `M`, `?`, `U` in this order).
package struct TreeChange: Sendable, Hashable {
    package var modifier: String
    /// From the compared roots; directories end in a slash.
    package var path: ByteString
}

/// What is in one of the two trees alone; sizes in bytes.
package struct DiffCounts: Sendable, Hashable {
    package var files = 0
    package var directories = 0
    package var others = 0
    package var dataBlobs = 0
    package var treeBlobs = 0
    package var bytes: UInt64 = 0

    fileprivate mutating func add(_ node: Node) {
        switch node.type {
        case .file: files += 1
        case .directory: directories += 1
        case .symlink, .device, .characterDevice, .fifo, .socket, .irregular, .other: others += 1
        }
    }
}

/// The sums of a comparison.
package struct DiffTotals: Sendable, Hashable {
    package var changedFiles = 0
    package var added = DiffCounts()
    package var removed = DiffCounts()
}

/// Compares two trees, entry by entry in the order of names.
///
/// Subtrees with the same identifier are not listed, only counted. Memory: the trees from both roots to the current place, a
/// byte a blob of the repository. Isolation: one task.
package final class TreeDiff {
    private enum Side: UInt8 {
        case before = 1
        case after = 2
        case common = 4
    }

    private struct Blob: Hashable {
        var type: BlobType
        var id: BlobID
    }

    /// A directory being read on one side or on both.
    private struct Level {
        var left: PeekingReader?
        var right: PeekingReader?
        var prefix: [UInt8]
        /// Both sides are the same tree: nothing is shown.
        var isCommon = false
    }

    private let repository: Repository
    private let worker: BlobWorker
    private let showsMetadata: Bool
    private let changed: (TreeChange) throws -> Void
    private let problem: (any Error) -> Void
    private var levels: [Level] = []
    private var marks: [UInt8]
    /// Blobs that no index names.
    private var strangers: [Blob: UInt8] = [:]
    private var totals = DiffTotals()

    /// `changed` hears of each difference, `problem` of each directory that cannot be compared; the rest goes on.
    package init(
        _ repository: Repository,
        showsMetadata: Bool,
        changed: @escaping (TreeChange) throws -> Void,
        problem: @escaping (any Error) -> Void
    ) {
        self.repository = repository
        self.showsMetadata = showsMetadata
        self.changed = changed
        self.problem = problem
        worker = repository.makeWorker()
        marks = [UInt8](repeating: 0, count: repository.index.blobCount)
    }

    /// Compares; the roots themselves have to be readable.
    ///
    /// `unknownSize` hears of each blob in the sums that no index names.
    package func compare(
        _ before: BlobID,
        _ after: BlobID,
        unknownSize: (BlobType, BlobID) -> Void
    ) async throws -> DiffTotals {
        mark(.tree, before, .before)
        mark(.tree, after, .after)
        levels = [
            Level(
                left: PeekingReader(try await load(before)),
                right: PeekingReader(try await load(after)),
                prefix: [0x2f]
            )
        ]
        while let last = levels.indices.last {
            try Task.checkCancellation()
            do {
                guard try await step(last) else {
                    levels.removeLast()
                    continue
                }
            } catch let error as DirectoryFailure {
                // The directory could not be entered; its parent goes on.
                problem(error.cause)
            } catch let error as FormatError {
                guard last > 0 else { throw error }
                problem(error)
                levels.removeSubrange(last...)
            }
        }
        sumBlobs(unknownSize)
        return totals
    }

    private func load(_ tree: BlobID) async throws -> TreeReader {
        TreeReader(try await repository.loadTree(tree, worker: worker))
    }

    /// The next name of the current directory; false at its end.
    private func step(_ number: Int) async throws -> Bool {
        let left = try levels[number].left?.peek()
        let right = try levels[number].right?.peek()
        let level = levels[number]
        switch (left, right) {
        case (nil, nil): return false
        case (let left?, nil):
            levels[number].left?.drop()
            try await single(left, .before, level)
        case (nil, let right?):
            levels[number].right?.drop()
            try await single(right, .after, level)
        case (let left?, let right?):
            if left.name < right.name {
                levels[number].left?.drop()
                try await single(left, .before, level)
            } else if right.name < left.name {
                levels[number].right?.drop()
                try await single(right, .after, level)
            } else {
                levels[number].left?.drop()
                levels[number].right?.drop()
                try await pair(left, right, level)
            }
        }
        return true
    }

    private func single(_ node: Node, _ side: Side, _ level: Level) async throws {
        markBlobs(node, level.isCommon ? .common : side)
        if !level.isCommon {
            try changed(TreeChange(modifier: side == .before ? "-" : "+", path: path(node, level)))
            if side == .before { totals.removed.add(node) } else { totals.added.add(node) }
        }
        guard node.type == .directory else { return }
        let reader = try await enter(node)
        levels.append(
            Level(
                left: side == .before ? reader : nil,
                right: side == .after ? reader : nil,
                prefix: path(node, level).bytes,
                isCommon: level.isCommon
            )
        )
    }

    private func pair(_ left: Node, _ right: Node, _ level: Level) async throws {
        markBlobs(left, .before)
        markBlobs(right, .after)
        let modifier = compareNodes(left, right)
        if !modifier.isEmpty { try changed(TreeChange(modifier: modifier, path: path(right, level))) }
        guard left.type == .directory, right.type == .directory else { return }
        let isCommon = left.subtree == right.subtree
        let first = try await enter(left)
        let second = isCommon ? nil : try await enter(right)
        levels.append(Level(left: first, right: second, prefix: path(right, level).bytes, isCommon: isCommon))
    }

    private func compareNodes(_ left: Node, _ right: Node) -> String {
        var modifier = left.type == right.type ? "" : "T"
        if left.type == .file, right.type == .file, left.content != right.content {
            modifier += "M"
            totals.changedFiles += 1
            if isSame(left, right, ignoringContent: true) { modifier += "?" }
        } else if showsMetadata, !isSame(left, right, ignoringContent: false) {
            modifier += "U"
        }
        return modifier
    }

    /// Equal in all that a backup records; moments count, not the zones they were written in.
    private func isSame(_ left: Node, _ right: Node, ignoringContent: Bool) -> Bool {
        var (left, right) = (left, right)
        guard left.mtime.moment == right.mtime.moment, left.atime.moment == right.atime.moment,
            left.ctime.moment == right.ctime.moment
        else { return false }
        (right.mtime, right.atime, right.ctime) = (left.mtime, left.atime, left.ctime)
        if ignoringContent { right.content = left.content }
        left.extendedAttributes.sort { $0.name < $1.name }
        right.extendedAttributes.sort { $0.name < $1.name }
        return left == right
    }

    private func enter(_ node: Node) async throws -> PeekingReader {
        guard levels.count < Limits.walkDepthMax else { throw DirectoryFailure(cause: WalkProblem.disorder(node.name)) }
        guard let subtree = node.subtree else { throw DirectoryFailure(cause: WalkProblem.noSubtree(node.name)) }
        do { return PeekingReader(try await load(subtree)) } catch let error where !(error is CancellationError) {
            throw DirectoryFailure(cause: error)
        }
    }

    private func path(_ node: Node, _ level: Level) -> ByteString {
        ByteString(level.prefix + node.name.bytes + (node.type == .directory ? [0x2f] : []))
    }

    // MARK: blobs

    private func markBlobs(_ node: Node, _ side: Side) {
        if node.type == .file {
            for id in node.content ?? [] { mark(.data, id, side) }
        } else if node.type == .directory, let subtree = node.subtree {
            mark(.tree, subtree, side)
        }
    }

    private func mark(_ type: BlobType, _ id: BlobID, _ side: Side) {
        if let entry = repository.index.firstEntry(type, id) {
            marks[entry] |= side.rawValue
        } else {
            strangers[Blob(type: type, id: id), default: 0] |= side.rawValue
        }
    }

    private func sumBlobs(_ unknownSize: (BlobType, BlobID) -> Void) {
        for (entry, mark) in marks.enumerated() where mark == Side.before.rawValue || mark == Side.after.rawValue {
            let blob = repository.index.location(ofEntry: entry)
            add(blob.type, UInt64(blob.plainLength), mark)
        }
        for (blob, mark) in strangers where mark == Side.before.rawValue || mark == Side.after.rawValue {
            add(blob.type, 0, mark)
            unknownSize(blob.type, blob.id)
        }
    }

    private func add(_ type: BlobType, _ bytes: UInt64, _ mark: UInt8) {
        let isRemoved = mark == Side.before.rawValue
        var counts = isRemoved ? totals.removed : totals.added
        if type == .data { counts.dataBlobs += 1 } else { counts.treeBlobs += 1 }
        counts.bytes += bytes
        if isRemoved { totals.removed = counts } else { totals.added = counts }
    }
}

private struct DirectoryFailure: Error {
    let cause: any Error
}

/// A reader that can be asked for its next node without taking it.
private struct PeekingReader {
    private var reader: TreeReader
    private var waiting: Node?

    init(_ reader: TreeReader) { self.reader = reader }

    mutating func peek() throws -> Node? {
        if waiting == nil { waiting = try reader.next() }
        return waiting
    }

    mutating func drop() { waiting = nil }
}
