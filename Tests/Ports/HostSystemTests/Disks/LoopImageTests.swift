import Bytes
import Foundation
import HostSystem
import Testing

/// Real loop devices: root, and a kernel that has them.
@Suite(.serialized) struct LoopImageTests {
    private let sources = DiskSources()

    @Test(arguments: [
        ("mkfs.ext4 -q -F -L 'a b'", "a b", 16), ("mkfs.xfs -q -f -L store", "store", 320),
        ("mkfs.btrfs -q -f -L pool", "pool", 128), ("mkfs.vfat -F 16", nil, 16),
    ])
    func `B-10 a mounted file system has the UUID that blkid reads, and lies on the disk of its image`(
        command: String,
        label: String?,
        mebibytes: Int
    ) throws {
        guard LoopImages.areHere("B-10") else { return }
        let images = LoopImages()
        guard let image = images.image("image", command, mebibytes: mebibytes) else { return }
        let device = try images.attach(image)
        let expected = output(of: "blkid -p -o value -s UUID \(device)")
        let file = try Directory.open("/dev").openFile(ByteString(String(device.dropFirst("/dev/".count))))
        #expect(try Superblock.read(from: file)?.uuid == expected)
        guard let point = images.mount(device, at: "mount point\n") else { return }
        let identity = try #require(try sources.identity(of: ByteString(point + "/.")))
        #expect(identity.uuid.text == expected)
        #expect(identity.label == label.map { ByteString($0) })
        #expect(identity.mount.point == ByteString(point) && identity.mount.source == ByteString(device))
        #expect(try #require(identity.space).totalBytes > 1 << 20)
        #expect(!identity.mount.isReadOnly)
        let below = try sources.disks(below: ByteString(point))
        #expect(below == (try sources.disks(below: images.scratch.bytes)))
        #expect(sources.backingFile(of: try #require(ByteString(device).deviceNumber)) == ByteString(image))
    }

