package import Bytes
import CHost

extension DiskSources {
    /// The disks that hold what `path` leads to.
    ///
    /// **Errors**: when the path does not open or the table of mounts cannot be read; what is unclear below is a gap of the answer.
    package func disks(below path: ByteString) throws(Errno) -> DiskSet {
        guard let mount = try Mount.holding(path, self) else { return DiskSet(gaps: [.noMount(path)]) }
        return disks(below: mount)
    }

    /// The disks of a mounted file system.
    package func disks(below mount: Mount) -> DiskSet {
        var resolver = DiskResolver(sources: self)
        resolver.follow(mount, depth: 0)
        return resolver.result
    }

    /// The disks below a block device.
    package func disks(below device: DeviceNumber) -> DiskSet {
        var resolver = DiskResolver(sources: self)
        resolver.follow(device, depth: 0)
        return resolver.result
    }
}

/// One walk from a mount or device down to its disks.
///
/// 1. A layer that cannot be read is a gap, never a disk: what is not proven to be the bottom is not called so.
/// 2. Each device is looked at once; depth and number of devices are bounded, circles are refused.
struct DiskResolver {
    let sources: DiskSources
    private var active: Set<DeviceNumber> = []
    private var done: Set<DeviceNumber> = []
    private var disks: [PhysicalDisk] = []
    private var gaps: [DiskSet.Gap] = []

    init(sources: DiskSources) { self.sources = sources }

    /// What was found so far.
    var result: DiskSet {
        DiskSet(disks: disks.sorted { $0.name < $1.name }, gaps: gaps)
    }

    private mutating func note(_ gap: DiskSet.Gap) {
        if !gaps.contains(gap) { gaps.append(gap) }
    }

    // MARK: File systems

    mutating func follow(_ mount: Mount, depth: Int) {
        guard depth <= DiskSources.Limits.depth else { return note(.tooDeep(mount.point)) }
        var devices = sources.sideDevices(of: mount)
        if mount.device.isAnonymous {
            devices += sources.devices(of: mount)
        } else {
            follow(mount.device, depth: depth + 1)
        }
        if devices.isEmpty, mount.device.isAnonymous { note(.noDevice(type: mount.type, source: mount.source)) }
        for device in devices {
            switch device {
            case .success(let number): follow(number, depth: depth + 1)
            case .failure(let gap): note(gap.gap)
            }
        }
    }

    // MARK: Devices

    mutating func follow(_ device: DeviceNumber, depth: Int) {
        if active.contains(device) { return note(.circular(ByteString("\(device)"))) }
        if done.contains(device) { return }
        guard depth <= DiskSources.Limits.depth, active.count + done.count < DiskSources.Limits.devices else {
            return note(.tooDeep(ByteString("\(device)")))
        }
        active.insert(device)
        defer {
            active.remove(device)
            done.insert(device)
        }
        guard let node = sources.node(of: device) else { return note(.notInSysfs("\(device)")) }
        do throws(Errno) {
            try follow(node, depth: depth)
        } catch {
            note(.unreadable(node.path, error))
        }
    }

    private mutating func follow(_ node: BlockNode, depth: Int) throws(Errno) {
        if try sources.exists(node.path + "/partition") {
            guard let whole = sources.number(at: node.parent) else { return note(.notInSysfs(node.parent.display)) }
            return follow(whole, depth: depth + 1)
        }
        if try sources.exists(node.path + "/loop") { return try followLoop(node, depth: depth) }
        let slaves = try sources.names(node.path + "/slaves").map { node.path + "/slaves/" + $0 }
        // The files of a bcache's set, which hold what was not written back yet; `..` leads from there to their devices.
        let caches = try sources.names(node.path + "/bcache/cache").filter { $0.hasPrefix("cache") }
            .map { node.path + "/bcache/cache/" + $0 + "/.." }
        for below in slaves + caches {
            guard let number = sources.number(at: below) else {
                note(.notInSysfs(below.display))
                continue
            }
            follow(number, depth: depth + 1)
        }
        guard slaves.isEmpty, caches.isEmpty else { return }
        if node.isMapping { return note(.noSlaves(node.name)) }
        let facts = sources.facts(of: node)
        // Pulled while we looked: what was missing may have been what lies below.
        guard sources.number(at: node.path) == node.number else { return note(.notInSysfs("\(node.number)")) }
        disks.append(facts)
    }

    /// Follows a loop device to the mount of its file.
    ///
    /// The path in sysfs is that of the process which attached it: in another namespace of mounts it may name another file, and
    /// none after the file was deleted. So the driver is asked too, where it may be, and its answer counts.
    private mutating func followLoop(_ node: BlockNode, depth: Int) throws(Errno) {
        let held = sources.loopFile(of: node)
        if let path = sources.backingFile(of: node) {
            do throws(Errno) {
                if let mount = try Mount.holding(path, sources) {
                    if try held.isNone(or: path) { return follow(mount, depth: depth + 1) }
                } else if held == nil {
                    return note(.noMount(path))
                }
            } catch  where error.kind == .missing || error.kind == .notDirectory {
                // Deleted, or in another namespace.
            }
        }
        guard let held, !held.device.isAnonymous else { return note(.noBackingFile(node.name)) }
        follow(held.device, depth: depth + 1)
    }
}

/// The file behind a loop device, as its driver knows it.
struct LoopFile: Hashable {
    var device: DeviceNumber
    var inode: UInt64

    init(device: DeviceNumber, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    init(_ status: FileStatus) { self.init(device: DeviceNumber(encoded: status.device), inode: status.inode) }
}

extension LoopFile? {
    /// Whether the path may be taken for the file: the driver does not say otherwise.
    fileprivate func isNone(or path: ByteString) throws(Errno) -> Bool {
        guard let self else { return true }
        return try LoopFile(status(at: path, followLinks: true)) == self
    }
}

extension DiskSources {
    /// The path of the file that a loop device holds, as whoever attached it called it; nil for other devices.
    package func backingFile(of device: DeviceNumber) -> ByteString? {
        node(of: device).flatMap { backingFile(of: $0) }
    }

    func backingFile(of node: BlockNode) -> ByteString? {
        // Without a line's end the kernel cut it to a page.
        guard let raw = rawAttribute(node.path + "/loop/backing_file"), raw.last == 0x0a else { return nil }
        return ByteString(Array(raw.dropLast()))
    }

    /// What the driver says; nil when the device may not be opened.
    fileprivate func loopFile(of node: BlockNode) -> LoopFile? {
        guard isLive, let device = try? openDevice("/dev/" + node.name, node.number) else { return nil }
        var number: UInt64 = 0
        var inode: UInt64 = 0
        guard chost_loop_backing(device.rawValue, &number, &inode) == 0 else { return nil }
        return LoopFile(device: DeviceNumber(encoded: number), inode: inode)
    }
}
