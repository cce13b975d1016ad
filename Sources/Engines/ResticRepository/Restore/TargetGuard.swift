import Bytes
import HostSystem
import ObjectStorage

/// Directories of this machine in which a restore neither writes nor removes, told by device and inode whatever the path says:
/// the repository that it reads from, and the cache (H-14).
struct TargetGuard: Sendable {
    private let identities: Set<FileIdentity>

    init(_ repository: Repository) {
        var found: Set<FileIdentity> = []
        for path in [repository.store.localDirectory, repository.options.cacheDirectory] {
            if let path, let status = try? Directory.open(path).status() { found.insert(status.identity) }
        }
        identities = found
    }

    func protects(_ identity: FileIdentity) -> Bool { identities.contains(identity) }

    /// Whether the directory is protected or lies inside a protected one.
    func surrounds(_ directory: Directory) throws(Errno) -> Bool {
        if identities.isEmpty { return false }
        var current = directory
        while true {
            let identity = try current.status().identity
            if protects(identity) { return true }
            let above = try current.openAbove()
            if try above.status().identity == identity { return false }
            current = above
        }
    }
}
