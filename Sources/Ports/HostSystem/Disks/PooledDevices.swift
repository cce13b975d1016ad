import Bytes

/// A gap as the failure of one device among several.
struct DiskGap: Error {
    var gap: DiskSet.Gap
}

extension DiskSources {
    /// The block devices of a file system whose own number is anonymous; none when it lies on no device, or on ones that are not shown.
    ///
    /// btrfs names all its devices in sysfs, bcachefs in its source. The source of anything else is a text that whoever mounted it
    /// made up: `mount -t tmpfs /dev/sda1` is no disk.
    func devices(of mount: Mount) -> [Result<DeviceNumber, DiskGap>] {
        switch mount.type {
        case "btrfs":
            if let pool = btrfsPool(of: mount) { return pool.devices }
            let first = device(at: mount.source, of: mount)
            guard case .success = first else { return [first] }
            return [first, .failure(DiskGap(gap: .notInSysfs("others of \(mount.source)")))]
        case "bcachefs":
            return mount.source.bytes.split(separator: 0x3a).map { device(at: ByteString(Array($0)), of: mount) }
        default:
            return []
        }
    }

    /// The devices beside its own that XFS keeps its log, or the content of some files, on.
    func sideDevices(of mount: Mount) -> [Result<DeviceNumber, DiskGap>] {
        guard mount.type == "xfs" else { return [] }
        let names: [ByteString] = ["logdev=", "rtdev="]
        return names.flatMap { name in
            mount.superOptions.filter { $0.hasPrefix(name) }.map {
                device(at: ByteString(Array($0.bytes.dropFirst(name.count))), of: mount)
            }
        }
    }

    private func device(at path: ByteString, of mount: Mount) -> Result<DeviceNumber, DiskGap> {
        guard let number = number(ofNode: path) else {
            return .failure(DiskGap(gap: .noDevice(type: mount.type, source: path)))
        }
        return .success(number)
    }

    /// A mounted btrfs as sysfs shows it.
    struct BtrfsPool {
        /// The file system's UUID; nil when the kernel gave the mount one of its own because a clone is mounted too.
        var uuid: String?
        var devices: [Result<DeviceNumber, DiskGap>]
    }

    /// The file system among `/sys/fs/btrfs/UUID` that has the mount's source among its devices.
    func btrfsPool(of mount: Mount) -> BtrfsPool? {
        guard let source = number(ofNode: mount.source), let pools = try? names("/sys/fs/btrfs") else { return nil }
        for pool in pools where pool.count == 36 {
            let place = "/sys/fs/btrfs/" + pool
            guard let names = try? names(place + "/devices"), !names.isEmpty else { continue }
            let devices = names.map { name -> Result<DeviceNumber, DiskGap> in
                guard let number = number(at: place + "/devices/" + name) else {
                    return .failure(DiskGap(gap: .notInSysfs(name.display)))
                }
                return .success(number)
            }
            guard devices.contains(where: { (try? $0.get()) == source }) else { continue }
            let isTemporary = attribute(place + "/temp_fsid") == "1"
            return BtrfsPool(uuid: isTemporary ? nil : pool.display, devices: devices + missing(place))
        }
        return nil
    }

    /// A device of the pool that is not plugged in is a gap.
    private func missing(_ place: ByteString) -> [Result<DeviceNumber, DiskGap>] {
        let numbers = (try? names(place + "/devinfo")) ?? []
        return numbers.filter { attribute(place + "/devinfo/" + $0 + "/missing") == "1" }
            .map { .failure(DiskGap(gap: .notInSysfs("\($0) of \(place)"))) }
    }
}
