package import Bytes

/// How a disk is attached, as far as its place in sysfs tells.
package enum DiskTransport: String, Sendable, Hashable, CaseIterable {
    case usb, sata, sas, scsi, nvme, mmc, firewire
    /// A disk that a hypervisor gives to this machine; what it lies on is not told.
    case virtio, xen, hyperv
    /// A disk of another machine: iSCSI, Fibre Channel, NVMe over a network, NBD, RBD, DRBD.
    case network
    /// Memory that looks like a disk: zram, ram.
    case memory
    case unknown
}

/// A disk at the bottom of all mappings, or the nearest to one that this machine can see.
package struct PhysicalDisk: Sendable, Hashable {
    /// The kernel's name of this session: `sda`, `nvme0n1`.
    package var name: ByteString
    package var device: DeviceNumber
    /// The kernel's count of the disks that it met since boot: a disk that is plugged in again has another one.
    ///
    /// Nil before Linux 5.15.
    package var sequence: UInt64?
    /// The maker's number of this one disk; nil when none is told, and when what is told is a placeholder that many disks share.
    package var serial: ByteString?
    package var model: ByteString?
    /// World-wide name: `naa.5002538f…`, `eui.…`.
    package var wwid: ByteString?
    package var transport: DiskTransport
    /// True for what is made to be unplugged: USB, SD cards, and what calls itself removable.
    package var isRemovable: Bool
    /// The kernel's word, nil when it says nothing.
    ///
    /// USB bridges and hypervisors often say true of what does not turn.
    package var isRotational: Bool?
    package var sizeBytes: UInt64?

    /// What stays the same when the disk is plugged in elsewhere; nil when it gives nothing to be known by.
    ///
    /// Model and serial, else the world-wide name. Blanks are underscores, as udev writes them.
    package var stableID: String? {
        if let serial { return model.map { word($0) + "_" + word(serial) } ?? word(serial) }
        return wwid.map(word)
    }

    /// `stableID`, or words that say that there is none: `unknown disk vda`.
    package var id: String { stableID ?? "unknown disk \(name.display)" }

    /// True when what lies below is another machine's or a hypervisor's affair, so that two of them may be one disk.
    package var isVirtual: Bool {
        switch transport {
        case .virtio, .xen, .hyperv, .network: return true
        case .usb, .sata, .sas, .scsi, .nvme, .mmc, .firewire, .memory, .unknown: break
        }
        let makers: [ByteString] = ["QEMU", "VMware", "VBOX", "Virtual", "Msft"]
        return makers.contains { maker in model.map { $0.hasPrefix(maker) } ?? false }
    }

    package init(
        name: ByteString,
        device: DeviceNumber,
        sequence: UInt64? = nil,
        serial: ByteString? = nil,
        model: ByteString? = nil,
        wwid: ByteString? = nil,
        transport: DiskTransport = .unknown,
        isRemovable: Bool = false,
        isRotational: Bool? = nil,
        sizeBytes: UInt64? = nil
    ) {
        self.name = name
        self.device = device
        self.sequence = sequence
        self.serial = serial
        self.model = model
        self.wwid = wwid
        self.transport = transport
        self.isRemovable = isRemovable
        self.isRotational = isRotational
        self.sizeBytes = sizeBytes
    }

    /// Whether both are one disk; nil when it cannot be told.
    ///
    /// Both are of this boot. One kernel device is one disk, unless another was plugged in meanwhile. Beyond that only what both are
    /// known by counts: a disk without serial may be any other.
    package func isSame(as other: PhysicalDisk) -> Bool? {
        if device == other.device, sequence == nil || other.sequence == nil || sequence == other.sequence {
            return true
        }
        guard let mine = stableID, let theirs = other.stableID else { return nil }
        if mine == theirs || wwid != nil && wwid == other.wwid { return true }
        // Two disks of a hypervisor, or of a storage network, may lie on one below it.
        if isVirtual, other.isVirtual { return nil }
        // One bridge may show a serial where another shows a world-wide name only.
        return (serial == nil) == (other.serial == nil) ? false : nil
    }
}

private func word(_ text: ByteString) -> String {
    ByteString(text.bytes.split(separator: 0x20).joined(separator: [0x5f]).map { $0 }).display
}

/// The disks below a path or a device, and what stood in the way of telling them.
package struct DiskSet: Sendable, Hashable {
    /// Why a layer could not be followed to its disks.
    package enum Gap: Sendable, Hashable, CustomStringConvertible {
        /// The file system lies on no block device: tmpfs, overlay, a share, a pool that sysfs does not show.
        case noDevice(type: ByteString, source: ByteString)
        /// The path is on no mount that this process can see.
        case noMount(ByteString)
        /// sysfs does not have the device, as in a container without `/sys`, or after it was pulled.
        case notInSysfs(String)
        /// The file that holds a loop device's content cannot be found.
        case noBackingFile(ByteString)
        /// A mapping without devices below it.
        case noSlaves(ByteString)
        /// A layer could not be read.
        case unreadable(ByteString, Errno)
        /// More layers or devices than the bound, or layers in a circle.
        case tooDeep(ByteString), circular(ByteString)

        /// One line for people: `/dev/loop0 lies on /x.img, which cannot be found`.
        package var description: String {
            switch self {
            case .noDevice(let type, let source):
                "a file system of type \(type) (\(source)) lies on no disk of this machine"
            case .noMount(let path): "\(path) is on no mount that can be seen from here"
            case .notInSysfs(let device): "the kernel shows nothing about device \(device)"
            case .noBackingFile(let name): "the file behind \(name) cannot be found"
            case .noSlaves(let name): "\(name) is a mapping, and what is below it is not shown"
            case .unreadable(let path, let cause): "\(path) cannot be read: \(cause)"
            case .tooDeep(let name): "\(name) has more layers than are followed"
            case .circular(let name): "\(name) lies on itself"
            }
        }
    }

    /// Ordered by name; each once.
    package var disks: [PhysicalDisk]
    /// Empty when the disks are all there are.
    package var gaps: [Gap]

    package init(disks: [PhysicalDisk] = [], gaps: [Gap] = []) {
        self.disks = disks
        self.gaps = gaps
    }

    /// True when these disks are all, and there is at least one.
    package var isComplete: Bool { gaps.isEmpty && !disks.isEmpty }

    /// True when every disk is made to be unplugged.
    package var isRemovable: Bool { !disks.isEmpty && disks.allSatisfy(\.isRemovable) }

    /// Whether both have a disk in common; nil when it cannot be told.
    ///
    /// False is said only when all disks of both sides are known, by kernel device and by number of their maker.
    package func shares(with other: DiskSet) -> Bool? {
        var isCertain = isComplete && other.isComplete
        for mine in disks {
            for theirs in other.disks {
                switch mine.isSame(as: theirs) {
                case true?: return true
                case false?: break
                case nil: isCertain = false
                }
            }
        }
        return isCertain ? false : nil
    }
}
