package import Bytes
import Glibc

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
        guard mount.device.isAnonymous else { return follow(mount.device, depth: depth + 1) }
        let devices = sources.devices(of: mount)
        if devices.isEmpty { note(.noDevice(type: mount.type, source: mount.source)) }
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
        if sources.exists(node.path + "/partition") {
            guard let whole = sources.number(at: node.parent) else { return note(.notInSysfs(node.parent.display)) }
            return follow(whole, depth: depth + 1)
        }
        if sources.exists(node.path + "/loop") { return try followLoop(node, depth: depth) }
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
        disks.append(sources.facts(of: node))
    }

    private mutating func followLoop(_ node: BlockNode, depth: Int) throws(Errno) {
        guard let raw = sources.rawAttribute(node.path + "/loop/backing_file"), raw.last == 0x0a else {
            return note(.noBackingFile(node.name))
        }
        let path = ByteString(Array(raw.dropLast()))
        do throws(Errno) {
            guard let mount = try Mount.holding(path, sources) else { return note(.noMount(path)) }
            follow(mount, depth: depth + 1)
        } catch  where error.kind == .missing || error.kind == .notDirectory {
            note(.noBackingFile(node.name))
        }
    }
}

/// A block device's directory in sysfs.
struct BlockNode {
    /// The kernel's name, with `/` where sysfs has `!`.
    var name: ByteString
    /// `/sys/devices/…/block/sda/sda1`.
    var path: ByteString
    var number: DeviceNumber

    var parent: ByteString { absolute(path.components.dropLast()) }

    /// True for devices that always lie on others: device mapper, md, bcache, zvols.
    var isMapping: Bool {
        let names: [ByteString] = ["dm-", "md", "bcache", "zd"]
        return names.contains { prefix in
            guard name.hasPrefix(prefix), name.count > prefix.count else { return false }
            return 0x30...0x39 ~= name.bytes[prefix.count] || name.bytes[prefix.count] == 0x5f
        }
    }
}

extension DiskSources {
    /// The directory of a device; nil when sysfs does not have it.
    func node(of device: DeviceNumber) -> BlockNode? {
        guard let target = linkTarget(ByteString("/sys/dev/block/\(device)")) else { return nil }
        let path = absolute(ByteString("/sys/dev/block").components + target.components)
        guard let name = path.components.last, exists(path) else { return nil }
        return BlockNode(
            name: ByteString(name.bytes.map { $0 == 0x21 ? 0x2f : $0 }),
            path: path,
            number: device
        )
    }

    /// The number in a device's directory.
    func number(at path: ByteString) -> DeviceNumber? { attribute(path + "/dev").flatMap { DeviceNumber($0.bytes) } }

    /// The number of a device node such as `/dev/mapper/vg-root`, links followed.
    func number(ofNode path: ByteString) -> DeviceNumber? {
        if isLive, let status = try? status(at: path, followLinks: true), status.kind == .blockDevice {
            return DeviceNumber(encoded: status.rdev)
        }
        // The node may be outside what a container sees; its name is the kernel's, unless it is a link.
        guard let last = path.components.last else { return nil }
        let name = linkTarget(path)?.components.last ?? last
        return number(at: "/sys/class/block/" + name)
    }
}
