package import Bytes

/// What the first blocks of a file system say about it: its kind, the number it was given when it was made, its label.
///
/// 1. Every field is read inside `windowBytes`; nothing in the bytes makes us read elsewhere or allocate.
/// 2. Where the format has a checksum that we know (CRC-32C of ext4, XFS and btrfs, exFAT's own), it must hold; other bytes are no
///    superblock (L3).
/// 3. A UUID of zeros is none.
package struct Superblock: Sendable, Hashable {
    /// The formats that are read.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case ext2, ext3, ext4, xfs, btrfs, vfat, exfat, ntfs
    }

    package var kind: Kind
    /// As `blkid` prints it: 36 characters, `1A2B-3C4D` of FAT and exFAT, 16 digits of NTFS.
    package var uuid: String?
    /// Nil where it is empty and where it stands elsewhere than in the superblock: FAT, exFAT, NTFS.
    package var label: ByteString?

    /// How far from the start the superblocks of all formats end: btrfs has its own at 64 KiB.
    package static let windowBytes = 68 << 10

    /// Formats that share a superblock, and the types of mounts that they stand behind.
    enum Family: CaseIterable {
        case ext, xfs, btrfs, fat, exfat, ntfs

        /// Those which a mount of this type can be; none for a type that we do not read.
        static func behind(type: ByteString) -> [Family] {
            switch type {
            case "ext2", "ext3", "ext4": [.ext]
            case "xfs": [.xfs]
            case "btrfs": [.btrfs]
            case "vfat", "msdos": [.fat]
            case "exfat": [.exfat]
            case "ntfs", "ntfs3": [.ntfs]
            // A driver in user space for a block device: one of two in practice.
            case "fuseblk": [.exfat, .ntfs]
            default: []
            }
        }
    }

    /// Reads the superblock from the start of an open device or image.
    ///
    /// With the `type` of its mount only that format is looked for. Nil when there is none, when its checksum fails, and when the
    /// bytes fit several formats: left-overs of an older one must not name the disk. **Errors**: of reading.
    /// **Cost**: 68 KiB; up to three times, since the kernel may be in the middle of writing a mounted one.
    package static func read(from file: FileDescriptor, type: ByteString? = nil) throws(Errno) -> Superblock? {
        let families = type.map { Family.behind(type: $0) } ?? Family.allCases
        let window = Block(capacity: windowBytes)
        for _ in 0..<3 {
            window.reset()
            try window.fill { room throws(Errno) in try file.read(into: room, at: 0) }
            if let found = window.withBytes({ parse($0, families) }) { return found }
        }
        return nil
    }

    /// The superblock in the first bytes of a device; nil when there is none or more than one.
    package static func parse(_ bytes: [UInt8], type: ByteString? = nil) -> Superblock? {
        bytes.withUnsafeBytes { parse($0, type.map { Family.behind(type: $0) } ?? Family.allCases) }
    }

    private static func parse(_ bytes: UnsafeRawBufferPointer, _ families: [Family]) -> Superblock? {
        let found = families.compactMap { family in
            switch family {
            case .ext: ext(bytes)
            case .xfs: xfs(bytes)
            case .btrfs: btrfs(bytes)
            case .fat: fat(bytes)
            case .exfat: exfat(bytes)
            case .ntfs: ntfs(bytes)
            }
        }
        return found.count == 1 ? found.first : nil
    }
}

/// The 16 bytes in groups of 4-2-2-2-6 digits; nil for zeros.
func uuidText(_ bytes: some Collection<UInt8>) -> String? {
    guard bytes.count == 16, bytes.contains(where: { $0 != 0 }) else { return nil }
    var text = ""
    for (index, byte) in bytes.enumerated() {
        if [4, 6, 8, 10].contains(index) { text += "-" }
        text += Hex.encode(CollectionOfOne(byte))
    }
    return text
}

/// CRC-32C (Castagnoli), bit by bit: a superblock is a page, so a table is not worth its lines.
///
/// `state` is the running value before the final inversion; all ones to start with.
func crc32c(_ bytes: some Sequence<UInt8>, from state: UInt32 = .max) -> UInt32 {
    var state = state
    for byte in bytes {
        state ^= UInt32(byte)
        for _ in 0..<8 { state = state >> 1 ^ (state & 1 == 1 ? 0x82f6_3b78 : 0) }
    }
    return state
}
