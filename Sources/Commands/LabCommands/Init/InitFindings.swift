import Bytes
import HostSystem
import Protection
import Strategy

/// What `init` found on this machine.
struct InitFindings: Sendable {
    /// Mounted file systems on other disks than the system's, writable ones, the removable and roomy first.
    var disks: [MediumCandidate]
    /// Folders worth protecting, in which nothing lives that changes while it is read.
    var folders: [FoundItem]
    /// Compose projects, volumes and databases: the operator says how.
    var undecided: [FoundItem]
    /// Paths of restic repositories that are there already.
    var repositories: [String]
    /// Paths of sockets of container engines.
    var engines: [String]
    /// Why disks could not be looked at; nil when they were: then none found means none there.
    var diskProblem: String?
    /// True when there is more than was looked at.
    var isCut: Bool

    /// Looks, below these folders too; blocks.
    init(below named: [String] = []) {
        let sources = DiskSources()
        var candidates: [MediumCandidate] = []
        do throws(Errno) { candidates = try sources.listCandidates() } catch { diskProblem = "\(error)" }
        disks = candidates.filter { $0.isOnRootDisk != true && !$0.isReadOnly && $0.mount.point != "/" }
            .sorted { left, right in
                if left.isRemovable != right.isRemovable { return left.isRemovable }
                return (left.identity.space?.freeBytes ?? 0) > (right.identity.space?.freeBytes ?? 0)
            }
        var discovery = HostDiscovery()
        let (items, isCut) = discovery.run(below: named)
        self.isCut = isCut
        let live = items.filter { $0.kind != .folder && $0.kind != .home }
        folders = items.filter { item in
            guard item.kind == .folder || item.kind == .home else { return false }
            return isReadable(item.path)
                && !live.contains { $0.path == item.path || $0.path.hasPrefix(item.path + "/") }
        }
        // What holds something live is decided with it.
        let mixed = items.filter { item in
            (item.kind == .folder || item.kind == .home)
                && live.contains { $0.path == item.path || $0.path.hasPrefix(item.path + "/") }
        }
        undecided = live.filter { item in item.kind == .vault } + live.filter { $0.kind != .vault } + mixed
        repositories = candidates.flatMap { RepositorySearch.repositories(below: $0.mount.point.display) }.unique
        engines = ["/var/run/docker.sock", "/run/podman/podman.sock"].filter {
            (try? status(at: ByteString($0))) != nil
        }
    }
}

extension [String] {
    /// Each once, in order.
    fileprivate var unique: [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}

private func isReadable(_ path: String) -> Bool { (try? Directory.open(ByteString(path)).entries()) != nil }
