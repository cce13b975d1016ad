package import Bytes
package import HostSystem

/// The cache directories of all repositories below one base: listing them, removing those that nobody used for long.
package enum CacheDirectories {
    /// Seconds without use after which a cache directory counts as old: 30 days.
    package static let oldAfterSeconds: Int64 = 30 * 24 * 3600

    /// One directory.
    package struct Entry: Sendable, Hashable {
        /// A repository's identifier, or `restic-check-cache-` and a number.
        package var name: ByteString
        /// When it was used last.
        package var used: Timestamp
    }

    /// The cache directories below `base`, by name; none when `base` does not exist.
    package static func list(base: ByteString) throws(Errno) -> [Entry] {
        let directory: Directory
        do throws(Errno) {
            directory = try Directory.open(base)
        } catch  where error.kind == .missing {
            return []
        }
        var found: [Entry] = []
        let listing = try directory.listing(sorted: true)
        for index in listing.indices {
            let name = listing.name(at: index)
            guard isCacheName(name), let status = try? directory.status(of: index, in: listing),
                status.kind == .directory
            else { continue }
            found.append(Entry(name: name, used: status.modified))
        }
        return found
    }

    /// Those that were last used more than 30 days before `now`.
    package static func old(base: ByteString, now: Timestamp) throws(Errno) -> [Entry] {
        try list(base: base).filter {
            $0.used < Timestamp(seconds: now.seconds - oldAfterSeconds, nanoseconds: now.nanoseconds)
        }
    }

    /// Bytes of all files in one of them; links are not followed.
    ///
    /// Memory: one open directory and its names for each level and its waiting siblings; a cache has three levels.
    package static func size(_ name: ByteString, base: ByteString) throws(Errno) -> UInt64 {
        var waiting = [try Directory.open(base).openDirectory(name)]
        var bytes: UInt64 = 0
        while let directory = waiting.popLast() {
            let listing = try directory.listing()
            for index in listing.indices {
                let status: FileStatus
                do throws(Errno) { status = try directory.status(of: index, in: listing) } catch {
                    // Another run may tidy up meanwhile.
                    if error.kind == .missing { continue }
                    throw error
                }
                if status.kind == .directory {
                    waiting.append(try directory.openDirectory(of: index, in: listing))
                } else {
                    bytes += status.size
                }
            }
        }
        return bytes
    }

    /// Removes one of them with everything in it.
    ///
    /// Errors: EINVAL for a name that is none of a cache directory.
    package static func remove(_ name: ByteString, base: ByteString) throws(Errno) {
        guard isCacheName(name) else { throw Errno(22, in: "remove cache") }
        try removeTree(name, in: try Directory.open(base))
    }

    /// 64 hexadecimal digits, or a check's temporary cache.
    private static func isCacheName(_ name: ByteString) -> Bool {
        let check = Array(TemporaryCacheDirectory.prefix.utf8)
        if name.bytes.starts(with: check) {
            let number = name.bytes.dropFirst(check.count)
            return !number.isEmpty && number.allSatisfy { (48...57).contains($0) }
        }
        return name.bytes.count == 64
            && name.bytes.allSatisfy { (48...57).contains($0) || (97...102).contains($0) || (65...70).contains($0) }
    }
}

/// A cache for one check alone, so that the repository itself is read and not what a cache remembers of it.
package struct TemporaryCacheDirectory: Sendable {
    static let prefix = "restic-check-cache-"

    /// Give this as the cache directory of the repository's options.
    package let path: ByteString
    private let base: ByteString
    private let name: ByteString

    /// Creates `restic-check-cache-<number>` in `base`, which is created where it is missing; mode 0700.
    package init(base: ByteString, entropy: any EntropySource) throws(Errno) {
        let directory = try Directory.createAll(base)
        var attempt = 0
        while true {
            let number = entropy.bytes(4).reduce(0) { UInt32($0) << 8 | UInt32($1) }
            let name = ByteString(Self.prefix + String(number))
            do throws(Errno) {
                try directory.createDirectory(name)
                self.name = name
                self.base = base
                path = ByteString(base.bytes + [UInt8(ascii: "/")] + name.bytes)
                return
            } catch  where error.kind == .exists && attempt < 100 {
                attempt += 1
            }
        }
    }

    /// Removes it with everything in it.
    package func remove() throws(Errno) {
        try removeTree(name, in: try Directory.open(base))
    }
}

/// Removes a directory that has the depth of a cache: nothing in it is followed, and what is deeper than ten levels
/// stays.
private func removeTree(_ name: ByteString, in parent: Directory, depth: Int = 0) throws(Errno) {
    let directory = try parent.openDirectory(name)
    let listing = try directory.listing()
    for index in listing.indices {
        let entry = listing.name(at: index)
        if try directory.status(of: index, in: listing).kind == .directory {
            guard depth < 10 else { throw Errno(39, in: "remove cache") }
            try removeTree(entry, in: directory, depth: depth + 1)
        } else {
            try directory.remove(entry)
        }
    }
    try parent.removeDirectory(name)
}
