import Bytes
import HostSystem
import ResticFormat

/// One directory on the way of the walk: either one that exists in the plan only, or a real one with its listing.
final class WalkFrame {
    let tree: OpenTree
    /// The parent snapshot's directory at this path.
    var parentTree: ParentTree?
    /// Path in the source, absolute and clean; derived from the frame above when wanted, so that deep trees stay small.
    let name: ByteString
    let above: WalkFrame?
    private let sourcePath: ByteString?
    let contents: Contents
    private(set) var position = 0

    enum Contents {
        case plan([(name: ByteString, plan: SourcePlan)])
        case directory(ListedDirectory)
    }

    /// A frame whose source path is known.
    init(tree: OpenTree, parentTree: ParentTree?, sourcePath: ByteString, contents: Contents) {
        self.tree = tree
        self.parentTree = parentTree
        self.sourcePath = sourcePath
        self.contents = contents
        name = ""
        above = nil
    }

    /// A directory found in the directory of another frame.
    init(tree: OpenTree, parentTree: ParentTree?, name: ByteString, above: WalkFrame, contents: Contents) {
        self.tree = tree
        self.parentTree = parentTree
        self.name = name
        self.above = above
        self.contents = contents
        sourcePath = nil
    }

    /// The next entry's number, or nil at the end.
    func nextPosition() -> Int? {
        let count =
            switch contents {
            case .plan(let children): children.count
            case .directory(let directory): directory.listing.count
            }
        guard position < count else { return nil }
        defer { position += 1 }
        return position
    }

    /// Absolute source path, of an entry when one is given.
    func absolutePath(of entry: ByteString? = nil) -> ByteString {
        var parts: [[UInt8]] = []
        if let entry { parts.append(entry.bytes) }
        var frame = self
        while frame.sourcePath == nil, let above = frame.above {
            parts.append(frame.name.bytes)
            frame = above
        }
        var bytes = frame.sourcePath?.bytes ?? []
        for part in parts.reversed() {
            if bytes.last != UInt8(ascii: "/") { bytes.append(UInt8(ascii: "/")) }
            bytes.append(contentsOf: part)
        }
        return ByteString(bytes)
    }
}

/// An open directory with its sorted listing; its descriptor can be let go and found again.
final class ListedDirectory {
    private(set) var handle: Directory?
    let listing: DirectoryListing
    let status: FileStatus
    /// Device on which entries may lie when the backup stays on one file system.
    let homeDevice: UInt64
    /// Answers of the exclude-if-present rules for this directory, once known.
    var markers: MarkerAnswers?

    init(handle: Directory, listing: DirectoryListing, status: FileStatus, homeDevice: UInt64) {
        self.handle = handle
        self.listing = listing
        self.status = status
        self.homeDevice = homeDevice
    }

    /// Closes the descriptor as far as we are concerned; files being read still hold it.
    func release() { handle = nil }

    /// Opens it again from a directory inside it; fails when the tree was moved meanwhile.
    func reopen(from child: Directory) throws(Errno) {
        guard handle == nil else { return }
        handle = try child.openParent(expecting: status)
    }
}
