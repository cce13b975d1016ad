import Bytes
import Foundation
import HostSystem
import Testing

/// Recorded on Debian with Docker, LVM and a USB disk; shortened.
private let recorded = """
    22 28 0:21 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
    23 28 0:22 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw
    28 1 254:1 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw,errors=remount-ro
    40 28 8:1 / /mnt/usb\\040ssd rw,relatime shared:30 master:2 - ext4 /dev/sda1 rw
    41 40 0:50 /@data /mnt/usb\\040ssd/pool rw,relatime - btrfs /dev/sdb rw,subvolid=256,subvol=/@data
    42 28 8:1 /holdfast /srv/copy ro,relatime - ext4 /dev/sda1 rw
    43 28 0:60 / /var/lib/docker/overlay2/ab/merged rw,relatime - overlay overlay rw,lowerdir=/a:/b,upperdir=/c,workdir=/d
    44 28 0:61 / /mnt/nas rw,relatime - nfs4 nas:/export/a\\134b rw,addr=10.0.0.2
    45 28 0:62 / /mnt/empty rw -  tmpfs  rw
    46 28 0:63 / /mnt/none rw - tmpfs  rw
    47 40 8:17 / /mnt/usb\\040ssd rw - xfs /dev/sdb1 ro

    """

private func table(_ text: String = recorded) -> MountTable { MountTable(parsing: Array(text.utf8)) }

@Suite struct MountTableTests {
    @Test func `lines of mountinfo are read with escapes, optional fields and empty sources`() throws {
        let table = table()
        // The line with two blanks behind the dash has no type.
        #expect(table.malformedLines == 1)
        #expect(table.mounts.map(\.id) == [22, 23, 28, 40, 41, 42, 43, 44, 46, 47])
        let usb = try #require(table.mount(id: 40))
        #expect(usb.point == "/mnt/usb ssd")
        #expect(usb.device == DeviceNumber(major: 8, minor: 1))
        #expect(usb.type == "ext4" && usb.source == "/dev/sda1" && usb.parent == 28)
        #expect(try #require(table.mount(id: 44)).source == "nas:/export/a\\b")
        #expect(try #require(table.mount(id: 46)).source.isEmpty)
        #expect(try #require(table.mount(id: 41)).root == "/@data")
    }

    @Test func `B-07 a mount says whether it or its file system refuses writes`() throws {
        let table = table()
        let whole = try #require(table.mount(id: 40))
        #expect(!whole.isReadOnly)
        let view = try #require(table.mount(id: 42))
        #expect(view.isReadOnlyHere && !view.isReadOnlyFileSystem && view.isReadOnly)
        let xfs = try #require(table.mount(id: 47))
        #expect(!xfs.isReadOnlyHere && xfs.isReadOnlyFileSystem && xfs.isReadOnly)
        let line = "28 1 8:1 / / rw - ext4 /dev/sda1 rw,errors=remount-ro,"
        #expect(try #require(MountTable(parsing: Array((line + "emergency_ro").utf8)).mounts.first).isReadOnly)
        #expect(try #require(MountTable(parsing: Array((line + "shutdown").utf8)).mounts.first).isReadOnly)
        #expect(try !#require(MountTable(parsing: Array((line + "x").utf8)).mounts.first).isReadOnly)
    }

    @Test(arguments: [
        ("/", 28), ("/etc/fstab", 28), ("/mnt", 28), ("/mnt/usb", 28), ("/mnt/usb ssd", 47), ("/mnt/usb ssd/x", 47),
        ("/mnt/usb ssd/pool/x", 47), ("/srv/copy/x", 42), ("/srv/copyx", 28), ("/sys//block/", 22),
        ("/var/lib/docker/overlay2/ab/merged/etc", 43),
    ])
    func `B-09 a path belongs to the innermost mount that is not hidden`(path: String, id: Int) {
        #expect(table().innermostMount(lexically: ByteString(path))?.id == UInt64(id))
    }

