import Bytes
import Foundation
import HostSystem
import Spawning
import Testing

/// A way to make a file system in an image, and whether the program for it is here.
struct ImageRecipe: Sendable, CustomTestStringConvertible {
    var kind: Superblock.Kind
    /// Run with the image's path behind it.
    var command: String
    var label: ByteString?
    var mebibytes = 16

    var testDescription: String { command }

    static let all: [ImageRecipe] = [
        ImageRecipe(kind: .ext2, command: "mkfs.ext2 -q -F -L two", label: "two"),
        ImageRecipe(kind: .ext3, command: "mkfs.ext3 -q -F -L three", label: "three"),
        ImageRecipe(kind: .ext4, command: "mkfs.ext4 -q -F -L 'a label of 16 by'", label: "a label of 16 by"),
        ImageRecipe(kind: .ext4, command: "mkfs.ext4 -q -F -O ^metadata_csum"),
        ImageRecipe(kind: .xfs, command: "mkfs.xfs -q -f -L store", label: "store", mebibytes: 320),
        ImageRecipe(kind: .xfs, command: "mkfs.xfs -q -f -m crc=0 -s size=4096", mebibytes: 320),
        ImageRecipe(kind: .btrfs, command: "mkfs.btrfs -q -f -L pool", label: "pool", mebibytes: 128),
        ImageRecipe(kind: .btrfs, command: "mkfs.btrfs -q -f --csum sha256", mebibytes: 128),
        ImageRecipe(kind: .vfat, command: "mkfs.vfat -F 12", mebibytes: 4),
        ImageRecipe(kind: .vfat, command: "mkfs.vfat -F 16 -n CARD"),
        ImageRecipe(kind: .vfat, command: "mkfs.vfat -F 32", mebibytes: 64),
        ImageRecipe(kind: .exfat, command: "mkfs.exfat"),
        ImageRecipe(kind: .ntfs, command: "mkntfs -q -F -Q"),
    ]

    /// Makes the image; false, said aloud, when the program is missing or cannot.
    func make(_ path: String) -> Bool {
        let line =
            "truncate -s \(mebibytes)M '\(path)' && PATH=$PATH:/usr/sbin:/sbin \(command) '\(path)' >/dev/null 2>&1"
        if (try? Scratch.shell(line)) == 0 { return true }
        skip("B-10", "\(command): not here")
        return false
    }
}

/// What a program prints, without its end of line.
func output(of line: String) -> String {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "PATH=$PATH:/usr/sbin:/sbin; " + line]
    process.standardOutput = pipe
    guard (try? process.start()) != nil else { return "" }
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text.trimmingCharacters(in: .newlines)
}

private func window(_ path: String) throws -> [UInt8] {
    let file = try #require(FileHandle(forReadingAtPath: path))
    return Array(try file.read(upToCount: Superblock.windowBytes) ?? Data())
}

@Suite struct SuperblockTests {
    @Test(arguments: ImageRecipe.all)
    func `B-10 the UUID of a superblock is the one that blkid reads`(recipe: ImageRecipe) throws {
        let scratch = Scratch()
        let image = scratch.path + "/image"
        guard recipe.make(image) else { return }
        let block = try #require(Superblock.parse(window(image)))
        #expect(block.kind == recipe.kind)
        #expect(block.label == recipe.label)
        #expect(block.uuid != nil)
        #expect(try scratch.open().openFile("image").superblock() == block)
        #expect(Superblock.parse(try window(image), type: ByteString(recipe.kind.rawValue)) == block)
        #expect(Superblock.parse(try window(image), type: recipe.kind == .xfs ? "ext4" : "xfs") == nil)
        guard output(of: "command -v blkid") != "" else { return skip("B-10", "blkid is not here") }
        #expect(block.uuid == output(of: "blkid -p -o value -s UUID '\(image)'"))
        #expect(block.kind.rawValue == output(of: "blkid -p -o value -s TYPE '\(image)'"))
    }

    @Test(arguments: ImageRecipe.all)
    func `no prefix of an image, and no changed byte, traps or makes another file system of it`(recipe: ImageRecipe)
        throws
    {
        let scratch = Scratch()
        let image = scratch.path + "/image"
        guard recipe.make(image) else { return }
        let bytes = try window(image)
        let block = try #require(Superblock.parse(bytes))
        for count in Array(0...600) + Array(stride(from: 601, to: bytes.count, by: 997)) {
            let part = Superblock.parse(Array(bytes.prefix(count)))
            #expect(part == nil || part == block)
        }
        // A byte that changes elsewhere than in the fields of a format without checksum changes nothing or refuses.
        var kinds: Set<Superblock.Kind> = []
        for position in Array(0..<1536) + Array(65536..<66136) {
            var changed = bytes
            changed[position] ^= UInt8(1 << (position % 8))
            if let found = Superblock.parse(changed) { kinds.insert(found.kind) }
        }
        #expect(kinds.subtracting([.ext2, .ext3, .ext4]).isSubset(of: [recipe.kind]))
    }

    @Test(arguments: [(2, 1024 + 0x68), (4, 32), (6, 65536 + 32), (11, 100)])
    func `a UUID that its checksum does not cover is none`(recipe: Int, position: Int) throws {
        let scratch = Scratch()
        let image = scratch.path + "/image"
        guard ImageRecipe.all[recipe].make(image) else { return }
        var bytes = try window(image)
        #expect(Superblock.parse(bytes) != nil)
        bytes[position] ^= 1
        #expect(Superblock.parse(bytes) == nil)
        #expect(Superblock.parse(bytes, type: ByteString(ImageRecipe.all[recipe].kind.rawValue)) == nil)
    }

    @Test func `left-overs of an older file system name nothing`() throws {
        let scratch = Scratch()
        let ext = scratch.path + "/ext"
        let old = scratch.path + "/btrfs"
        guard ImageRecipe.all[2].make(ext), ImageRecipe.all[6].make(old) else { return }
        var bytes = try window(ext)
        bytes.replaceSubrange(65536..<69632, with: try window(old)[65536..<69632])
        #expect(Superblock.parse(bytes) == nil)
        #expect(Superblock.parse(bytes, type: "ext4")?.kind == .ext4)
    }

    @Test func `random bytes and all magic numbers at once are no file system`() {
        for seed in 0..<40 {
            var bytes = SeededBytes(UInt64(seed)).bytes(Superblock.windowBytes)
            #expect(Superblock.parse(bytes) == nil)
            bytes.replaceSubrange(0..<4, with: Array("XFSB".utf8))
            bytes.replaceSubrange(1024 + 0x38..<1024 + 0x3a, with: [0x53, 0xef])
            bytes.replaceSubrange(65536 + 64..<65536 + 72, with: Array("_BHRfS_M".utf8))
            bytes.replaceSubrange(510..<512, with: [0x55, 0xaa])
            for count in [bytes.count, 69631, 2048, 2047, 1024, 512, 511, 4, 3, 0] {
                _ = Superblock.parse(Array(bytes.prefix(count)))
            }
        }
        #expect(Superblock.parse(Array(repeating: 0, count: Superblock.windowBytes)) == nil)
        #expect(Superblock.parse(Array(repeating: 0xff, count: Superblock.windowBytes)) == nil)
        #expect(Superblock.parse([], type: "tmpfs") == nil)
    }
}

extension FileDescriptor {
    fileprivate func superblock() throws -> Superblock? { try Superblock.read(from: self) }
}
