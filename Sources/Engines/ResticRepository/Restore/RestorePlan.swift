import Bytes
import HostSystem
import Outcome
import ResticFormat

/// The directories of a restore, as numbers: a path of 10,000 components costs one entry a level and not one string.
///
/// Numbers follow the order of the walk, so the second walk finds them again by counting; `following` keeps the count right where
/// the two walks could not enter the same directories.
struct DirectoryTable: Sendable {
    private struct Record: Sendable {
        var parent: Int32
        /// The last number below it, or its own.
        var last: Int32
        var name: ByteString
        var isEntered = false
        var isDamaged = false
        var isNew = false
    }

    private var records = [Record(parent: -1, last: 0, name: "", isEntered: true)]

    static let root: Int32 = 0

    mutating func add(_ name: ByteString, in parent: Int32) -> Int32 {
        let number = Int32(records.count)
        records.append(Record(parent: parent, last: number, name: name))
        return number
    }

    /// Its entries follow.
    mutating func enter(_ number: Int32) { records[Int(number)].isEntered = true }

    /// All that is below it has its number by now.
    mutating func leave(_ number: Int32) { records[Int(number)].last = Int32(records.count - 1) }

    /// Some of its entries cannot be known.
    mutating func markDamaged(_ number: Int32) { records[Int(number)].isDamaged = true }

    func isDamaged(_ number: Int32) -> Bool { records[Int(number)].isDamaged }

    /// The restore made this directory, so that nothing foreign is in it.
    mutating func markNew(_ number: Int32) { records[Int(number)].isNew = true }

    /// True when the first walk could read the directory's tree.
    func isEntered(_ number: Int32) -> Bool { records[Int(number)].isEntered }

    func isNew(_ number: Int32) -> Bool { records[Int(number)].isNew }

    func parent(_ number: Int32) -> Int32 { records[Int(number)].parent }

    func name(_ number: Int32) -> ByteString { records[Int(number)].name }

    /// The number of the next directory that is not below this one.
    func following(_ number: Int32) -> Int32 { records[Int(number)].last + 1 }

    /// Whether the directory with that number has this name and this parent; false for numbers beyond the table.
    func holds(_ number: Int32, _ name: ByteString, in parent: Int32) -> Bool {
        Int(number) < records.count && records[Int(number)].parent == parent && records[Int(number)].name == name
    }

    /// Path below the target without a leading slash; empty for the target itself.
    func relativePath(_ directory: Int32) -> ByteString { ByteString(Array(shownPath(directory).bytes.dropFirst())) }

    /// Path as people see it: `/dir/file`.
    func shownPath(_ directory: Int32, _ name: ByteString? = nil) -> ByteString {
        var length = name.map { $0.bytes.count + 1 } ?? 0
        var current = directory
        while current > 0 {
            length += records[Int(current)].name.bytes.count + 1
            current = records[Int(current)].parent
        }
        guard length > 0 else { return "/" }
        var path = [UInt8](repeating: UInt8(ascii: "/"), count: length)
        var end = length
        func put(_ part: ByteString) {
            end -= part.bytes.count
            path.replaceSubrange(end..<end + part.bytes.count, with: part.bytes)
            end -= 1
        }
        if let name { put(name) }
        current = directory
        while current > 0 {
            put(records[Int(current)].name)
            current = records[Int(current)].parent
        }
        return ByteString(path)
    }
}

/// What the first pass found out.
struct RestorePlan: Sendable {
    /// An entry, by its directory's number.
    struct Place: Hashable, Sendable {
        var directory: Int32
        var name: ByteString
    }

    var directories = DirectoryTable()
    var files: [FileToRestore] = []
    /// First path of each file with several names.
    var hardLinks = HardLinkTable()
    /// Entries of the snapshot whose names look like our temporary ones.
    var takenNames: Set<Place> = []
    private var claimed: Set<FileIdentity> = []

    /// Takes a file of the target for one entry; false when another entry has it, because the file system takes two names for one (H-07).
    mutating func claim(_ present: FileStatus) -> Bool {
        guard present.kind == .regular, present.links == 1 else { return true }
        return claimed.insert(present.identity).inserted
    }
}

