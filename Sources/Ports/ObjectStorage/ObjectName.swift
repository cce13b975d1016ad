package import Bytes

/// The six kinds of object in a repository.
package enum ObjectKind: String, Sendable, Hashable, CaseIterable {
    case config, key, lock, snapshot, index, pack

    /// The directory below the repository's root; empty for the config, which lies in the root itself.
    package var directoryName: String {
        switch self {
        case .config: ""
        case .key: "keys"
        case .lock: "locks"
        case .snapshot: "snapshots"
        case .index: "index"
        case .pack: "data"
        }
    }

    /// The kinds that have a directory.
    package static let listed: [ObjectKind] = [.key, .lock, .snapshot, .index, .pack]
}

/// The name of an object: its kind, and the SHA-256 of its stored bytes.
package struct ObjectName: Sendable, Hashable, CustomStringConvertible {
    package var kind: ObjectKind
    /// Zero for the config, which has a fixed name.
    package var digest: Digest

    package init(_ kind: ObjectKind, _ digest: Digest) {
        self.kind = kind
        self.digest = kind == .config ? .zero : digest
    }

    package static let config = ObjectName(.config, .zero)

    /// The last component of the path: 64 hexadecimal digits, or `config`.
    package var fileName: String { kind == .config ? "config" : digest.hex }

    /// The two digits that name a pack's sub-directory on file systems; nil for other kinds.
    package var subdirectory: String? { kind == .pack ? String(digest.hex.prefix(2)) : nil }

    /// The path below the root: `data/ab/abcd…`.
    package var path: String {
        switch kind {
        case .config: fileName
        case .key, .lock, .snapshot, .index: "\(kind.directoryName)/\(fileName)"
        case .pack: "\(kind.directoryName)/\(fileName.prefix(2))/\(fileName)"
        }
    }

    /// For people: `pack 3f9a1c77`.
    package var short: String { kind == .config ? "config" : "\(kind.rawValue) \(digest.short)" }

    package var description: String { path }
}

/// One object as a listing has it.
package struct ObjectEntry: Sendable, Hashable {
    package var digest: Digest
    /// Stored bytes.
    package var size: UInt64

    package init(digest: Digest, size: UInt64) {
        self.digest = digest
        self.size = size
    }
}

/// All objects of one kind, in no particular order, and how many other things lie between them.
package struct ObjectListing: Sendable {
    package var entries: [ObjectEntry]
    /// Temporary files, stray files, links and directories that were passed over (D-05); the first 100 by path.
    package var foreign: [String]
    package var foreignCount: Int

    package init(entries: [ObjectEntry] = [], foreign: [String] = [], foreignCount: Int = 0) {
        self.entries = entries
        self.foreign = foreign
        self.foreignCount = foreignCount
    }

    mutating func noteForeign(_ path: @autoclosure () -> String) {
        if foreign.count < 100 { foreign.append(path()) }
        foreignCount += 1
    }
}
