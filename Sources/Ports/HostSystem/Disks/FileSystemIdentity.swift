import CHost
package import Bytes
import Glibc

/// The number that a file system got when it was made, or why there is none to tell.
package enum FileSystemUUID: Sendable, Hashable {
    /// Who said it.
    package enum Origin: String, Sendable, Hashable {
        /// The driver that has it mounted.
        case kernel
        case udev
        /// A link in `/dev/disk/by-uuid`.
        case link
        case superblock
    }

    case known(String, from: Origin)
    /// File systems of this type have none: tmpfs, overlay, shares.
    case none
    /// It may have one; nobody whom we may ask says so.
    case unknown

    /// The number, nil when there is none or it is not known.
    package var text: String? {
        switch self {
        case .known(let text, _): text
        case .none, .unknown: nil
        }
    }
}

/// Which file system a path is on.
///
/// A clone has the same UUID (B-10): whoever pins a medium compares its disks too.
package struct FileSystemIdentity: Sendable, Hashable {
    /// The type of the mount: `ext4`.
    package var type: ByteString
    package var uuid: FileSystemUUID
    /// Nil when it is empty or not known.
    package var label: ByteString?
    /// The mount through which the path is seen.
    package var mount: Mount
    /// Nil when the file system does not answer.
    package var space: FileSystemSpace?

    package init(type: ByteString, uuid: FileSystemUUID, label: ByteString?, mount: Mount, space: FileSystemSpace?) {
        self.type = type
        self.uuid = uuid
        self.label = label
        self.mount = mount
        self.space = space
    }
}

extension Mount {
    /// True for types that have no UUID in their making.
    package var isWithoutUUID: Bool {
        if isOnNetwork || isArtificial { return true }
        return type.hasPrefix("fuse.") || ["squashfs", "cramfs", "romfs", "virtiofs"].contains(type)
    }

    /// True for files of another machine.
    package var isOnNetwork: Bool {
        let types: Set<ByteString> = [
            "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs", "glusterfs", "lustre", "fuse.sshfs",
            "fuse.rclone", "fuse.glusterfs", "fuse.s3fs", "davfs", "fuse.davfs2",
        ]
        return types.contains(type)
    }

    /// True for what lives in memory or in other file systems, and what the kernel makes up.
    package var isArtificial: Bool {
        let types: Set<ByteString> = [
            "autofs", "bdev", "binder", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "cpuset", "debugfs",
            "devpts",
            "devtmpfs", "efivarfs", "fusectl", "fuse.lxcfs", "hugetlbfs", "mqueue", "nsfs", "overlay", "aufs", "proc",
            "pstore", "ramfs", "rpc_pipefs", "securityfs", "selinuxfs", "sysfs", "tmpfs", "tracefs",
        ]
        return types.contains(type)
    }
}

extension DiskSources {
    /// Which file system holds what `path` leads to; nil when its mount cannot be told.
    ///
    /// **Errors**: when the path does not open or the table of mounts cannot be read. **Cost**: some small reads; 68 KiB of the
    /// device when neither the kernel nor udev tells, which only root may read.
    package func identity(of path: ByteString) throws(Errno) -> FileSystemIdentity? {
        guard let mount = try Mount.holding(path, self) else { return nil }
        return identity(of: mount, at: path)
    }

    /// The identity of a mounted file system, asked through its mount point or another path on it.
    package func identity(of mount: Mount, at path: ByteString? = nil) -> FileSystemIdentity {
        let place = path ?? mount.point
        var identity = FileSystemIdentity(type: mount.type, uuid: .unknown, label: nil, mount: mount, space: nil)
        identity.space = try? FileSystemSpace.at(self.path(place))
        guard !mount.isWithoutUUID else {
            identity.uuid = .none
            return identity
        }
        let device = device(of: mount)
        let record = device.flatMap { udevRecord(of: $0, type: mount.type) }
        identity.label = record.flatMap { $0["ID_FS_LABEL_ENC"] }.map(unescapedHex) ?? record?["ID_FS_LABEL"]
        if let uuid = kernelUUID(of: mount, at: place) {
            identity.uuid = .known(uuid, from: .kernel)
        } else if let uuid = record?["ID_FS_UUID"] {
            identity.uuid = .known(uuid.display, from: .udev)
        } else if let uuid = device.flatMap(linkedUUID) {
            identity.uuid = .known(uuid, from: .link)
        }
        guard identity.uuid == .unknown || identity.label == nil, let device,
            let block = superblock(of: device, mount)
        else { return identity }
        if identity.uuid == .unknown, let uuid = block.uuid { identity.uuid = .known(uuid, from: .superblock) }
        if identity.uuid.text == block.uuid, identity.label == nil { identity.label = block.label }
        return identity
    }