/// Names of files, or of symbolic links, that share an inode.
///
/// A name whose content is not that of the first one was saved after the file had changed: it is a file of its own (G-11).
struct HardLinkTable: Sendable {
    /// What the restore does about the first name.
    enum State: Sendable {
        /// It is written, as the plan's file of that number.
        case file(Int32)
        /// It stands in the target already.
        case present(FileIdentity)
        /// It would be written, were this no dry run.
        case planned
    }

    struct First: Sendable {
        var place: RestorePlan.Place
        var type: NodeType
        var content: [BlobID]
        var linkTarget: ByteString
        var state: State
        /// The second pass has come by.
        var isPassed = false
    }

    private struct Key: Hashable, Sendable {
        var inode: UInt64
        var device: UInt64
    }

    private var names: [Key: First] = [:]

    /// The place of the first name met, when there was one and it is the same file.
    func place(_ node: Node) -> RestorePlan.Place? { first(node)?.place }

    func first(_ node: Node) -> First? {
        guard node.links > 1, let first = names[Key(inode: node.inode, device: node.deviceID)] else { return nil }
        guard first.type == node.type, first.linkTarget == node.linkTarget else { return nil }
        return first.content == node.content ?? [] ? first : nil
    }

    /// Remembers the first name of a file; later ones change nothing.
    mutating func add(_ node: Node, at place: RestorePlan.Place, _ state: State) {
        guard node.links > 1 else { return }
        let key = Key(inode: node.inode, device: node.deviceID)
        guard names[key] == nil else { return }
        names[key] = First(
            place: place,
            type: node.type,
            content: node.content ?? [],
            linkTarget: node.linkTarget,
            state: state
        )
    }

    mutating func pass(_ node: Node) { names[Key(inode: node.inode, device: node.deviceID)]?.isPassed = true }
}

/// Whether an item of a restore failed because of the copy, and not because of the place: another copy may have it right.
package func isFaultOfCopy(_ error: any Error) -> Bool {
    switch error {
    case is Errno, is CancellationError: false
    case let problem as RestoreProblem:
        switch problem {
        case .noSubtree, .missingContent, .claimedSize: true
        case .directoryInTheWay, .missingDirectory, .unsupportedType, .nameTaken, .sharedDirectory, .protectedDirectory,
            .swapped, .otherFileSystem:
            false
        }
    case let failure as RepositoryFailure: failure.code != .invalidRequest
    default: true
    }
}

/// Whether what a restore met proves that bytes of the repository are lost (L7): a store that did not answer has proven nothing.
package func isProvenDamage(_ error: any Error) -> Bool {
    switch error {
    case RestoreProblem.missingContent(let reason): return isProvenDamage(reason)
    case is RestoreProblem: return isFaultOfCopy(error)
    case let failure as RepositoryFailure where failure.code != .damaged && failure.code != .missing: return false
    default: break
    }
    guard isFaultOfCopy(error) else { return false }
    do {
        try refuseUnlessDamaged(error)
        return true
    } catch {
        return false
    }
}

/// What can be wrong with an entry to be restored, beside a failing system call.
enum RestoreProblem: Error, CustomStringConvertible {
    case noSubtree
    case directoryInTheWay
    case missingContent(any Error)
    case missingDirectory
    case unsupportedType
    case claimedSize(UInt64, has: UInt64)
    case nameTaken(ByteString)
    case sharedDirectory
    case protectedDirectory
    case swapped
    case otherFileSystem(ByteString)

    var description: String {
        switch self {
        case .noSubtree: "is a directory without a tree in the snapshot; it was left out"
        case .directoryInTheWay: "a directory stands where it belongs; --delete lets it be replaced"
        case .missingContent(let error): "\(error)"
        case .missingDirectory: "its directory, or the file it shares its content with, is not there"
        case .unsupportedType: "is of a kind that cannot be restored"
        case .claimedSize(let size, let found): "claims \(size) bytes, but its content has \(found); it was left out"
        case .nameTaken(let other):
            "the file system took its name for that of another file; it was restored as \(other.display)"
        case .sharedDirectory: "the file system takes its name for that of another directory; their contents are in one"
        case .protectedDirectory: "is the repository or the cache of this restore; nothing is written or removed there"
        case .swapped: "somebody changed the target meanwhile; it was left out"
        case .otherFileSystem(let name):
            "\(name.display) is a file system of its own and was not removed; unmount it, or remove it yourself"
        }
    }
}
