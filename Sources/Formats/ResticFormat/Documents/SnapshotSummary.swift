package import Bytes

/// The statistics of the backup that made a snapshot, stored within it.
package struct SnapshotSummary: Sendable, Hashable {
    package var backupStart: ZonedTime
    package var backupEnd: ZonedTime
    package var filesNew: UInt64
    package var filesChanged: UInt64
    package var filesUnmodified: UInt64
    package var dirsNew: UInt64
    package var dirsChanged: UInt64
    package var dirsUnmodified: UInt64
    /// New data blobs.
    package var dataBlobs: Int
    /// New tree blobs.
    package var treeBlobs: Int
    /// Plaintext bytes of the new blobs.
    package var dataAdded: UInt64
    /// Bytes that they take in the repository: sealed, with their header entries.
    package var dataAddedPacked: UInt64
    package var totalFilesProcessed: UInt64
    package var totalBytesProcessed: UInt64

    /// All counts zero.
    package init(backupStart: ZonedTime, backupEnd: ZonedTime) {
        self.backupStart = backupStart
        self.backupEnd = backupEnd
        filesNew = 0
        filesChanged = 0
        filesUnmodified = 0
        dirsNew = 0
        dirsChanged = 0
        dirsUnmodified = 0
        dataBlobs = 0
        treeBlobs = 0
        dataAdded = 0
        dataAddedPacked = 0
        totalFilesProcessed = 0
        totalBytesProcessed = 0
    }

    init(_ reader: inout GoJSONReader) throws(FormatError) {
        self.init(backupStart: RFC3339.zeroTime, backupEnd: RFC3339.zeroTime)
        var fields = try ObjectFields(Self.names, refusesDuplicates: false, reader: &reader)
        while let field = try fields.next(&reader) {
            if try reader.skipNull() { continue }
            try read(field, &reader)
        }
    }

    private mutating func read(_ field: Int, _ reader: inout GoJSONReader) throws(FormatError) {
        switch field {
        case 0: backupStart = try reader.time()
        case 1: backupEnd = try reader.time()
        case 2: filesNew = try reader.unsigned()
        case 3: filesChanged = try reader.unsigned()
        case 4: filesUnmodified = try reader.unsigned()
        case 5: dirsNew = try reader.unsigned()
        case 6: dirsChanged = try reader.unsigned()
        case 7: dirsUnmodified = try reader.unsigned()
        case 8: dataBlobs = try reader.signed()
        case 9: treeBlobs = try reader.signed()
        case 10: dataAdded = try reader.unsigned()
        case 11: dataAddedPacked = try reader.unsigned()
        case 12: totalFilesProcessed = try reader.unsigned()
        default: totalBytesProcessed = try reader.unsigned()
        }
    }

    /// Writes the object as restic does, all fields always.
    package func append(to writer: inout GoJSONWriter) {
        writer.beginObject()
        writer.key("backup_start")
        writer.time(backupStart)
        writer.key("backup_end")
        writer.time(backupEnd)
        appendCounts(to: &writer)
        writer.endObject()
    }

    /// The object without its two times, for messages that put other fields around the counts.
    package func encodeCounts() -> [UInt8] {
        var writer = GoJSONWriter()
        writer.beginObject()
        appendCounts(to: &writer)
        writer.endObject()
        return writer.bytes
    }

    private func appendCounts(to writer: inout GoJSONWriter) {
        let counts = [
            filesNew, filesChanged, filesUnmodified, dirsNew, dirsChanged, dirsUnmodified,
        ]
        for (name, count) in zip(Self.names[2...], counts) {
            writer.key(name)
            writer.integer(count)
        }
        writer.key("data_blobs")
        writer.integer(dataBlobs)
        writer.key("tree_blobs")
        writer.integer(treeBlobs)
        for (name, count) in zip(
            Self.names[10...],
            [dataAdded, dataAddedPacked, totalFilesProcessed, totalBytesProcessed]
        ) {
            writer.key(name)
            writer.integer(count)
        }
    }

    private static let names: [StaticString] = [
        "backup_start", "backup_end", "files_new", "files_changed", "files_unmodified", "dirs_new", "dirs_changed",
        "dirs_unmodified",
        "data_blobs", "tree_blobs", "data_added", "data_added_packed", "total_files_processed", "total_bytes_processed",
    ]
}
