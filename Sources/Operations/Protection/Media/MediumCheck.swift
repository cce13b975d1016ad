import Bytes
package import HostSystem
import Outcome
package import Strategy

/// Looks whether a medium is the one that is meant, before anything is read from it or written to it.
///
/// 1. A folder that is not there is never made: below an empty mount point it would be on another disk (B-09).
/// 2. Where the declaration names the file system, another one is refused, and so is none (B-10).
/// 3. A file system that the kernel has made read-only is read from, and not written to (B-07).
///
/// The store itself is looked at again before each commit, by its directory and config (`LocalStorage`). What lies behind a network has
/// nothing to look at here: its server says what is wrong when it is asked.
package struct MediumCheck: Sendable {
    let medium: Medium
    private let mounting: Mounting
    private let sources: DiskSources

    package init(_ medium: Medium, mounting: Mounting, sources: DiskSources = DiskSources()) {
        self.medium = medium
        self.mounting = mounting
        self.sources = sources
    }

    /// Refuses a medium that is not there, or is another one.
    ///
    /// Errors: `E-MEDIUM`, `E-FOREIGN`, `E-UNMOUNTED`.
    package func requireReadable() throws { _ = try identity() }

    /// Refuses one that cannot be written to, too.
    ///
    /// Errors: as above, `E-READONLY`.
    package func requireWritable() throws {
        guard let identity = try identity(), identity.mount.isReadOnly else { return }
        throw failure(
            .mediumReadOnly,
            "its file system is mounted read-only (\(identity.mount.source.display) at \(identity.mount.point.display))",
            next: "look at the kernel's log for errors of the disk; then mount it again for writing"
        )
    }

    /// What a run would mount is looked at only where something is mounted.
    private func requireMounted() throws {
        guard medium.isMountedForRuns else { return }
        let place = try MountPlace(medium, mounting)
        guard try place.current() == nil else { return }
        throw failure(
            .mediumUnmounted,
            "is not mounted; a run mounts it",
            next: "to look at it now: mount \(place.point)"
        )
    }

    /// The file system that holds the medium; nil when it cannot be told and none is asked for.
    private func identity() throws -> FileSystemIdentity? {
        guard let path = medium.folder else { return nil }
        try requireMounted()
        let kind = try? status(at: ByteString(path), followLinks: true).kind
        guard kind == .directory else {
            throw failure(
                .mediumMissing,
                kind == nil ? "the folder is not there" : "is no folder",
                next: medium.identity.map { "attach the disk with file system \($0), and mount it" }
                    ?? "attach and mount the disk; or, where the folder is new and its disk is mounted: mkdir -p \(path)"
            )
        }
        let found = try? sources.identity(of: ByteString(path))
        guard let wanted = medium.identity else { return found ?? nil }
        let seen = found?.uuid.text
        if let seen, FileSystemUUID.isSame(seen, wanted) { return found ?? nil }
        // What has no UUID is no disk that somebody attached.
        guard let found, found.mount.point != "/", seen != nil else {
            throw failure(
                .mediumMissing,
                "is not mounted: \(path) is an empty place on the disk of the system",
                next: "attach the disk with file system \(wanted), and mount it"
            )
        }
        throw failure(
            .mediumForeign,
            "is another disk: file system \(seen ?? "without UUID") (\(found.mount.source.display)) is mounted there, \(wanted) is declared",
            next:
                "attach the right disk; or, if it is dead, take this one in its place: holdfast media replace \(medium.name)"
        )
    }

    private func failure(_ code: ProtectionCode, _ what: String, next: String) -> ProtectionFailure {
        ProtectionFailure(
            code,
            operation: "open medium",
            object: "\(medium.name) (\(medium.text))",
            what: what,
            state: "nothing was written; the other media are not touched",
            next: next
        )
    }
}

/// The physical disks below folders, as far as they can be told apart; each folder is looked at once.
///
/// Made anew for each look at a lab, since disks come and go. Cost: tens of files of `/proc` and `/sys` for each folder. Isolation: it
/// belongs to one task.
package final class DiskNames {
    private let sources: DiskSources
    private var disks: [String: DiskSet?] = [:]
    private var identities: [String: String?] = [:]

    package init(sources: DiskSources = DiskSources()) { self.sources = sources }

    /// Nil when it cannot be told.
    private func set(below path: String) -> DiskSet? {
        if let known = disks[path] { return known }
        let found = try? sources.disks(below: ByteString(path))
        disks[path] = .some(found)
        return found
    }

    /// Stable names of the disks below all of the paths; nil when one of them cannot be told.
    package func disks(below paths: [String]) -> Set<String>? {
        var names: Set<String> = []
        for path in paths {
            guard let set = set(below: path), set.isComplete else { return nil }
            for disk in set.disks {
                guard let name = disk.stableID else { return nil }
                names.insert(name)
            }
        }
        return names.isEmpty ? nil : names
    }

    /// Whether two folders share a disk; nil when that cannot be told.
    package func share(_ left: String, _ right: String) -> Bool? {
        guard let first = set(below: left), let second = set(below: right) else { return nil }
        return first.shares(with: second)
    }

    /// What holds a medium now.
    package func place(of medium: Medium) -> MediumPlace {
        guard let path = medium.folder else { return MediumPlace(fileSystem: nil, disks: nil) }
        return MediumPlace(fileSystem: fileSystemUUID(of: path), disks: disks(below: [path]))
    }

    /// The UUID of the file system that holds a folder; nil when it has none, or cannot be asked.
    package func fileSystemUUID(of path: String) -> String? {
        if let known = identities[path] { return known }
        let found = (try? sources.identity(of: ByteString(path)))?.uuid.text
        identities[path] = .some(found)
        return found
    }
}
