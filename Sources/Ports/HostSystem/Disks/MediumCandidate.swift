import Bytes

/// A mounted file system on which copies could be kept.
package struct MediumCandidate: Sendable, Hashable {
    /// Where it is, what it is, how much room it has.
    package var identity: FileSystemIdentity
    /// The disks below it, as far as they can be told.
    package var disks: DiskSet
    /// True when it shares a disk with the root file system, nil when it cannot be told.
    package var isOnRootDisk: Bool?

    package var mount: Mount { identity.mount }
    package var isRemovable: Bool { disks.isRemovable }
    package var isReadOnly: Bool { mount.isReadOnly }

    package init(identity: FileSystemIdentity, disks: DiskSet, isOnRootDisk: Bool?) {
        self.identity = identity
        self.disks = disks
        self.isOnRootDisk = isOnRootDisk
    }
}

extension DiskSources {
    /// All mounted file systems of real disks, each once, best medium first.
    ///
    /// **Order**: writable ones first; then those that share no disk with the root; then removable ones; then by free room; then by
    /// path. Left out are images (squashfs, snaps, CDs), what boots the machine, files mounted alone, and shares: a share whose
    /// server is silent would hold us for ever, and its disks are another machine's.
    /// **Errors**: when the table of mounts cannot be read.
    package func listCandidates() throws(Errno) -> [MediumCandidate] {
        let table = try MountTable.current(self)
        let rootDisks = table.innermostMount(lexically: "/").map { disks(below: $0) } ?? DiskSet()
        var best: [DeviceNumber: Mount] = [:]
        for mount in table.mounts where isCandidate(mount, in: table) {
            if let known = best[mount.device], known.isBetterView(than: mount) { continue }
            best[mount.device] = mount
        }
        return best.values.map { mount in
            let disks = disks(below: mount)
            return MediumCandidate(
                identity: identity(of: mount),
                disks: disks,
                isOnRootDisk: mount.point == "/" ? true : disks.shares(with: rootDisks)
            )
        }.sorted(by: comesFirst)
    }

    private func isCandidate(_ mount: Mount, in table: MountTable) -> Bool {
        let images: Set<ByteString> = ["squashfs", "iso9660", "udf", "erofs", "cramfs", "romfs"]
        if mount.isArtificial || mount.isOnNetwork || images.contains(mount.type) { return false }
        if mount.type.hasPrefix("fuse.") { return false }
        let start = mount.point.components.first
        if start == "boot" || start == "efi" || start == "snap" { return false }
        // Hidden below another mount, or a file mounted alone as containers do with /etc/hosts.
        guard table.innermostMount(lexically: mount.point)?.id == mount.id else { return false }
        return (try? status(at: path(mount.point), followLinks: false).kind) == .directory
    }
}

extension Mount {
    /// Of two mounts of one file system: the whole before a part, then the writable, then the shorter path.
    fileprivate func isBetterView(than other: Mount) -> Bool {
        let key = { (mount: Mount) in
            (mount.root == "/" ? 0 : 1, mount.isReadOnly ? 1 : 0, mount.point.count, mount.point)
        }
        return key(self) < key(other)
    }
}

private func comesFirst(_ left: MediumCandidate, _ right: MediumCandidate) -> Bool {
    func rank(_ candidate: MediumCandidate) -> (Int, Int, Int) {
        let nearness =
            switch candidate.isOnRootDisk {
            case false?: 0
            case nil: 1
            case true?: 2
            }
        return (candidate.isReadOnly ? 1 : 0, nearness, candidate.isRemovable ? 0 : 1)
    }
    if rank(left) != rank(right) { return rank(left) < rank(right) }
    let free = (left.identity.space?.freeBytes ?? 0, right.identity.space?.freeBytes ?? 0)
    return free.0 != free.1 ? free.0 > free.1 : left.mount.point < right.mount.point
}
