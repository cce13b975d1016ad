import Bytes
import Foundation
import HostSystem
import Testing

/// LUKS below LVM on the first partition of a USB SSD, mounted at `/mnt/usb`.
private func usbMachine(serial: String = "S5Y1NJ0R", udev: String? = nil) -> FakeMachine {
    let machine = FakeMachine()
    machine.file("/sys/devices/" + usbPort + "/idVendor", "04e8\n")
    machine.file("/sys/devices/" + usbPort + "/serial", serial + "\n")
    let disk = machine.scsi(usbDisk, "sda", "8:0", ["queue/rotational": "0"])
    machine.file("/sys/devices/" + usbDisk + "/model", "Portable SSD T7 \n")
    machine.partition(disk, "sda1", "8:1")
    let luks = machine.block("virtual/block/dm-0", "253:0", ["dm/name": "luks-usb"])
    machine.slave(luks, "sda1")
    let volume = machine.block("virtual/block/dm-1", "253:1", ["dm/name": "vg-usb"])
    machine.slave(volume, "dm-0")
    machine.mounts("28 1 8:16 / / rw - ext4 /dev/sdb rw", "40 28 253:1 / /mnt/usb rw - ext4 /dev/mapper/vg-usb rw")
    if let udev { machine.file("/run/udev/data/b8:0", udev) }
    return machine
}

@Suite struct DiskResolverTests {
    @Test func `B-10 the disk below LVM, LUKS, a partition and a USB bridge is found with its serial`() throws {
        let set = try usbMachine().disks(below: "/mnt/usb/holdfast")
        #expect(set.isComplete)
        let disk = try #require(set.disks.first)
        #expect(set.disks.count == 1)
        #expect(disk.name == "sda" && disk.device == DeviceNumber(major: 8, minor: 0))
        #expect(disk.transport == .usb && disk.isRemovable && disk.isRotational == false)
        #expect(disk.id == "Portable_SSD_T7_S5Y1NJ0R-0:0")
        #expect(disk.sizeBytes == 1 << 30)
        #expect(!disk.isVirtual)
    }

    @Test func `B-10 what udev asked the disk behind a bridge counts more than the bridge's number`() throws {
        let record = "S:disk/by-id/usb-x\nE:ID_SERIAL=Samsung_X\nE:ID_SERIAL_SHORT=DISK42X\nE:\nE:=\nE\n"
        let set = try usbMachine(udev: record).disks(below: "/mnt/usb")
        #expect(set.disks.map(\.id) == ["Portable_SSD_T7_DISK42X"])
    }

    @Test func `B-10 two disks in one USB box of one number are told apart, with udev and without`() {
        for withRecords in [false, true] {
            let machine = FakeMachine()
            machine.file("/sys/devices/" + usbPort + "/idVendor", "152d\n")
            machine.file("/sys/devices/" + usbPort + "/serial", "2020 060\n")
            for (unit, name, minor) in [("0:0", "sda", 0), ("0:1", "sdb", 16)] {
                let place = usbPort + "/2-1:1.0/host4/target4:0:0/4:0:\(unit)"
                machine.scsi(place, name, "8:\(minor)")
                guard withRecords else { continue }
                let record = "E:ID_SERIAL=Box_2020_060-\(unit)\nE:ID_SERIAL_SHORT=2020_060\nE:ID_INSTANCE=\(unit)\n"
                machine.file("/run/udev/data/b8:\(minor)", record)
            }
            let sets = [0, 16].map { machine.sources.disks(below: DeviceNumber(major: 8, minor: $0)) }
            #expect(sets.flatMap { $0.disks.map(\.id) } == ["2020_060-0:0", "2020_060-0:1"])
            #expect(sets[0].shares(with: sets[1]) == false)
        }
    }

