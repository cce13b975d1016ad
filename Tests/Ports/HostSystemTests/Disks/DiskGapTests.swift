import Bytes
import Foundation
import HostSystem
import Testing

@Suite struct DiskGapTests {
    @Test func `layers in a circle are refused`() throws {
        let machine = FakeMachine()
        machine.block("virtual/block/loop0", "7:0", ["loop/backing_file": "/mnt/self.img"])
        machine.mounts("28 1 7:0 / / rw - ext4 /dev/loop0 rw")
        let set = try machine.sources.disks(below: "/")
        #expect(set.disks.isEmpty && !set.isComplete)
        #expect(set.gaps == [.circular("7:0")])
        let first = machine.block("virtual/block/dm-0", "253:0")
        let second = machine.block("virtual/block/dm-1", "253:1")
        machine.slave(first, "dm-1")
        machine.slave(second, "dm-0")
        #expect(machine.sources.disks(below: DeviceNumber(major: 253, minor: 0)).gaps == [.circular("253:0")])
    }

    @Test func `more layers than the bound are a gap`() {
        let machine = FakeMachine()
        machine.scsi(sataDisk, "sda", "8:0", [:])
        var below = "sda"
        for index in 0..<20 {
            let path = machine.block("virtual/block/dm-\(index)", "253:\(index)")
            machine.slave(path, below)
            below = "dm-\(index)"
        }
        let at = { machine.sources.disks(below: DeviceNumber(major: 253, minor: $0)) }
        #expect(at(15).isComplete)
        #expect(at(16).disks.isEmpty)
        #expect(at(19).gaps == [.tooDeep("253:2")])
    }

    @Test func `a mapping whose devices are not shown is no disk`() {
        let machine = FakeMachine()
        for (name, number) in [("dm-0", "253:0"), ("md127", "9:127"), ("zd16", "230:16"), ("bcache0", "252:0")] {
            machine.block("virtual/block/" + name, number)
            guard let at = number.split(separator: ":").first.flatMap({ UInt32($0) }),
                let minor = number.split(separator: ":").last.flatMap({ UInt32($0) })
            else { continue }
            let set = machine.sources.disks(below: DeviceNumber(major: at, minor: minor))
            #expect(set.disks.isEmpty && set.gaps == [.noSlaves(ByteString(name))])
        }
    }

    @Test func `a bcache lies on its disk and on its cache`() {
        let machine = FakeMachine()
        machine.scsi(sataDisk, "sda", "8:0")
        let cache = machine.scsi(secondSATADisk, "sdb", "8:16")
        let device = machine.block("virtual/block/bcache0", "252:0")
        machine.slave(device, "sda")
        machine.folder(cache + "/bcache")
        machine.link(device + "/bcache/cache/cache0", to: machine.path + cache + "/bcache")
        let set = machine.sources.disks(below: DeviceNumber(major: 252, minor: 0))
        #expect(set.gaps.isEmpty && set.disks.map(\.name) == ["sda", "sdb"])
    }

    @Test func `a btrfs of two devices lies on both, and one that is missing is a gap`() throws {
        let machine = FakeMachine()
        machine.scsi(sataDisk, "sda", "8:0")
        machine.scsi(secondSATADisk, "sdb", "8:16")
        let pool = "/sys/fs/btrfs/12345678-1234-1234-1234-123456789abc"
        for name in ["sda", "sdb"] {
            machine.link(pool + "/devices/" + name, to: machine.path + "/sys/class/block/" + name)
        }
        machine.folder("/sys/fs/btrfs/features")
        machine.mounts("28 1 0:30 /@ / rw - btrfs /dev/sdb rw,subvol=/@")
        let set = try machine.sources.disks(below: "/")
        #expect(set.gaps.isEmpty && set.disks.map(\.name) == ["sda", "sdb"])
        let identity = try #require(try machine.sources.identity(of: "/"))
        #expect(identity.uuid == .known("12345678-1234-1234-1234-123456789abc", from: .kernel))
        machine.file(pool + "/devinfo/2/missing", "1\n")
        #expect(try machine.sources.disks(below: "/").gaps.count == 1)
        machine.file(pool + "/temp_fsid", "1\n")
        #expect(try machine.sources.identity(of: "/")?.uuid == .unknown)
    }

