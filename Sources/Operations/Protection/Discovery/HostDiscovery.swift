import Bytes
import HostSystem
package import Strategy

/// What of a host somebody would miss: folders with settings and data, Compose projects, volumes, databases.
///
/// Looks at names and a few first bytes, reads no contents. **Bounds**: `Limits`; what lies beyond is not found, and `isCut` says so.
/// Isolation: blocks; run it on a pool.
package struct HostDiscovery {
    /// Bounds of a search.
    package enum Limits {
        /// Folders below the place where a search begins.
        package static let depth = 5
        /// Entries looked at in all.
        package static let entries = 200_000
    }

    private let root: String
    private let leftOut: [String]
    private var entriesLeft = Limits.entries
    private var found: [FoundItem] = []

    /// `root` is "" for the machine; `leaving` are folders of our own.
    package init(root: String = "", leaving: [String] = []) {
        self.root = root
        leftOut = leaving
    }

    /// Folders that hold settings or data on most hosts, in this order.
    private static let folders: [(path: String, what: String)] = [
        ("/etc", "settings of the system"), ("/root", "home of root"), ("/usr/local", "what was installed by hand"),
        ("/var/spool/cron", "cron tables"), ("/var/www", "web pages"),
    ]
    /// Folders whose parts are things of their own.
    private static let collections: [(path: String, kind: FoundItem.Kind, what: String)] = [
        ("/home", .home, "home"), ("/opt", .folder, "installed beside the system"), ("/srv", .folder, "served data"),
        ("/var/lib/docker/volumes", .volumes, "volume"), ("/var/lib/containers/storage/volumes", .volumes, "volume"),
    ]
    private static let stores: [(path: String, what: String)] = [
        ("/var/lib/postgresql", "PostgreSQL"), ("/var/lib/mysql", "MariaDB or MySQL"), ("/var/lib/redis", "Redis"),
        ("/var/lib/mongodb", "MongoDB"), ("/var/lib/influxdb", "InfluxDB"),
    ]
    private static let searched = ["/opt", "/srv", "/home", "/root", "/var/lib/docker/volumes"]
    private static let composeNames: Set<String> = [
        "compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml",
    ]

    /// Looks; each thing once, what lies above before what lies below; `named` are the paths of the declaration, wherever they lie.
    package mutating func run(below named: [String] = []) -> (items: [FoundItem], isCut: Bool) {
        // First, so that no bound of the search cuts off what somebody named.
        for path in named { search(path) }
        for (path, what) in Self.folders where hasEntries(path) { add(.folder, path, what) }
        for (path, kind, what) in Self.collections {
            for name in names(in: path) where isFolder("\(path)/\(name)") && hasEntries("\(path)/\(name)") {
                add(kind, "\(path)/\(name)", what)
            }
        }
        for (path, what) in Self.stores where hasEntries(path) { add(.database, path, what) }
        for path in Self.searched { search(path) }
        for path in named where !found.contains(where: { $0.path == path }) && hasEntries(path) {
            add(.folder, path, "named in the declaration")
        }
        return (found, entriesLeft <= 0)
    }

    /// Databases and projects below folders, for a path set's sake.
    package mutating func live(below paths: [String]) -> [FoundItem] {
        for path in paths { search(path) }
        return found
    }

    // MARK: search

    private mutating func search(_ start: String) {
        var pending = [(path: start, depth: 0)]
        while let (path, depth) = pending.popLast(), entriesLeft > 0 {
            guard !leftOut.contains(path),
                let directory = try? Directory.open(ByteString(root + path), followLinks: false),
                let entries = try? directory.entries()
            else { continue }
            entriesLeft -= entries.count
            let names = Set(entries.map(\.name.display))
            judge(path, names, directory)
            guard depth < Limits.depth else { continue }
            for entry in entries.sorted(by: { $1.name < $0.name }) {
                let name = entry.name.display
                guard !Self.passedOver.contains(name), (try? directory.status(entry.name).kind) == .directory else {
                    continue
                }
                pending.append(("\(path)/\(name)", depth + 1))
            }
        }
    }

    /// Folders whose contents are made again by programs.
    private static let passedOver: Set<String> = [
        ".cache", "node_modules", ".git", "__pycache__", ".build", "proc", "sys",
    ]

    private mutating func judge(_ path: String, _ names: Set<String>, _ directory: Directory) {
        if let file = names.intersection(Self.composeNames).sorted().first {
            add(.composeProject, path, "Compose project (\(file))")
        }
        if names.contains("db.sqlite3"), names.contains(where: { $0.hasPrefix("rsa_key") }) {
            return add(.vault, path, "Vaultwarden's data")
        }
        if names.contains("PG_VERSION"), names.contains("base") { return add(.database, path, "PostgreSQL") }
        if names.contains("ibdata1") { return add(.database, path, "MariaDB or MySQL") }
        let databases = names.filter { isSQLite($0, in: directory) }
        if !databases.isEmpty {
            let count = found.count
            defer { if found.count > count { found[count].files = databases.sorted() } }
            let first = databases.sorted()[0]
            add(
                .database,
                path,
                databases.count == 1 ? "SQLite (\(first))" : "SQLite (\(first) and \(databases.count - 1) more)"
            )
        }
    }

    /// By name and first bytes.
    private func isSQLite(_ name: String, in directory: Directory) -> Bool {
        guard [".db", ".sqlite", ".sqlite3", ".db3"].contains(where: { name.hasSuffix($0) }),
            let file = try? directory.openFile(ByteString(name))
        else { return false }
        let magic = Array("SQLite format 3\0".utf8)
        var start = [UInt8](repeating: 0, count: magic.count)
        let count = (try? start.withUnsafeMutableBytes { try file.readFully(into: $0) }) ?? 0
        return count == magic.count && start == magic
    }

    // MARK: looking

    private mutating func add(_ kind: FoundItem.Kind, _ path: String, _ what: String) {
        let isOwn = leftOut.contains { path == $0 || path.hasPrefix($0 + "/") }
        guard !isOwn, !found.contains(where: { $0.path == path && $0.kind == kind }) else { return }
        found.append(FoundItem(kind, path: path, what: what))
    }

    private func isFolder(_ path: String) -> Bool {
        (try? status(at: ByteString(root + path)).kind) == .directory
    }

    private func names(in path: String) -> [String] {
        let entries = (try? Directory.open(ByteString(root + path)).entries()) ?? []
        return entries.map(\.name.display).sorted().filter { $0 != "lost+found" }
    }

    private func hasEntries(_ path: String) -> Bool { !names(in: path).isEmpty }
}
