import Bytes
import HostSystem

/// Finds restic repositories on mounted disks, by the names in their folders.
///
/// **Bounds**: three folders deep, `entriesMax` entries for each start. Isolation: blocks; run it on a pool.
package enum RepositorySearch {
    private static let entriesMax = 5000
    private static let depth = 3
    private static let marks: Set<ByteString> = ["config", "data", "index", "keys", "locks", "snapshots"]

    /// Absolute paths below `start`, in order of names.
    package static func repositories(below start: String) -> [String] {
        var found: [String] = []
        var pending = [(path: start, depth: 0)]
        var left = entriesMax
        while let (path, depth) = pending.popLast(), left > 0 {
            guard let directory = try? Directory.open(ByteString(path), followLinks: false),
                let entries = try? directory.entries()
            else { continue }
            left -= entries.count
            guard !marks.isSubset(of: Set(entries.map(\.name))) else {
                found.append(path)
                continue
            }
            guard depth < Self.depth else { continue }
            for entry in entries where (try? directory.status(entry.name).kind) == .directory {
                let base = path == "/" ? "" : path
                pending.append(("\(base)/\(entry.name.display)", depth + 1))
            }
        }
        return found.sorted()
    }
}
