import Bytes
import HostSystem

/// A small file that remembers how far the database had come, so that an older copy in its place is noticed (M-03).
///
/// It is written after each commit and never synced: after a power cut it may be behind the database, which says
/// nothing, and never ahead of it.
///
/// Layout: 16 hexadecimal digits that name the journal, a space, the number of transactions in 20 digits, a line end.
struct GenerationMark: Sendable {
    static let name: ByteString = "journal.generation"
    private static let length = 38

    private let file: FileDescriptor

    /// Opens it, and creates it where it is missing.
    init(in directory: Directory) throws(Errno) {
        file = try Self.open(in: directory)
    }

    private static func open(in directory: Directory) throws(Errno) -> FileDescriptor {
        do throws(Errno) {
            return try directory.createFile(name)
        } catch  where error.kind == .exists {
            let file = try directory.openFileForUpdate(name)
            if let status = try? file.status(), status.permissions != 0o600 { try? file.setPermissions(0o600) }
            return file
        }
    }

    /// What it says; nil when it is new or not readable as one.
    func read() -> (journal: String, generation: Int64)? {
        guard let bytes = try? file.bytes(Self.length, at: 0), bytes.count == Self.length, bytes[16] == 0x20,
            bytes[37] == 0x0a, Hex.isHex(bytes[..<16]),
            let generation = Int64(String(decoding: bytes[17..<37], as: UTF8.self))
        else { return nil }
        return (String(decoding: bytes[..<16], as: UTF8.self), generation)
    }

    /// Says where the database is now; failures do not matter, since the mark only ever adds knowledge.
    func write(journal: String, generation: Int64) {
        let digits = String(generation)
        let text = "\(journal) \(String(repeating: "0", count: max(0, 20 - digits.count)))\(digits)\n"
        try? Array(text.utf8).withUnsafeBufferPointer { buffer throws(Errno) in
            try file.write(UnsafeRawBufferPointer(buffer), at: 0)
        }
    }
}
