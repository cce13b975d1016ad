import Bytes
import HostSystem

/// Removing a file or a whole directory, without recursion and without following links.
enum TreeRemoval {
    private struct Level {
        var name: ByteString
        var directory: Directory
        var listing: DirectoryListing
        var position = 0
    }

    /// Removes the entry and all below it; `removed` hears each path relative to `directory`, the deepest first.
    static func remove(
        _ name: ByteString,
        in directory: Directory,
        isDryRun: Bool = false,
        removed: ([ByteString]) -> Void
    ) throws(Errno) {
        guard try directory.status(name).kind == .directory else {
            if !isDryRun { try directory.remove(name) }
            return removed([name])
        }
        var levels = [try level(name, in: directory)]
        while let top = levels.indices.last {
            let current = levels[top]
            guard current.position < current.listing.count else {
                levels.removeLast()
                let parent = levels.last?.directory ?? directory
                if !isDryRun { try parent.removeDirectory(current.name) }
                removed(levels.map(\.name) + [current.name])
                continue
            }
            levels[top].position += 1
            let entry = current.listing.name(at: current.position)
            if try current.directory.status(entry).kind == .directory {
                levels.append(try level(entry, in: current.directory))
            } else {
                if !isDryRun { try current.directory.remove(entry) }
                removed(levels.map(\.name) + [entry])
            }
        }
    }

    private static func level(_ name: ByteString, in directory: Directory) throws(Errno) -> Level {
        let opened = try directory.openDirectory(name)
        return Level(name: name, directory: opened, listing: try opened.listing(sorted: true))
    }
}