    @Test(arguments: ["", "0000000000", "123456789012", "0123456789ABCDEF", "AAAA", "12"])
    func `B-10 a bridge that hides the serial leaves the disk unknown`(serial: String) throws {
        let set = try usbMachine(serial: serial).disks(below: "/mnt/usb")
        let disk = try #require(set.disks.first)
        #expect(disk.serial == nil && disk.stableID == nil)
        #expect(disk.id == "unknown disk sda")
        let other = PhysicalDisk(name: "sdb", device: DeviceNumber(major: 8, minor: 16), serial: "X1Y2")
        #expect(disk.isSame(as: other) == nil)
        #expect(set.shares(with: DiskSet(disks: [other])) == nil)
    }

    @Test func `two partitions of one disk are one medium, two disks of a mirror are two`() throws {
        let machine = FakeMachine()
        let first = machine.scsi(sataDisk, "sda", "8:0")
        machine.file("/sys/devices/" + sataDisk + "/vpd_pg80", serialPage("WD-ONE12 "))
        let second = machine.scsi(secondSATADisk, "sdb", "8:16", ["queue/rotational": "1"])
        machine.file("/sys/devices/" + secondSATADisk + "/wwid", "naa.50014ee2b1c2d3e4\n")
        machine.partition(first, "sda1", "8:1")
        machine.partition(first, "sda2", "8:2")
        machine.partition(second, "sdb1", "8:17")
        let mirror = machine.block("virtual/block/md0", "9:0")
        machine.slave(mirror, "sda2", "sdb1")
        machine.mounts("28 1 8:1 / / rw - ext4 /dev/sda1 rw", "29 28 9:0 / /data rw - ext4 /dev/md0 rw")
        let root = try machine.sources.disks(below: "/")
        let data = try machine.sources.disks(below: "/data")
        #expect(root.disks.map(\.name) == ["sda"])
        #expect(data.disks.map(\.name) == ["sda", "sdb"])
        #expect(data.disks.map(\.transport) == [.sata, .sata])
        #expect(data.disks.map(\.id) == ["WD-ONE12", "naa.50014ee2b1c2d3e4"])
        #expect(data.disks[1].isRotational == true && !data.isRemovable)
        #expect(root.shares(with: data) == true)
        #expect(machine.sources.disks(below: DeviceNumber(major: 8, minor: 2)) == root)
    }

    @Test func `an NVMe disk, its namespaces and one over a network are told apart`() throws {
        let machine = FakeMachine()
        let controller = "pci0000:00/0000:00:1d.0/0000:03:00.0/nvme/nvme0"
        for (name, number) in [("nvme0n1", "259:0"), ("nvme0n2", "259:1")] {
            let path = machine.block(controller + "/" + name, number, ["queue/rotational": "0"])
            machine.link(path + "/device", to: "..")
        }
        machine.file("/sys/devices/" + controller + "/serial", "S4EWNX0N123456Z     \n")
        machine.file("/sys/devices/" + controller + "/model", "Samsung SSD 970 EVO\n")
        machine.file("/sys/devices/" + controller + "/transport", "pcie\n")
        let far = "virtual/nvme-fabrics/ctl/nvme1"
        let path = machine.block(far + "/nvme1n1", "259:2")
        machine.link(path + "/device", to: "..")
        machine.file("/sys/devices/" + far + "/transport", "tcp\n")
        let sets = (0..<3).map { machine.sources.disks(below: DeviceNumber(major: 259, minor: $0)) }
        #expect(sets[0].disks[0].id == "Samsung_SSD_970_EVO_S4EWNX0N123456Z")
        #expect(sets[0].disks[0].transport == .nvme && !sets[0].isRemovable)
        #expect(sets[0].shares(with: sets[1]) == true)
        #expect(sets[2].disks[0].transport == .network)
        #expect(sets[0].shares(with: sets[2]) == nil)
    }

