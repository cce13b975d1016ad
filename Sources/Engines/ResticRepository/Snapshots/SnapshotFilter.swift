package import Bytes
package import ResticFormat
import Strategy

/// Which snapshots a command is about: host, paths and tags, each only where it was given.
package struct SnapshotFilter: Sendable, Hashable {
    /// Any of these; empty for every host.
    package var hosts: [ByteString] = []
    /// All of these have to be among the snapshot's paths, byte by byte; absolute and clean, see `makePathsAbsolute`.
    package var paths: [ByteString] = []
    /// One list has to be satisfied, and in it all tags; the empty tag stands for a snapshot without tags.
    package var tags: [[ByteString]] = []

    package init(hosts: [ByteString] = [], paths: [ByteString] = [], tags: [[ByteString]] = []) {
        self.hosts = hosts
        self.paths = paths
        self.tags = tags
    }

    /// True when it lets every snapshot pass.
    package var isEmpty: Bool { hosts.isEmpty && paths.isEmpty && tags.isEmpty }

    /// Whether the snapshot is meant.
    package func matches(_ document: SnapshotDocument) -> Bool {
        (hosts.isEmpty || hosts.contains(document.hostname))
            && (tags.isEmpty || tags.contains { hasAllTags($0, in: document.tags) })
            && paths.allSatisfy { document.paths.contains($0) }
    }

    /// Makes each path absolute below `workingDirectory` and takes `.`, `..` and doubled slashes out of it by text
    /// alone, as snapshots record their paths.
    package mutating func makePathsAbsolute(workingDirectory: ByteString) {
        paths = paths.map { SnapshotPath.clean($0, below: workingDirectory) }
    }

    /// The filter in the words in which restic repeats it: `Paths:[/etc] Tags:[[a b]] Hosts:[web]`.
    package var summary: String {
        let lists = tags.map { "[" + $0.map(\.display).joined(separator: " ") + "]" }.joined(separator: " ")
        let folders = paths.map(\.display).joined(separator: " ")
        return "Paths:[\(folders)] Tags:[\(lists)] Hosts:[\(hosts.map(\.display).joined(separator: " "))]"
    }
}

/// Paths as text, without asking the file system.
enum SnapshotPath {
    /// Absolute, without `.`, `..`, doubled slashes and a slash at the end.
    static func clean(_ path: ByteString, below directory: ByteString) -> ByteString {
        let slash = UInt8(ascii: "/")
        let whole = path.bytes.first == slash ? path.bytes : directory.bytes + [slash] + path.bytes
        var parts: [ArraySlice<UInt8>] = []
        for part in whole.split(separator: slash) {
            switch Array(part) {
            case [0x2e]: continue
            case [0x2e, 0x2e]: _ = parts.popLast()
            default: parts.append(part)
            }
        }
        return ByteString([slash] + Array(parts.joined(separator: [slash])))
    }
}
