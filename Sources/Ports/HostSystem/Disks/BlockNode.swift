import Bytes

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
        guard let name = path.components.last, (try? exists(path)) == true else { return nil }
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