    @Test func `an SD card is removable and known by its whole number, soldered memory is not removable`() {
        for (kind, removable) in [("SD", true), ("MMC", false)] {
            let machine = FakeMachine()
            let card = "platform/soc/fe340000.mmc/mmc_host/mmc0/mmc0:aaaa"
            let path = machine.block(card + "/block/mmcblk0", "179:0")
            machine.link(path + "/device", to: "../..")
            machine.file("/sys/devices/" + card + "/type", kind + "\n")
            machine.file("/sys/devices/" + card + "/name", "SC64G\n")
            machine.file("/sys/devices/" + card + "/serial", "0x1234abcd\n")
            machine.file("/sys/devices/" + card + "/cid", "035344534336344780\n")
            let set = machine.sources.disks(below: DeviceNumber(major: 179, minor: 0))
            #expect(set.disks.map(\.id) == ["SC64G_035344534336344780"])
            #expect(set.disks.map(\.transport) == [.mmc])
            #expect(set.isRemovable == removable)
        }
    }

    @Test func `a loop device lies on the disk that holds its file`() throws {
        let machine = FakeMachine()
        let disk = machine.block("pci0000:00/0000:00:02.0/virtio1/block/vda", "254:0")
        machine.link(disk + "/device", to: "../..")
        let loop = machine.block("virtual/block/loop0", "7:0", ["loop/backing_file": "/srv/my image.img"])
        machine.mounts("28 1 254:0 / / rw - ext4 /dev/vda rw", "29 28 7:0 / /mnt rw - ext4 /dev/loop0 rw")
        let set = try machine.sources.disks(below: "/mnt")
        #expect(set.isComplete && set.disks.map(\.id) == ["unknown disk vda"])
        #expect(set.disks[0].transport == .virtio && set.disks[0].isVirtual)
        #expect(set.shares(with: try machine.sources.disks(below: "/")) == true)
        // Without a line's end the kernel cut the path.
        machine.file(loop + "/loop/backing_file", "/srv/my ima")
        #expect(try machine.sources.disks(below: "/mnt").gaps == [.noBackingFile("loop0")])
    }

    @Test func `B-10 a disk that was plugged in under the number of another is not that one`() {
        let disk = { (sequence: UInt64?, serial: ByteString?) in
            let number = DeviceNumber(major: 8, minor: 0)
            return PhysicalDisk(name: "sda", device: number, sequence: sequence, serial: serial, transport: .usb)
        }
        #expect(disk(7, nil).isSame(as: disk(7, nil)) == true)
        #expect(disk(nil, nil).isSame(as: disk(7, nil)) == true)
        #expect(disk(7, nil).isSame(as: disk(8, nil)) == nil)
        #expect(disk(7, "A1B2").isSame(as: disk(8, "A1B2")) == true)
        #expect(disk(7, "A1B2").isSame(as: disk(8, "C3D4")) == false)
    }

    @Test func `B-10 a serial on one side and a world-wide name on the other prove nothing, one name on both does`() {
        let disk = { (minor: UInt32, serial: ByteString?, wwid: ByteString?) in
            let number = DeviceNumber(major: 8, minor: minor)
            return PhysicalDisk(name: "sda", device: number, serial: serial, wwid: wwid, transport: .sata)
        }
        #expect(disk(0, "A1B2", nil).isSame(as: disk(16, nil, "naa.5001")) == nil)
        #expect(disk(0, "A1B2", "naa.5001").isSame(as: disk(16, nil, "naa.5001")) == true)
        #expect(disk(0, nil, "naa.5002").isSame(as: disk(16, nil, "naa.5001")) == false)
    }

    @Test func `B-10 two disks of a hypervisor may be one, unless they say the same`() {
        let disk = { (name: ByteString, minor: UInt32, serial: ByteString) in
            PhysicalDisk(
                name: name,
                device: DeviceNumber(major: 254, minor: minor),
                serial: serial,
                transport: .virtio
            )
        }
        #expect(disk("vda", 0, "A1B2").isSame(as: disk("vdb", 16, "C3D4")) == nil)
        #expect(disk("vda", 0, "A1B2").isSame(as: disk("vdb", 16, "A1B2")) == true)
        let usb = PhysicalDisk(
            name: "sda",
            device: DeviceNumber(major: 8, minor: 0),
            serial: "Z9Y8",
            transport: .usb
        )
        #expect(disk("vda", 0, "A1B2").isSame(as: usb) == false)
    }
}
