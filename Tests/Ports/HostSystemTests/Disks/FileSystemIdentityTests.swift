import Bytes
import Foundation
import HostSystem
import Testing

/// One partition with what udev wrote about it.
private func machine(type: String = "ext4", _ record: String) -> FakeMachine {
    let machine = FakeMachine()
    let disk = machine.scsi(sataDisk, "sda", "8:0")
    machine.partition(disk, "sda1", "8:1")
    machine.mounts("28 1 8:1 / / rw - \(type) /dev/sda1 rw")
    machine.file("/run/udev/data/b8:1", record)
    return machine
}

extension FakeMachine {
    fileprivate func identity() throws -> FileSystemIdentity { try #require(try sources.identity(of: "/")) }
}

@Suite struct FileSystemIdentityTests {
    @Test func `udev's record gives UUID and label`() throws {
        let record =
            "E:ID_FS_TYPE=ext4\nE:ID_FS_LABEL=my_disk\nE:ID_FS_LABEL_ENC=my\\x20disk\\xZZ\\x2\nE:ID_FS_UUID=12ab-34\n"
        let identity = try machine(record).identity()
        #expect(identity.uuid == .known("12ab-34", from: .udev))
        #expect(identity.label == "my disk\\xZZ\\x2")
        #expect(identity.type == "ext4" && identity.mount.source == "/dev/sda1")
        #expect(try #require(identity.space).totalBytes > 0)
    }

    @Test(arguments: [
        ("ext3", "ext2", true), ("vfat", "vfat", true), ("msdos", "vfat", true), ("fuseblk", "ntfs", true),
        ("fuseblk", "exfat", true), ("ntfs3", "ntfs", true), ("zonefs", "zonefs", true), ("ext4", "xfs", false),
        ("xfs", "crypto_LUKS", false), ("fuseblk", "ext4", false),
    ])
    func `B-10 a record about something else than what is mounted is not used`(type: String, said: String, isUsed: Bool)
        throws
    {
        let record = "E:ID_FS_TYPE=\(said)\nE:ID_FS_UUID=AAAA-BBBB\n"
        let identity = try machine(type: type, record).identity()
        #expect(identity.uuid == (isUsed ? .known("AAAA-BBBB", from: .udev) : .unknown))
    }

    @Test func `a link by UUID counts when udev's record is missing, and two links are none`() throws {
        let machine = machine("")
        #expect(try machine.identity().uuid == .unknown)
        machine.link("/dev/disk/by-uuid/1111-2222", to: "../../sda")
        machine.link("/dev/disk/by-uuid/1234-5678", to: "../../sda1")
        #expect(try machine.identity().uuid == .known("1234-5678", from: .link))
        machine.link("/dev/disk/by-uuid/9999-0000", to: "../../sda1")
        #expect(try machine.identity().uuid == .unknown)
    }

    @Test(arguments: ["tmpfs", "overlay", "9p", "nfs4", "cifs", "squashfs", "fuse.sshfs", "proc", "virtiofs"])
    func `types without a UUID say so`(type: String) throws {
        #expect(try machine(type: type, "E:ID_FS_TYPE=\(type)\nE:ID_FS_UUID=1\n").identity().uuid == .none)
    }

    @Test func `records of udev are read whatever stands in them`() {
        let text = "E:A=1\nE:B=\nE:=x\nE:C\nS:A=9\nE:A=2=3\nE:D= \u{1}x \nX\n\nE:"
        let bytes = Array(text.utf8)
        let record = UdevRecord(parsing: bytes)
        #expect(record["A"] == "2=3" && record["B"] == nil && record["C"] == nil && record[""] == nil)
        #expect(record["D"] == "x")
        for count in 0...bytes.count { _ = UdevRecord(parsing: Array(bytes.prefix(count))) }
        _ = UdevRecord(parsing: SeededBytes(7).bytes(100_000))
    }
}

@Suite struct MediumCandidateTests {
    private func machine() -> FakeMachine {
        let machine = FakeMachine()
        let system = machine.scsi(sataDisk, "sda", "8:0")
        let usb = machine.scsi(usbDisk, "sdb", "8:16")
        let spare = machine.scsi(secondSATADisk, "sdc", "8:32")
        machine.file("/sys/devices/" + sataDisk + "/vpd_pg80", serialPage("SYS1"))
        machine.file("/sys/devices/" + secondSATADisk + "/vpd_pg80", serialPage("SPARE1"))
        machine.file("/sys/devices/" + usbPort + "/idVendor", "04e8\n")
        machine.file("/sys/devices/" + usbPort + "/serial", "USB1\n")
        machine.partition(system, "sda1", "8:1")
        machine.partition(system, "sda2", "8:2")
        machine.partition(usb, "sdb1", "8:17")
        machine.partition(spare, "sdc1", "8:33")
        for name in [
            "boot/efi", "home/below", "mnt/usb", "mnt/spare", "mnt/old", "srv/view", "snap/x", "mnt/nas", "proc",
            "mnt/zfs",
        ] {
            machine.folder("/" + name)
        }
        machine.file("/etc/hosts", "")
        machine.mounts(
            "1 0 8:1 / / rw - ext4 /dev/sda1 rw",
            "2 1 0:4 / /proc rw - proc proc rw",
            "3 1 8:3 / /boot/efi rw - vfat /dev/sda3 rw",
            "4 1 8:2 / /home rw - ext4 /dev/sda2 rw",
            "5 1 8:33 / /mnt/spare rw - xfs /dev/sdc1 rw",
            "6 1 8:17 /holdfast /srv/view rw - ext4 /dev/sdb1 rw",
            "7 1 8:17 / /mnt/usb rw - ext4 /dev/sdb1 rw",
            "8 1 7:1 / /snap/x ro - squashfs /dev/loop1 ro",
            "9 1 0:50 / /mnt/nas rw - nfs4 nas:/x rw",
            "10 1 8:34 / /mnt/old ro - ext4 /dev/sdc2 ro",
            "11 1 8:1 /hosts /etc/hosts rw - ext4 /dev/sda1 rw",
            "12 1 8:40 / /home/below rw - ext4 /dev/sdd rw",
            "14 1 8:41 / /home rw - ext4 /dev/sde rw",
            "15 14 8:2 / /home rw - ext4 /dev/sda2 rw",
            "16 1 8:42 / /mnt/gone rw - ext4 /dev/sdf rw",
            "13 1 0:60 / /mnt/zfs rw - zfs tank rw"
        )
        return machine
    }

    @Test func `media are proposed once each, the best first`() throws {
        let machine = machine()
        let candidates = try machine.sources.listCandidates()
        #expect(candidates.map(\.mount.point) == ["/mnt/usb", "/mnt/spare", "/mnt/zfs", "/", "/home", "/mnt/old"])
        #expect(candidates.map(\.isOnRootDisk) == [false, false, nil, true, true, nil])
        #expect(candidates.map(\.isRemovable) == [true, false, false, false, false, false])
        #expect(candidates.map(\.isReadOnly) == [false, false, false, false, false, true])
        #expect(candidates[0].disks.disks.map(\.id) == ["USB1-0:0"])
        #expect(candidates[0].identity.space != nil)
    }

    @Test func `a machine without mounts has no candidates, and one that hides its mounts is an error`() throws {
        let machine = FakeMachine()
        machine.mounts("")
        #expect(try machine.sources.listCandidates().isEmpty)
        #expect(throws: Errno.self) { try DiskSources(root: "/no/such/root").listCandidates() }
    }
}