    @Test func `B-10 a clone has the same UUID and is told by its backing file and device`() throws {
        guard LoopImages.areHere("B-10") else { return }
        let images = LoopImages()
        guard let image = images.image("one", "mkfs.ext4 -q -F -L twin") else { return }
        #expect(try images.run("cp '\(image)' '\(images.path)/two'"))
        let first = try images.attach(image)
        let second = try images.attach(images.path + "/two")
        guard let one = images.mount(first, at: "a"), let two = images.mount(second, at: "b") else { return }
        let identities = try [one, two].map { try #require(try sources.identity(of: ByteString($0))) }
        #expect(identities[0].uuid.text != nil && identities[0].uuid == identities[1].uuid)
        #expect(identities[0].label == identities[1].label)
        #expect(identities[0].mount.device != identities[1].mount.device)
        let files = identities.map { sources.backingFile(of: $0.mount.device) }
        #expect(files == [ByteString(image), ByteString(images.path + "/two")])
    }

    @Test func `B-09 after a lazy unmount the path belongs to the mount above, and the open file to none`() throws {
        guard LoopImages.areHere("B-09") else { return }
        let images = LoopImages()
        guard let image = images.image("image", "mkfs.ext4 -q -F") else { return }
        let above = try #require(try Mount.holding(images.scratch.bytes))
        guard let point = images.mount(try images.attach(image), at: "mnt") else { return }
        let path = ByteString(point)
        let mounted = try #require(try Mount.holding(path))
        #expect(mounted.id != above.id && mounted.point == path)
        let open = try Directory.open(path)
        let file = try open.createFile("written")
        #expect(try Mount.holding(file, in: .current())?.id == mounted.id)
        #expect(try images.run("umount -l '\(point)'"))
        #expect(try Mount.holding(path)?.id == above.id)
        #expect(try sources.identity(of: path)?.mount.id == above.id)
        // The treacherous part: writing through the old descriptor still succeeds.
        try file.write([1, 2, 3])
        #expect(try Mount.holding(file, in: .current()) == nil)
        #expect(throws: Errno.self) { try Mount.holding(ByteString(point + "/written")) }
    }

    @Test func `B-07 a remount to read-only is seen, of the file system and of one view of it`() throws {
        guard LoopImages.areHere("B-07") else { return }
        let images = LoopImages()
        guard let image = images.image("image", "mkfs.ext4 -q -F"),
            let point = images.mount(try images.attach(image), at: "mnt")
        else { return }
        #expect(try images.run("mkdir '\(point)/sub'"))
        guard let view = images.mount(point + "/sub", at: "view", options: "bind") else { return }
        let seen = { (path: String) in try #require(try Mount.holding(ByteString(path))) }
        #expect(try seen(view).root == "/sub" && seen(view).device == seen(point).device)
        #expect(try images.run("mount -o remount,bind,ro '\(view)'"))
        #expect(try seen(view).isReadOnlyHere && !seen(view).isReadOnlyFileSystem && seen(view).isReadOnly)
        #expect(try !seen(point).isReadOnly)
        #expect(try images.run("mount -o remount,ro '\(point)'"))
        #expect(try seen(point).isReadOnlyFileSystem && seen(view).isReadOnlyFileSystem)
        #expect(try images.run("mount -o remount,rw '\(point)'"))
        #expect(try !seen(point).isReadOnly)
        // What the kernel does to itself after an error.
        #expect(try images.run("mount -o remount,errors=remount-ro '\(point)'"))
        let trigger = "/sys/fs/ext4/" + (try seen(point).source.display.dropFirst("/dev/".count)) + "/trigger_fs_error"
        guard try images.run("echo simulated > \(trigger)") else { return skip("B-07", "no trigger_fs_error") }
        #expect(throws: Errno.self) { try Directory.open(ByteString(point)).createFile("x") }
        #expect(try seen(point).isReadOnly)
    }

    @Test func `an image that was deleted, or whose name another file took, is still found on its disk`() throws {
        guard LoopImages.areHere("B-10") else { return }
        let images = LoopImages()
        guard let image = images.image("image", "mkfs.ext4 -q -F") else { return }
        let number = try #require(ByteString(try images.attach(image)).deviceNumber)
        let here = try sources.disks(below: images.scratch.bytes)
        #expect(sources.disks(below: number) == here)
        #expect(try images.run("rm '\(image)'"))
        #expect(sources.disks(below: number) == here)
        guard images.mount("tmpfs", at: "memory", options: "rw -t tmpfs") != nil else { return }
        #expect(try images.run("touch '\(images.path)/memory/x' '\(image) (deleted)'"))
        #expect(try images.run("mount --bind '\(images.path)/memory/x' '\(image) (deleted)'"))
        let other = try #require(try Mount.holding(ByteString(image + " (deleted)")))
        #expect(other.type == "tmpfs")
        #expect(sources.disks(below: number) == here)
        #expect(try images.run("umount '\(image) (deleted)'"))
    }

    @Test func `a btrfs of two devices lies on the disks of both, and its clone is told apart`() throws {
        guard LoopImages.areHere("B-10") else { return }
        let images = LoopImages()
        guard images.image("one", "true", mebibytes: 128) != nil, images.image("two", "true", mebibytes: 128) != nil
        else {
            return
        }
        let first = try images.attach(images.path + "/one")
        let second = try images.attach(images.path + "/two")
        guard try images.run("mkfs.btrfs -q -f -d raid1 -m raid1 \(first) \(second) >/dev/null 2>&1") else {
            return skip("B-10", "mkfs.btrfs: not here")
        }
        guard let point = images.mount(first, at: "pool") else { return }
        let set = try sources.disks(below: ByteString(point))
        #expect(set == (try sources.disks(below: images.scratch.bytes)))
        let identity = try #require(try sources.identity(of: ByteString(point)))
        #expect(identity.uuid == .known(output(of: "blkid -p -o value -s UUID \(second)"), from: .kernel))
        #expect(try images.run("btrfs -q subvolume create '\(point)/sub' >/dev/null"))
        #expect(try sources.identity(of: ByteString(point + "/sub"))?.uuid == identity.uuid)
    }

    @Test func `an overlay and a tmpfs say that they have no UUID and no disk`() throws {
        guard LoopImages.areHere("B-10") else { return }
        let images = LoopImages()
        guard let memory = images.mount("/dev/vda", at: "memory", options: "rw -t tmpfs") else { return }
        #expect(try images.run("mkdir '\(memory)/upper' '\(memory)/work'"))
        let options = "lowerdir=/etc,upperdir=\(memory)/upper,workdir=\(memory)/work -t overlay"
        guard let merged = images.mount("overlay", at: "merged", options: options) else { return }
        for (path, type) in [(memory, "tmpfs"), (merged + "/hostname", "overlay")] {
            let identity = try #require(try sources.identity(of: ByteString(path)))
            #expect(identity.type == ByteString(type) && identity.uuid == .none && identity.uuid.text == nil)
            let set = try sources.disks(below: ByteString(path))
            #expect(set.disks.isEmpty && set.gaps.count == 1)
        }
    }

    @Test func `a mounted image is a candidate, once, and its views are not`() throws {
        guard LoopImages.areHere("B-10") else { return }
        let images = LoopImages()
        guard let image = images.image("image", "mkfs.ext4 -q -F"),
            let point = images.mount(try images.attach(image), at: "a long name"),
            images.mount(point + "/lost+found", at: "v", options: "bind") != nil
        else { return }
        let candidates = try sources.listCandidates()
        let mine = candidates.filter { $0.mount.point.display.hasPrefix(images.path) }
        #expect(mine.map(\.mount.point) == [ByteString(point)])
        #expect(mine.first?.isReadOnly == false)
        #expect(candidates.contains { $0.mount.point == "/" })
        #expect(!candidates.contains { $0.mount.type == "proc" || $0.mount.type == "tmpfs" })
    }
}
