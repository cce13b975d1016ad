import Bytes

extension Superblock {
    /// The superblock of ext2, ext3 and ext4.
    ///
    /// **Shape** at 1024, little-endian: magic 0xEF53 at 0x38, features 0x5c compatible, 0x60 incompatible, 0x64 read-only, UUID 0x68,
    /// label 0x78 (16 bytes), CRC-32C of all before at 0x3fc when the feature 0x400 says so. **Source**: `fs/ext4/ext4.h`.
    static func ext(_ bytes: UnsafeRawBufferPointer) -> Superblock? {
        guard bytes.count >= 2048 else { return nil }
        let block = bytes.part(from: 1024, count: 1024)
        guard block.littleUInt16(at: 0x38) == 0xef53 else { return nil }
        let compatible = block.littleUInt32(at: 0x5c)
        let incompatible = block.littleUInt32(at: 0x60)
        let readOnly = block.littleUInt32(at: 0x64)
        // An external journal carries the UUID of no file system.
        guard incompatible & 0x8 == 0 else { return nil }
        if readOnly & 0x400 != 0, crc32c(block.part(from: 0, count: 0x3fc)) != block.littleUInt32(at: 0x3fc) {
            return nil
        }
        let isExt4 = incompatible & ~0x16 != 0 || readOnly & ~0x7 != 0
        return Superblock(
            kind: isExt4 ? .ext4 : compatible & 0x4 != 0 ? .ext3 : .ext2,
            uuid: uuidText(block.part(from: 0x68, count: 16)),
            label: labelText(block.part(from: 0x78, count: 16))
        )
    }

    /// The superblock of XFS, versions 4 and 5.
    ///
    /// **Shape** at 0, big-endian: `XFSB`, UUID 32, version 100, bytes of a sector 102, label 108 (12 bytes); in version 5 CRC-32C of
    /// the sector at 224, itself taken as zeros. **Source**: `fs/xfs/libxfs/xfs_format.h`.
    static func xfs(_ bytes: UnsafeRawBufferPointer) -> Superblock? {
        guard bytes.count >= 512, bytes.part(from: 0, count: 4).elementsEqual("XFSB".utf8) else { return nil }
        let version = bytes.littleUInt16(at: 100).byteSwapped & 0xf
        let sector = Int(bytes.littleUInt16(at: 102).byteSwapped)
        guard version == 4 || version == 5, (512...32768).contains(sector), sector <= bytes.count else { return nil }
        if version == 5 {
            var state = crc32c(bytes.part(from: 0, count: 224))
            state = crc32c(repeatElement(0, count: 4), from: state)
            state = crc32c(bytes.part(from: 228, count: sector - 228), from: state)
            guard ~state == bytes.littleUInt32(at: 224) else { return nil }
        }
        return Superblock(
            kind: .xfs,
            uuid: uuidText(bytes.part(from: 32, count: 16)),
            label: labelText(bytes.part(from: 108, count: 12))
        )
    }

    /// The first superblock of btrfs; all devices of one file system have the same UUID.
    ///
    /// **Shape** at 65536, little-endian: checksum of the rest 0 (32 bytes), UUID 32, own place 48, `_BHRfS_M` 64, kind of checksum
    /// 196 (0 is CRC-32C; the others are not verified), label 299 (256 bytes); 4096 in all.
    /// **Source**: `include/uapi/linux/btrfs_tree.h`.
    static func btrfs(_ bytes: UnsafeRawBufferPointer) -> Superblock? {
        guard bytes.count >= 69632 else { return nil }
        let block = bytes.part(from: 65536, count: 4096)
        guard block.part(from: 64, count: 8).elementsEqual("_BHRfS_M".utf8), block.littleUInt64(at: 48) == 65536 else {
            return nil
        }
        if block.littleUInt16(at: 196) == 0 {
            guard ~crc32c(block.part(from: 32, count: 4064)) == block.littleUInt32(at: 0) else { return nil }
        }
        return Superblock(
            kind: .btrfs,
            uuid: uuidText(block.part(from: 32, count: 16)),
            label: labelText(block.part(from: 299, count: 256))
        )
    }

