import Bytes
import HostSystem

/// The place in the restore target where a walk is: the chain of directories from the target down.
///
/// 1. Directories are opened or created one component at a time, without following links: nothing lies outside the target (H-05).
/// 2. At most `Limits.targetDirectoriesOpen` are open; one far above is found again through `..`, which must be the same one.
/// 3. What stands where a directory belongs and is none is removed first, unless the overwrite mode forbids it.
/// 4. A protected directory is never entered (H-14).
/// 5. A dry run finds what a real one would find, and changes nothing.
final class TargetCursor {
    private struct Level {
        var name: ByteString
        var modified: Timestamp
        var handle: Directory?
        var status: FileStatus?
        /// Made by this restore, so nothing foreign can be in it.
        var isNew = false
    }

    private var levels: [Level]
    /// The first level that is not there.
    private var missing: Int?
    private let isDryRun: Bool
    private let guarded: TargetGuard
    /// Whether what has that status may give way to a directory of that time.
    private let replaces: (FileStatus, Timestamp) -> Bool
    private var hasCollided = false
    /// Hears the path of what gives way to a directory; to be set by one of the passes.
    var displaces: ((ByteString) -> Void)?

    /// Begins at the target; nil handle when it does not exist (a dry run).
    init(
        target: Directory?,
        isNew: Bool,
        isDryRun: Bool,
        guarded: TargetGuard,
        replaces: @escaping (FileStatus, Timestamp) -> Bool
    ) throws(Errno) {
        let root = Level(
            name: "",
            modified: Timestamp(seconds: 0),
            handle: target,
            status: try target?.status(),
            isNew: isNew
        )
        levels = [root]
        missing = target == nil ? 0 : nil
        self.isDryRun = isDryRun
        self.guarded = guarded
        self.replaces = replaces
    }

    /// Goes into a directory, which the snapshot says was last changed at that time.
    func descend(_ name: ByteString, modified: Timestamp) {
        levels.append(Level(name: name, modified: modified))
        closeDistant(from: levels.count - 1)
    }

    private func closeDistant(from position: Int) {
        let distant = position - Limits.targetDirectoriesOpen
        if distant > 0 { levels[distant].handle = nil }
    }

    func ascend() {
        let left = levels.removeLast()
        guard let top = levels.indices.last else { return }
        if let missing, missing > top { self.missing = nil }
        guard levels[top].handle == nil, let child = left.handle, let identity = levels[top].status?.identity else {
            return
        }
        levels[top].handle = try? child.openParent(expecting: identity)
    }

    /// True when the current directory was made by this restore.
    var isNew: Bool { levels[levels.count - 1].isNew }

    /// What the current directory was when it was opened.
    var status: FileStatus? { levels[levels.count - 1].status }

    /// True once after the file system took the name of a new directory for that of another (H-07).
    func takeCollision() -> Bool {
        defer { hasCollided = false }
        return hasCollided
    }

    /// The current directory; nil when it is not there and `create` is false, or this is a dry run.
    ///
    /// Errors: `Errno`; `RestoreProblem.protectedDirectory`.
    func directory(create: Bool) throws -> Directory? {
        if missing != nil { return nil }
        guard var position = levels.lastIndex(where: { $0.handle != nil }) else { return nil }
        while position + 1 < levels.count {
            guard let above = levels[position].handle else { return nil }
            guard let (handle, isNew) = try open(position + 1, in: above, create: create) else {
                missing = position + 1
                return nil
            }
            let status = try handle.status()
            if guarded.protects(status.identity) { throw RestoreProblem.protectedDirectory }
            let isKnown = levels[position + 1].status?.identity == status.identity
            if create, !isNew, !isKnown {
                makeWritable(handle, status)
                if levels[position].isNew { hasCollided = true }
            }
            levels[position + 1].handle = handle
            levels[position + 1].status = status
            if isNew { levels[position + 1].isNew = true }
            position += 1
            closeDistant(from: position)
        }
        return levels[position].handle
    }

    private func path(to position: Int) -> ByteString {
        ByteString(levels[1...position].flatMap { [UInt8(ascii: "/")] + $0.name.bytes })
    }

    private func open(_ position: Int, in above: Directory, create: Bool) throws(Errno) -> (Directory, isNew: Bool)? {
        let level = levels[position]
        do throws(Errno) {
            return (try above.openDirectory(level.name), false)
        } catch {
            switch error.kind {
            case .missing: break
            case .notDirectory, .symbolicLink:
                guard create else { return nil }
                guard replaces(try above.status(level.name), level.modified) else { throw error }
                displaces?(path(to: position))
                if !isDryRun { try above.remove(level.name) }
            case .permission where create && !isSuperuser && !isDryRun:
                // One of our own that was restored with few rights; its mode is set again at the end.
                guard try above.status(level.name).kind == .directory else { throw error }
                try above.setPermissions(0o700, of: level.name)
                return (try above.openDirectory(level.name), false)
            default: throw error
            }
        }
        guard create, !isDryRun else { return nil }
        try above.createDirectory(level.name, permissions: 0o700)
        return (try above.openDirectory(level.name), true)
    }

    /// Lets an ordinary user write into a directory of his; its mode is set again at the end.
    private func makeWritable(_ handle: Directory, _ status: FileStatus) {
        guard !isSuperuser, !isDryRun, status.permissions & 0o700 != 0o700 else { return }
        try? handle.descriptor.setPermissions(status.permissions | 0o700)
    }
}
