import Bytes
import HostSystem

/// That a journal was written by a newer program, which alone can read it.
package struct NewerSchema: Sendable, Hashable {
    /// The schema of the file, and the newest that this program knows.
    package var found: Int
    package var known = JournalSchema.current.version

    package init(found: Int) { self.found = found }

    /// In a sentence about the journal.
    package var text: String { "was written by a newer holdfast (schema \(found), this one knows \(known))" }

    /// Looks at the first bytes of the journal in a folder; nil when there is none, or it is none that is newer.
    ///
    /// **Shape** of an SQLite file, big-endian: `user_version` at 60, `application_id` at 68. For processes that have not opened the journal:
    /// in one that has, closing the file would drop the locks that SQLite holds on it.
    package init?(in folder: String) {
        guard let file = try? Directory.open(ByteString(folder)).openFile(JournalFolder.database) else { return nil }
        let head = Block(capacity: 100)
        try? head.fill { room throws(Errno) in try file.read(into: room, at: 0) }
        let numbers = head.withBytes { bytes -> (version: UInt32, application: UInt32)? in
            guard bytes.count == 100, bytes.prefix(15).elementsEqual("SQLite format 3".utf8) else { return nil }
            return (bytes.bigUInt32(at: 60), bytes.bigUInt32(at: 68))
        }
        guard let numbers, Int64(numbers.application) == JournalSchema.applicationID,
            numbers.version > JournalSchema.current.version, numbers.version <= JournalLimits.schemaVersionMax
        else { return nil }
        self.init(found: Int(numbers.version))
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func bigUInt32(at offset: Int) -> UInt32 {
        self[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
