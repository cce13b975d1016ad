import Bytes
import Foundation
import ObjectStorage

/// A directory that goes away with its owner.
final class TestFolder: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "holdfast-check-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { removeDeepTree(path) }

    var bytes: ByteString { ByteString(path) }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let target = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(bytes).write(to: target)
    }

    func read(_ name: String) -> [UInt8]? { FileManager.default.contents(atPath: "\(path)/\(name)").map { Array($0) } }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(name)") }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }

    /// Writes what a store in memory holds as restic lays it out.
    func write(_ store: MemoryStorage) throws {
        for kind in ObjectKind.listed {
            try FileManager.default.createDirectory(
                atPath: "\(path)/\(kind.directoryName)",
                withIntermediateDirectories: true
            )
        }
        for (name, block) in store.contents { try write(name.path, block.bytes) }
    }
}

/// Removes a directory with all that is in it, as deep as it may be, or a single entry; a descriptor at a time, since tests run side by side.
func removeDeepTree(_ path: String) {
    guard var current = TreeListing.openDirectory(AT_FDCWD, path) else {
        unlink(path)
        return
    }
    var levels = [(name: [CChar](), rest: TreeListing.names(current)[...])]
    while let top = levels.indices.last {
        guard let name = levels[top].rest.popFirst() else {
            let done = levels.removeLast()
            let above = levels.isEmpty ? -1 : openat(current, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            close(current)
            current = above
            if !levels.isEmpty { unlinkat(current, done.name, AT_REMOVEDIR) }
            continue
        }
        if unlinkat(current, name, 0) == 0 { continue }
        guard let below = TreeListing.openDirectory(current, name) else { continue }
        close(current)
        current = below
        levels.append((name, TreeListing.names(below)[...]))
    }
    rmdir(path)
}
