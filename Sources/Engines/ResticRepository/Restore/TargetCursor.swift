import Bytes
import HostSystem

/// The place in the restore target where a walk is: the chain of directories from the target down.
///
/// 1. Directories are opened or created one component at a time, without following links: nothing lies outside the target (H-05).
/// 2. At most `Limits.targetDirectoriesOpen` are open; one far above is found again through `..`, which must be the same one.
/// 3. What stands where a directory belongs and is none is removed first, unless the overwrite mode forbids it.
final class TargetCursor {
    private struct Level {
        var name: ByteString
        var handle: Directory?
        var identity: FileIdentity?
        /// Made by this restore, so nothing foreign can be in it.
        var isNew = false
    }

    private var levels: [Level]
    private let replacesFiles: Bool

    /// Begins at the target; nil handle when it does not exist (a dry run).
    init(target: Directory?, isNew: Bool, replacesFiles: Bool) throws(Errno) {
        levels = [Level(name: "", handle: target, identity: try target?.status().identity, isNew: isNew)]
        self.replacesFiles = replacesFiles
    }

    func descend(_ name: ByteString) {
        levels.append(Level(name: name))
        let distant = levels.count - 1 - Limits.targetDirectoriesOpen
        if distant > 0 { levels[distant].handle = nil }
    }

    func ascend() {
        let left = levels.removeLast()
        guard let top = levels.indices.last, levels[top].handle == nil, let child = left.handle,
            let identity = levels[top].identity
        else { return }
        levels[top].handle = try? child.openParent(expecting: identity)
    }

    /// True when the current directory was made by this restore.
    var isNew: Bool { levels[levels.count - 1].isNew }

    /// The current directory; nil when it is not there and `create` is false.
    func directory(create: Bool) throws(Errno) -> Directory? {
        guard var position = levels.lastIndex(where: { $0.handle != nil }) else { return nil }
        while position + 1 < levels.count {
            guard let above = levels[position].handle else { return nil }
            let name = levels[position + 1].name
            guard let (handle, isNew) = try open(name, in: above, create: create) else { return nil }
            levels[position + 1].handle = handle
            levels[position + 1].identity = try handle.status().identity
            if isNew { levels[position + 1].isNew = true }
            position += 1
        }
        return levels[position].handle
    }

    private func open(
        _ name: ByteString,
        in above: Directory,
        create: Bool
    ) throws(Errno) -> (Directory, isNew: Bool)? {
        do throws(Errno) {
            return (try above.openDirectory(name), false)
        } catch {
            switch error.kind {
            case .missing: break
            case .notDirectory, .symbolicLink:
                guard create, replacesFiles else {
                    if create { throw error }
                    return nil
                }
                try above.remove(name)
            default: throw error
            }
        }
        guard create else { return nil }
        try above.createDirectory(name, permissions: 0o700)
        return (try above.openDirectory(name), true)
    }
}