    @Test(arguments: [
        "tmpfs tmpfs", "overlay overlay", "nfs4 nas:/x", "zfs rpool/data", "9p /dev/sda", "btrfs /dev/sdz",
    ])
    func `a file system without a disk of this machine says so`(source: String) throws {
        let machine = FakeMachine()
        machine.mounts("28 1 0:30 / / rw - \(source) rw")
        let set = try machine.sources.disks(below: "/x")
        #expect(set.disks.isEmpty && set.gaps.count == 1 && !set.isComplete)
        #expect(set.gaps[0].description.contains(source.split(separator: " ")[0]))
        #expect(set.shares(with: set) == nil)
    }

    @Test func `an XFS lies on the disks of its log and of its real-time part too`() throws {
        let machine = FakeMachine()
        machine.scsi(sataDisk, "sda", "8:0")
        machine.scsi(secondSATADisk, "sdb", "8:16")
        machine.mounts("28 1 8:0 / / rw - xfs /dev/sda rw,logdev=/dev/sdb,rtdev=/dev/sdz,noquota")
        let set = try machine.sources.disks(below: "/")
        #expect(set.disks.map(\.name) == ["sda", "sdb"])
        #expect(set.gaps == [.noDevice(type: "xfs", source: "/dev/sdz")])
    }

    @Test func `a device that the kernel no longer shows is a gap`() throws {
        let machine = FakeMachine()
        machine.mounts("28 1 8:1 / / rw - ext4 /dev/sda1 rw")
        #expect(try machine.sources.disks(below: "/").gaps == [.notInSysfs("8:1")])
        // It went away, or another came under its number, between the first look and the last.
        machine.scsi(sataDisk, "sda", "8:0")
        machine.file("/sys/devices/" + sataDisk + "/block/sda/dev", "8:16\n")
        #expect(machine.sources.disks(below: DeviceNumber(major: 8, minor: 0)) == DiskSet(gaps: [.notInSysfs("8:0")]))
        machine.mounts("")
        #expect(try machine.sources.disks(below: "/").gaps == [.noMount("/")])
        #expect(throws: Errno.self) { try DiskSources(root: "/no/such/root").disks(below: "/") }
    }

    @Test func `attributes that are hostile are no facts`() {
        let machine = FakeMachine()
        machine.scsi(sataDisk, "sda", "8:0", ["queue/rotational": "\u{1}", "removable": "x"])
        machine.file("/sys/devices/" + sataDisk + "/block/sda/size", "18446744073709551615")
        machine.file("/sys/devices/" + sataDisk + "/vpd_pg80", [0, 0x80, 0xff, 0xff] + [0x20, 0])
        machine.file("/sys/devices/" + sataDisk + "/wwid", "naa.")
        machine.file("/sys/devices/" + sataDisk + "/model", [0x1b, 0x5b, 0x33, 0x41, 0xff])
        let disk = machine.sources.disks(below: DeviceNumber(major: 8, minor: 0)).disks.first
        #expect(disk?.sizeBytes == nil && disk?.serial == nil && disk?.wwid == nil && disk?.isRemovable == false)
        for count in 0..<4 {
            machine.file("/sys/devices/" + sataDisk + "/vpd_pg80", Array(serialPage("ABC").prefix(count)))
            #expect(machine.sources.disks(below: DeviceNumber(major: 8, minor: 0)).disks.first?.serial == nil)
        }
        machine.file("/sys/devices/" + sataDisk + "/vpd_pg80", serialPage("AB\u{1b}C"))
        let named = machine.sources.disks(below: DeviceNumber(major: 8, minor: 0)).disks.first
        #expect(named?.id == "[3A\\xff_AB\\x1bC")
        machine.file("/sys/devices/" + sataDisk + "/block/sda/dev", "8:0:0")
        machine.partition("/sys/devices/" + sataDisk + "/block/sda", "sda1", "8:1")
        #expect(!machine.sources.disks(below: DeviceNumber(major: 8, minor: 1)).isComplete)
    }
}
