import Bytes
import HostSystem

/// Removing a file or a whole directory, without recursion, without following links, and without leaving the file system.
///
/// A few directories are open at a time, however deep the tree is.
struct TreeRemoval {
    private struct Level {
        var name: ByteString
        var directory: Directory?
        var identity: FileIdentity
        var listing: DirectoryListing
        var position = 0
    }

    let guarded: TargetGuard
    var isDryRun = false

    /// Removes the entry and all below it; `removed` hears each path relative to `directory`, the deepest first.
    ///
    /// Errors: `Errno`; `RestoreProblem` for a protected directory or another file system, which stay.
    func remove(_ name: ByteString, in directory: Directory, removed: ([ByteString]) -> Void = { _ in }) throws {
        guard try directory.status(name).kind == .directory else {
            if !isDryRun { try directory.remove(name) }
            return removed([name])
        }
        let device = try directory.status().device
        var levels = [try level(name, in: directory, on: device)]
        while let top = levels.indices.last {
            guard let current = levels[top].directory else { throw RestoreProblem.missingDirectory }
            guard levels[top].position < levels[top].listing.count else {
                let done = levels.removeLast()
                try leave(done, from: current, to: &levels, below: directory)
                removed(levels.map(\.name) + [done.name])
                continue
            }
            let entry = levels[top].listing.name(at: levels[top].position)
            levels[top].position += 1
            if try current.status(entry).kind == .directory {
                levels.append(try level(entry, in: current, on: device))
                let distant = levels.count - 1 - Limits.targetDirectoriesOpen
                if distant >= 0 { levels[distant].directory = nil }
            } else {
                if !isDryRun { try current.remove(entry) }
                removed(levels.map(\.name) + [entry])
            }
        }
    }

    private func leave(
        _ done: Level,
        from current: Directory,
        to levels: inout [Level],
        below directory: Directory
    ) throws {
        if let top = levels.indices.last, levels[top].directory == nil {
            levels[top].directory = try current.openParent(expecting: levels[top].identity)
        }
        if !isDryRun { try (levels.last?.directory ?? directory).removeDirectory(done.name) }
    }

    private func level(_ name: ByteString, in directory: Directory, on device: UInt64) throws -> Level {
        let opened = try directory.openDirectory(name)
        let status = try opened.status()
        if guarded.protects(status.identity) { throw RestoreProblem.protectedDirectory }
        guard status.device == device else { throw RestoreProblem.otherFileSystem(name) }
        return Level(
            name: name,
            directory: opened,
            identity: status.identity,
            listing: try opened.listing(sorted: true)
        )
    }
}
