import Bytes

extension DiskSources {
    /// What sysfs and udev tell about a whole disk.
    func facts(of node: BlockNode) -> PhysicalDisk {
        let device = node.path + "/device"
        let udev = UdevRecord(parsing: rawAttribute(ByteString("/run/udev/data/b\(node.number)")) ?? [])
        let usb = usbDevice(above: node.path)
        let transport = transport(of: node, isUSB: usb != nil)
        let isCard = transport == .mmc && attribute(device + "/type") != "MMC"
        return PhysicalDisk(
            name: node.name,
            device: node.number,
            sequence: attribute(node.path + "/diskseq").flatMap { decimal($0.bytes) },
            serial: serial(of: node, udev, usb),
            model: model(of: node, udev, usb),
            wwid: wwid(of: node),
            transport: transport,
            isRemovable: transport == .usb || isCard || attribute(node.path + "/removable") == "1",
            isRotational: attribute(node.path + "/queue/rotational").map { $0 == "1" },
            sizeBytes: attribute(node.path + "/size").flatMap { decimal($0.bytes) }
                .map { $0.multipliedReportingOverflow(by: 512) }.flatMap { $0.overflow ? nil : $0.partialValue }
        )
    }

    // MARK: Serial and model

    /// The first of: what the disk itself tells the kernel, what udev found out, the number of the USB bridge.
    ///
    /// A bridge of two bays has one number for both, also in udev's ID_SERIAL_SHORT, so it is told with target and unit, as udev
    /// does in ID_SERIAL. Some bridges make up another number with each start; nothing here can know that.
    private func serial(of node: BlockNode, _ udev: UdevRecord, _ usb: ByteString?) -> ByteString? {
        let own = [
            attribute(node.path + "/device/cid"), attribute(node.path + "/device/serial"),
            attribute(node.path + "/serial"), vitalSerial(node),
        ]
        let bridge = usb.flatMap { attribute($0 + "/serial") }
        let told = [udev["ID_SERIAL_SHORT"], udev["ID_SCSI_SERIAL"]].filter { $0 != bridge && !udev.isAboutBridge }
        for serial in (own + told).compactMap({ $0 }) where isDistinctive(serial) { return serial }
        guard let serial = bridge, isDistinctive(serial) else { return nil }
        return serial + "-" + unit(of: node)
    }

    /// The unit serial number page of SCSI: four bytes of head, the third and fourth the length of the rest.
    private func vitalSerial(_ node: BlockNode) -> ByteString? {
        guard let page = rawAttribute(node.path + "/device/vpd_pg80"), page.count >= 4, page[1] == 0x80 else {
            return nil
        }
        let length = Int(page[2]) << 8 | Int(page[3])
        let serial = ByteString(Array(page.dropFirst(4).prefix(length))).trimmed
        return serial.isEmpty ? nil : serial
    }

    /// `TARGET:UNIT` of a SCSI address `HOST:CHANNEL:TARGET:UNIT`.
    private func unit(of node: BlockNode) -> ByteString {
        for part in node.path.components.reversed() {
            let numbers = part.bytes.split(separator: 0x3a, omittingEmptySubsequences: false)
            guard numbers.count == 4, numbers.allSatisfy({ decimal($0) != nil }) else { continue }
            return ByteString(Array(numbers[2])) + ":" + ByteString(Array(numbers[3]))
        }
        return "0:0"
    }

    private func model(of node: BlockNode, _ udev: UdevRecord, _ usb: ByteString?) -> ByteString? {
        let own = attribute(node.path + "/device/model") ?? attribute(node.path + "/device/name")
        return own ?? udev["ID_MODEL"] ?? usb.flatMap { attribute($0 + "/product") }
    }

    /// Only names that are unique by their rules: what bridges make up out of texts (`t10.…`) is not.
    private func wwid(of node: BlockNode) -> ByteString? {
        for path in [node.path + "/device/wwid", node.path + "/wwid"] {
            guard let name = attribute(path), let dot = name.bytes.firstIndex(of: 0x2e) else { continue }
            let kinds: [ByteString] = ["naa", "eui", "uuid"]
            let number = ByteString(Array(name.bytes[(dot + 1)...]))
            if kinds.contains(ByteString(Array(name.bytes[..<dot]))), isDistinctive(number) { return name }
        }
        return nil
    }

    // MARK: Place

    /// The directory of the USB device that the disk hangs on.
    private func usbDevice(above path: ByteString) -> ByteString? {
        var parts = path.components
        while parts.count > 2 {
            let place = absolute(parts)
            if attribute(place + "/idVendor") != nil { return place }
            parts.removeLast()
        }
        return nil
    }

    private func transport(of node: BlockNode, isUSB: Bool) -> DiskTransport {
        if isUSB { return .usb }
        let byName: [(ByteString, DiskTransport)] = [
            ("zram", .memory), ("ram", .memory), ("pmem", .memory), ("nbd", .network), ("rbd", .network),
            ("drbd", .network),
        ]
        if let known = byName.first(where: { node.name.hasPrefix($0.0) }) { return known.1 }
        if node.name.hasPrefix("nvme") { return isFabric(node) ? .network : .nvme }
        let marks: [(ByteString, DiskTransport)] = [
            ("session", .network), ("rport-", .network), ("end_device-", .sas), ("ata", .sata), ("virtio", .virtio),
            ("mmc", .mmc), ("vbd-", .xen), ("vmbus", .hyperv), ("VMBUS", .hyperv), ("fw", .firewire),
            ("host", .scsi),
        ]
        for (mark, transport) in marks {
            let isOnTheWay = node.path.components.contains { part in
                part.hasPrefix(mark) && part.bytes.dropFirst(mark.count).first.map { !(0x61...0x7a ~= $0) } ?? true
            }
            if isOnTheWay { return transport }
        }
        return .unknown
    }

    /// Whether a path to an NVMe disk leads over a network; of a disk with several paths the controllers stand beside it.
    private func isFabric(_ node: BlockNode) -> Bool {
        let device = node.path + "/device"
        let controllers = ((try? names(device)) ?? []).filter { $0.hasPrefix("nvme") }.map { device + "/" + $0 }
        return ([device] + controllers).contains { attribute($0 + "/transport").map { $0 != "pcie" } ?? false }
    }
}

/// False for the placeholders that whole production runs share: nothing, one character repeated, digits that count up.
func isDistinctive(_ serial: ByteString) -> Bool {
    let text = serial.trimmed.bytes
    guard text.count >= 3, Set(text).subtracting([0x20, 0x2d, 0x2e]).count > 1 else { return false }
    let counting = Array("0123456789ABCDEF0123456789".utf8)
    let small = Array("0123456789abcdef0123456789".utf8)
    let decimal = Array("0123456789012345678901234567890".utf8)
    return ![counting, small, decimal].contains { contains($0, text) }
}

private func contains(_ long: [UInt8], _ short: [UInt8]) -> Bool {
    guard short.count <= long.count else { return false }
    return (0...(long.count - short.count)).contains { long[$0...].starts(with: short) }
}