    /// The device of a mount, the first of several.
    private func device(of mount: Mount) -> DeviceNumber? {
        guard mount.device.isAnonymous else { return mount.device }
        return devices(of: mount).lazy.compactMap { try? $0.get() }.first
    }

    /// What the driver says: of btrfs by sysfs, of others by the system call of Linux 6.9, which needs no rights beyond opening.
    private func kernelUUID(of mount: Mount, at path: ByteString) -> String? {
        if mount.type == "btrfs" { return btrfsPool(of: mount)?.uuid }
        let types: Set<ByteString> = ["ext2", "ext3", "ext4", "xfs", "f2fs", "bcachefs"]
        guard isLive, types.contains(mount.type), let file = try? openForQuestions(path),
            chost_mount_id(file.rawValue) == mount.id
        else { return nil }
        var bytes: [UInt8] = Array(repeating: 0, count: 16)
        guard chost_file_system_uuid(file.rawValue, &bytes) == 0 else { return nil }
        return uuidText(bytes)
    }

    /// udev's record, unless it is about something else than what is mounted.
    private func udevRecord(of device: DeviceNumber, type: ByteString) -> UdevRecord? {
        let record = UdevRecord(parsing: rawAttribute(ByteString("/run/udev/data/b\(device)")) ?? [])
        guard let said = record["ID_FS_TYPE"] else { return nil }
        if said == type { return record }
        let mounted = Superblock.Family.behind(type: type)
        return mounted.contains { Superblock.Family.behind(type: said).contains($0) } ? record : nil
    }

    private func linkedUUID(_ device: DeviceNumber) -> String? {
        let links = "/dev/disk/by-uuid" as ByteString
        let found = ((try? names(links)) ?? []).filter { number(ofNode: links + "/" + $0) == device }
        return found.count == 1 ? found.first?.display : nil
    }

    /// The superblock as the device has it; nil when it may not be read.
    private func superblock(of device: DeviceNumber, _ mount: Mount) -> Superblock? {
        guard isLive else { return nil }
        let name = node(of: device).map { "/dev/" + $0.name }
        for path in [name, mount.source].compactMap({ $0 }) {
            guard let file = try? openDevice(path, device) else { continue }
            return try? Superblock.read(from: file, type: mount.type)
        }
        return nil
    }
}

/// Opens a directory or regular file; other things may act when they are opened.
private func openForQuestions(_ path: ByteString) throws(Errno) -> FileDescriptor {
    let kind = try status(at: path, followLinks: true).kind
    guard kind == .directory || kind == .regular else { throw Errno(EINVAL, in: "open") }
    return try openReadOnly(path)
}

/// Opens a block device for reading, and proves that it is the one meant.
func openDevice(_ path: ByteString, _ device: DeviceNumber) throws(Errno) -> FileDescriptor {
    guard try status(at: path, followLinks: true).kind == .blockDevice else { throw Errno(ENOTBLK, in: "open") }
    let file = try openReadOnly(path)
    let status = try file.status()
    guard status.kind == .blockDevice, DeviceNumber(encoded: status.rdev) == device else { throw .stale }
    return file
}

private func openReadOnly(_ path: ByteString) throws(Errno) -> FileDescriptor {
    let number = try path.withPath { text throws(Errno) in
        try retryInterrupted("open") { Int(open(text, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) }
    }
    return FileDescriptor(Int32(number))
}