    /// The boot sector of FAT12, FAT16 and FAT32.
    ///
    /// **Shape**, little-endian: bytes of a sector 11, sectors of a cluster 13, reserved sectors 14, tables 16, sectors of a table 22
    /// (0 on FAT32); then at 38, or 66 on FAT32: 0x28 or 0x29, serial number 1 (4 bytes), `FAT…` 16; 0x55 0xaa at 510. No checksum, so
    /// all of these must fit. **Source**: `include/uapi/linux/msdos_fs.h`.
    static func fat(_ bytes: UnsafeRawBufferPointer) -> Superblock? {
        guard bytes.count >= 512, bytes.littleUInt16(at: 510) == 0xaa55,
            [512, 1024, 2048, 4096].contains(bytes.littleUInt16(at: 11)),
            bytes[13].nonzeroBitCount == 1, bytes.littleUInt16(at: 14) != 0, (1...4).contains(bytes[16])
        else { return nil }
        let extended = bytes.littleUInt16(at: 22) == 0 ? 66 : 38
        let signature = bytes[extended]
        guard signature == 0x28 || signature == 0x29 else { return nil }
        if signature == 0x29, !bytes.part(from: extended + 16, count: 3).elementsEqual("FAT".utf8) { return nil }
        return Superblock(kind: .vfat, uuid: serialText(bytes.littleUInt32(at: extended + 1)), label: nil)
    }

    /// The boot region of exFAT.
    ///
    /// **Shape**, little-endian: `EXFAT   ` 3, zeros 11 to 63, serial number 100, bytes of a sector as power of two 108, 0x55 0xaa at
    /// 510; eleven sectors, and a twelfth full of their checksum, which leaves out bytes 106, 107 and 112.
    /// **Source**: exFAT file system specification 1.00, sections 3.1 and 3.4.
    static func exfat(_ bytes: UnsafeRawBufferPointer) -> Superblock? {
        guard bytes.count >= 512, bytes.part(from: 3, count: 8).elementsEqual("EXFAT   ".utf8),
            bytes.part(from: 11, count: 53).allSatisfy({ $0 == 0 }), bytes.littleUInt16(at: 510) == 0xaa55,
            (9...12).contains(bytes[108])
        else { return nil }
        let sector = 1 << Int(bytes[108])
        guard bytes.count >= 12 * sector else { return nil }
        var sum: UInt32 = 0
        for (index, byte) in bytes.part(from: 0, count: 11 * sector).enumerated()
        where ![106, 107, 112].contains(index) {
            sum = (sum << 31 | sum >> 1) &+ UInt32(byte)
        }
        guard sum == bytes.littleUInt32(at: 11 * sector) else { return nil }
        return Superblock(kind: .exfat, uuid: serialText(bytes.littleUInt32(at: 100)), label: nil)
    }

    /// The boot sector of NTFS.
    ///
    /// **Shape**, little-endian: `NTFS    ` 3, bytes of a sector 11, sectors of a cluster 13, zeros 14 to 20, serial number 72 (8
    /// bytes), 0x55 0xaa at 510. **Source**: `fs/ntfs3/ntfs.h`.
    static func ntfs(_ bytes: UnsafeRawBufferPointer) -> Superblock? {
        guard bytes.count >= 512, bytes.part(from: 3, count: 8).elementsEqual("NTFS    ".utf8),
            [256, 512, 1024, 2048, 4096].contains(bytes.littleUInt16(at: 11)), bytes[13] != 0,
            bytes.part(from: 14, count: 7).allSatisfy({ $0 == 0 }), bytes.littleUInt16(at: 510) == 0xaa55
        else { return nil }
        let serial = bytes.part(from: 72, count: 8)
        let isSet = serial.contains { $0 != 0 }
        return Superblock(kind: .ntfs, uuid: isSet ? Hex.encode(serial.reversed()).uppercased() : nil, label: nil)
    }
}

/// `1A2B-3C4D`; nil for zero.
private func serialText(_ serial: UInt32) -> String? {
    guard serial != 0 else { return nil }
    let digits = Hex.encode(withUnsafeBytes(of: serial.bigEndian) { Array($0) }).uppercased()
    return digits.prefix(4) + "-" + digits.suffix(4)
}

/// The bytes up to the first NUL; nil for none.
private func labelText(_ bytes: UnsafeRawBufferPointer) -> ByteString? {
    let label = Array(bytes.prefix { $0 != 0 })
    return label.isEmpty ? nil : ByteString(label)
}
