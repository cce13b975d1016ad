import Bytes
import HostSystem
import Testing

@Suite struct FileSystemTableTests {
    private let table = FileSystemTable(
        parsing: Array(
            """
            # /etc/fstab
            UUID=1 / ext4 defaults 0 1
            #UUID=2 /mnt/old ext4 noauto 0 0
            UUID=3\t/mnt/usb/  ext4\tnoauto,nofail 0 2
            UUID=4 /mnt/usb/inner btrfs noauto
            LABEL=x /mnt/with\\040blank ext4 noauto
            UUID=5 none swap sw 0 0
            broken
            """.utf8
        )
    )

    @Test func `mount points are read as mount reads them`() {
        #expect(table.points == ["", "/mnt/usb", "/mnt/usb/inner", "/mnt/with blank"])
    }

    @Test(arguments: [
        ("/mnt/usb/holdfast", "/mnt/usb"), ("/mnt/usb", "/mnt/usb"), ("/mnt/usb/inner/a/b", "/mnt/usb/inner"),
        ("/mnt/with blank/x", "/mnt/with blank"),
    ])
    func `a path belongs to the innermost point above it`(path: String, point: String) {
        #expect(table.innermostPoint(holding: ByteString(path)) == ByteString(point))
    }

    @Test(arguments: ["/mnt/usbstick", "/mnt", "/home", "/mnt/old/x"])
    func `the root and what only looks alike hold nothing`(path: String) {
        #expect(table.innermostPoint(holding: ByteString(path)) == nil)
    }

    @Test func `a mount begins at its point and nowhere else`() throws {
        #expect(try Mount.beginning(at: "/proc")?.type == "proc")
        #expect(try Mount.beginning(at: "/proc/self") == nil)
    }
}
