import Bytes

/// Whether a file system, or the disks that held it, are at this machine, mounted or not.
extension DiskSources {
    /// True when a device with this file system is attached, or one of these disks is; false when none of all devices is one.
    ///
    /// Nil when there is nothing to look for, and when a device could not be asked: "not found" is no proof then. `disks` are names as
    /// `PhysicalDisk.stableID` gives them. **Cost**: some files of sysfs for each device; 68 KiB of those that udev has no record of.
    package func isAttached(fileSystem uuid: String?, disks: Set<String>) -> Bool? {
        guard uuid != nil || !disks.isEmpty else { return nil }
        let mounted = mountedFileSystems()
        if let uuid, mounted.values.contains(where: { $0.map { FileSystemUUID.isSame($0, uuid) } ?? false }) {
            return true
        }
        guard let names = try? names("/sys/class/block"), !names.isEmpty else { return nil }
        var isCertain = true
        for name in names {
            // A loop device or a reader without anything in it.
            let path = "/sys/class/block/" + name
            guard attribute(path + "/size") != "0", let number = number(at: path) else { continue }
            if let disk = node(of: number).flatMap({ facts(of: $0).stableID }), disks.contains(disk) { return true }
            // What is mounted was compared already: what told its UUID once tells it again.
            guard let uuid, mounted[number] == nil else { continue }
            switch fileSystemUUID(on: number, name) {
            case .known(let found, from: _): if FileSystemUUID.isSame(found, uuid) { return true }
            case .none: break
            case .unknown: isCertain = false
            }
        }
        return isCertain ? false : nil
    }

    /// UUIDs of what is mounted, by the device; nil for one that has none, or does not tell it.
    private func mountedFileSystems() -> [DeviceNumber: String?] {
        var found: [DeviceNumber: String?] = [:]
        for mount in (try? MountTable.current(self))?.mounts ?? [] where !mount.isWithoutUUID {
            if found[mount.device] == nil { found[mount.device] = .some(identity(of: mount).uuid.text) }
        }
        return found
    }

    /// What udev has noted of a device, else what stands on it.
    private func fileSystemUUID(on device: DeviceNumber, _ name: ByteString) -> FileSystemUUID {
        if let text = rawAttribute(ByteString("/run/udev/data/b\(device)")) {
            return UdevRecord(parsing: text)["ID_FS_UUID"].map { .known($0.display, from: .udev) } ?? .none
        }
        guard isLive, let file = try? openDevice("/dev/" + name, device) else { return .unknown }
        do throws(Errno) {
            return try Superblock.read(from: file)?.uuid.map { .known($0, from: .superblock) } ?? .none
        } catch {
            return .unknown
        }
    }
}

extension FileSystemUUID {
    /// UUIDs are written with and without dashes, in either case.
    package static func isSame(_ left: String, _ right: String) -> Bool {
        func plain(_ text: String) -> String { text.lowercased().filter { $0 != "-" } }
        return plain(left) == plain(right)
    }
}
