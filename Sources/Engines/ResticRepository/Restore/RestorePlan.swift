import Bytes
import ResticFormat
import Synchronization

/// The directories of a restore, as numbers: a path of 10,000 components costs one entry a level and not one string.
struct DirectoryTable: Sendable {
    private struct Record: Sendable {
        var parent: Int32
        var name: ByteString
    }

    private var records = [Record(parent: -1, name: "")]

    static let root: Int32 = 0

    mutating func add(_ name: ByteString, in parent: Int32) -> Int32 {
        records.append(Record(parent: parent, name: name))
        return Int32(records.count - 1)
    }

    /// Path below the target without a leading slash; empty for the target itself.
    func relativePath(_ directory: Int32, _ name: ByteString? = nil) -> ByteString {
        var parts: [[UInt8]] = []
        if let name { parts.append(name.bytes) }
        var current = directory
        while current > 0 {
            parts.append(records[Int(current)].name.bytes)
            current = records[Int(current)].parent
        }
        return ByteString(Array(parts.reversed().joined(separator: [UInt8(ascii: "/")])))
    }

    /// Path as people see it: `/dir/file`.
    func shownPath(_ directory: Int32, _ name: ByteString? = nil) -> ByteString {
        ByteString([UInt8(ascii: "/")] + relativePath(directory, name).bytes)
    }
}

/// One regular file to be written, whole or in parts.
final class FileToRestore: Sendable {
    let directory: Int32
    let node: Node
    /// Offset of each blob in the file, and the size behind the last.
    let offsets: [UInt64]
    /// Blobs that the existing file holds already at their place; nil when the file is made new.
    let existing: [Bool]?
    private let state: Mutex<State>

    private struct State {
        var remaining: Int
        var isFailed = false
    }

    init(directory: Int32, node: Node, offsets: [UInt64], existing: [Bool]?) {
        self.directory = directory
        self.node = node
        self.offsets = offsets
        self.existing = existing
        let present = existing?.reduce(0) { $0 + ($1 ? 1 : 0) } ?? 0
        state = Mutex(State(remaining: offsets.count - 1 - present))
    }

    var isUpdate: Bool { existing != nil }
    var size: UInt64 { offsets.last ?? 0 }
    var isFailed: Bool { state.withLock { $0.isFailed } }
    var isComplete: Bool { state.withLock { $0.remaining == 0 } }

    /// Counts a written blob; true when it was the last and the caller finishes the file.
    func blobWritten() -> Bool {
        state.withLock { state in
            state.remaining -= 1
            return state.remaining == 0 && !state.isFailed
        }
    }

    /// True the first time: the caller reports the file.
    func markFailed() -> Bool {
        state.withLock { state in
            defer { state.isFailed = true }
            return !state.isFailed
        }
    }
}

/// What the first pass found out.
struct RestorePlan: Sendable {
    var directories = DirectoryTable()
    var files: [FileToRestore] = []
    /// First path of each file with several names.
    var hardLinks = HardLinkTable()
    /// Files that the second pass must not touch, because the overwrite mode says so.
    var restoredPlaces: Set<Place> = []

    struct Place: Hashable, Sendable {
        var directory: Int32
        var name: ByteString
    }
}

/// Names of files that share an inode.
struct HardLinkTable: Sendable {
    private struct Key: Hashable, Sendable {
        var inode: UInt64
        var device: UInt64
    }

    private var first: [Key: RestorePlan.Place] = [:]

    /// The place of the first name met, when there was one.
    func place(_ node: Node) -> RestorePlan.Place? {
        node.links > 1 ? first[Key(inode: node.inode, device: node.deviceID)] : nil
    }

    mutating func add(_ node: Node, at place: RestorePlan.Place) {
        guard node.links > 1 else { return }
        first[Key(inode: node.inode, device: node.deviceID)] = place
    }
}
