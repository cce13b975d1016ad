/// For messages.
let fileSystemUUIDAdvice =
    "as `findmnt -n -o UUID -T FOLDER` prints it: 7f424cf8-e291-4dcd-86a8-cbf2134c80cd, 1A2B-3C4D of FAT and exFAT, 16 digits of NTFS"

/// Reads the UUID of a file system and leaves it as it is written.
///
/// Anything else would stand for no disk, and refuse the right one for ever.
func readFileSystemUUID(_ text: String) throws(NotationError) -> String {
    guard isFileSystemUUID(text) else {
        throw NotationError(
            "\"\(printable(text))\" is no UUID of a file system",
            next: "write it \(fileSystemUUIDAdvice)"
        )
    }
    return text
}

/// Whether a text has one of the forms in which file systems are numbered; case means nothing.
///
/// **Shape**: 8-4-4-4-12 hexadecimal digits, with or without dashes (ext, XFS, btrfs and most others); 4-4 (FAT, exFAT); 16 (NTFS).
package func isFileSystemUUID(_ text: String) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.allSatisfy({ $0.utf8.allSatisfy(isHexDigit) }) else { return false }
    return [[8, 4, 4, 4, 12], [32], [4, 4], [16]].contains(parts.map(\.utf8.count))
}

private func isHexDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
        UInt8(ascii: "A")...UInt8(ascii: "F"):
        true
    default: false
    }
}