    @Test(arguments: ["", "etc", "/etc/../x", "/./x"])
    func `paths that are not absolute and plain have no answer`(path: String) {
        #expect(table().innermostMount(lexically: ByteString(path)) == nil)
    }

    @Test func `B-09 without a root mount nothing is answered, and circles of mounts end`() {
        #expect(table("40 28 8:1 / /mnt rw - ext4 /dev/sda1 rw").innermostMount(lexically: "/mnt/x") == nil)
        let circle = "1 2 8:1 / / rw - ext4 a rw\n2 1 8:2 / / rw - ext4 b rw\n3 3 8:3 / / rw - ext4 c rw\n"
        #expect(table(circle).innermostMount(lexically: "/x")?.id == 3)
        let pair = "1 1 8:1 / / rw - ext4 a rw\n2 1 8:2 / /x rw - ext4 b rw\n1 2 8:3 / /x rw - ext4 c rw\n"
        #expect(table(pair).innermostMount(lexically: "/x/y") == nil)
    }

    @Test func `every prefix of a table is read without a trap and never invents a mount`() {
        let whole = table()
        let points = Set(whole.mounts.map(\.id))
        let bytes = Array(recorded.utf8)
        for count in 0...bytes.count {
            let part = MountTable(parsing: Array(bytes.prefix(count)))
            #expect(part.mounts.count <= whole.mounts.count)
            #expect(part.mounts.allSatisfy { points.contains($0.id) })
        }
    }

    @Test func `hostile lines are counted and left out`() {
        let lines = [
            "x 1 8:1 / / rw - ext4 a rw", "1 -1 8:1 / / rw - ext4 a rw", "1 1 8 / / rw - ext4 a rw",
            "1 1 8:1:1 / / rw - ext4 a rw", "1 1 4294967296:1 / / rw - ext4 a rw",
            "99999999999999999999 1 8:1 / / rw - ext4 a rw", "1 1 8:1 / / rw shared:1 ext4 a rw", "-",
            "- - - - - - - - -",
            "1 1 8:1 / relative rw - ext4 a rw", "1 1 8:1 / / rw - ext4 a", String(repeating: " ", count: 100_000),
        ]
        let read = table(lines.joined(separator: "\n"))
        #expect(read.mounts.isEmpty)
        #expect(read.malformedLines == lines.count)
        // Bytes that are no text, and escapes that are none, stay as they are.
        let odd = MountTable(parsing: Array("1 1 8:1 / /\\0\\999\\777\\0401".utf8) + [0xff] + Array(" rw - t s o".utf8))
        #expect(odd.mounts.first?.point == ByteString(Array("/\\0\\999\\777 1".utf8) + [0xff]))
    }

    @Test func `a table of a hundred thousand mounts is read in one pass`() {
        let many = (1...100_000).map { "\($0) 1 8:\($0) / /m/\($0) rw - ext4 /dev/x rw" }.joined(separator: "\n")
        #expect(table(many).mounts.count == 100_000)
    }

    @Test func `numbers of devices are taken apart as the C library puts them together`() {
        #expect(DeviceNumber(encoded: 0x801) == DeviceNumber(major: 8, minor: 1))
        #expect(DeviceNumber(encoded: 0x1_0000_0100_1203) == DeviceNumber(major: 0x10012, minor: 0x1003))
        #expect(DeviceNumber(encoded: .max) == DeviceNumber(major: .max, minor: .max))
    }

    @Test func `B-09 this machine's own paths are answered by the kernel's number of their mount`() throws {
        let root = try #require(try Mount.holding("/"))
        #expect(root.point == "/")
        #expect(try #require(try Mount.holding("/proc/self/status")).type == "proc")
        #expect(throws: Errno.self) { try Mount.holding("/no/such/path") }
        #expect(try MountTable.current().innermostMount(lexically: "/proc/self")?.type == "proc")
    }
}
