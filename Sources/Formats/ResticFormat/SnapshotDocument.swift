package import Bytes

/// What a backup counted (spec 7).
package struct SnapshotSummary: Sendable, Hashable {
    package var backupStart: ZonedTime
    package var backupEnd: ZonedTime
    package var filesNew: UInt64
    package var filesChanged: UInt64
    package var filesUnmodified: UInt64
    package var dirsNew: UInt64
    package var dirsChanged: UInt64
    package var dirsUnmodified: UInt64
    package var dataBlobs: UInt64
    package var treeBlobs: UInt64
    package var dataAdded: UInt64
    package var dataAddedPacked: UInt64
    package var totalFilesProcessed: UInt64
    package var totalBytesProcessed: UInt64

    package init(
        backupStart: ZonedTime,
        backupEnd: ZonedTime,
        filesNew: UInt64 = 0,
        filesChanged: UInt64 = 0,
        filesUnmodified: UInt64 = 0,
        dirsNew: UInt64 = 0,
        dirsChanged: UInt64 = 0,
        dirsUnmodified: UInt64 = 0,
        dataBlobs: UInt64 = 0,
        treeBlobs: UInt64 = 0,
        dataAdded: UInt64 = 0,
        dataAddedPacked: UInt64 = 0,
        totalFilesProcessed: UInt64 = 0,
        totalBytesProcessed: UInt64 = 0
    ) {
        self.backupStart = backupStart
        self.backupEnd = backupEnd
        self.filesNew = filesNew
        self.filesChanged = filesChanged
        self.filesUnmodified = filesUnmodified
        self.dirsNew = dirsNew
        self.dirsChanged = dirsChanged
        self.dirsUnmodified = dirsUnmodified
        self.dataBlobs = dataBlobs
        self.treeBlobs = treeBlobs
        self.dataAdded = dataAdded
        self.dataAddedPacked = dataAddedPacked
        self.totalFilesProcessed = totalFilesProcessed
        self.totalBytesProcessed = totalBytesProcessed
    }

    /// Field names and values in the order of the document, the two times left out.
    package var counts: [(StaticString, UInt64)] {
        [
            ("files_new", filesNew), ("files_changed", filesChanged), ("files_unmodified", filesUnmodified),
            ("dirs_new", dirsNew), ("dirs_changed", dirsChanged), ("dirs_unmodified", dirsUnmodified),
            ("data_blobs", dataBlobs), ("tree_blobs", treeBlobs), ("data_added", dataAdded),
            ("data_added_packed", dataAddedPacked), ("total_files_processed", totalFilesProcessed),
            ("total_bytes_processed", totalBytesProcessed),
        ]
    }

    func encode() -> [UInt8] {
        var writer = ObjectWriter()
        writer.time("backup_start", backupStart)
        writer.time("backup_end", backupEnd)
        for (name, value) in counts { writer.number(name, value) }
        return writer.finish()
    }

    init(reading reader: inout JSONReader) throws(FormatError) {
        let zero = ZonedTime(Timestamp(seconds: -62_135_596_800))
        var summary = SnapshotSummary(backupStart: zero, backupEnd: zero)
        try reader.object { (reader, key) throws(FormatError) in
            if matches(key, "backup_start") {
                summary.backupStart = try time(&reader)
            } else if matches(key, "backup_end") {
                summary.backupEnd = try time(&reader)
            } else if let path = Self.paths.first(where: { matches(key, $0.0) })?.1 {
                summary[keyPath: path] = try reader.unsigned()
            } else {
                try reader.skip()
            }
        }
        self = summary
    }

    private static var paths: [(StaticString, WritableKeyPath<SnapshotSummary, UInt64>)] {
        [
            ("files_new", \.filesNew), ("files_changed", \.filesChanged), ("files_unmodified", \.filesUnmodified),
            ("dirs_new", \.dirsNew), ("dirs_changed", \.dirsChanged), ("dirs_unmodified", \.dirsUnmodified),
            ("data_blobs", \.dataBlobs), ("tree_blobs", \.treeBlobs), ("data_added", \.dataAdded),
            ("data_added_packed", \.dataAddedPacked), ("total_files_processed", \.totalFilesProcessed),
            ("total_bytes_processed", \.totalBytesProcessed),
        ]
    }
}

/// A snapshot file.
package struct SnapshotDocument: Sendable, Hashable {
    package var time: ZonedTime
    package var parent: SnapshotID?
    package var tree: BlobID?
    package var paths: [ByteString] = []
    package var hostname: ByteString = ""
    package var username: ByteString = ""
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    package var excludes: [ByteString] = []
    package var tags: [ByteString] = []
    package var original: SnapshotID?
    package var programVersion: ByteString = ""
    package var summary: SnapshotSummary?

    package init(time: ZonedTime, tree: BlobID?) {
        self.time = time
        self.tree = tree
    }

    package func encode() -> [UInt8] {
        var writer = ObjectWriter()
        writer.time("time", time)
        if let parent { writer.digest("parent", parent.digest) }
        if let tree { writer.digest("tree", tree.digest) } else { writer.raw("tree", Array("null".utf8)) }
        writer.texts("paths", paths)
        writer.text("hostname", hostname, omitEmpty: true)
        writer.text("username", username, omitEmpty: true)
        writer.number("uid", UInt64(uid), omitZero: true)
        writer.number("gid", UInt64(gid), omitZero: true)
        writer.texts("excludes", excludes, omitEmpty: true)
        writer.texts("tags", tags, omitEmpty: true)
        if let original { writer.digest("original", original.digest) }
        writer.text("program_version", programVersion, omitEmpty: true)
        if let summary { writer.raw("summary", summary.encode()) }
        return writer.finish()
    }

    package init(decoding bytes: [UInt8]) throws(FormatError) {
        var document = SnapshotDocument(time: ZonedTime(Timestamp(seconds: 0)), tree: nil)
        var timeSeen = false
        try decode(bytes) { (reader) throws(FormatError) in
            try reader.object { (reader, key) throws(FormatError) in
                if matches(key, "time") {
                    document.time = try ResticFormat.time(&reader)
                    timeSeen = true
                } else if matches(key, "parent") {
                    document.parent = try optionalDigest(&reader).map { SnapshotID($0) }
                } else if matches(key, "tree") {
                    document.tree = try optionalDigest(&reader).map { BlobID($0) }
                } else if matches(key, "paths") {
                    document.paths = try texts(&reader)
                } else if matches(key, "hostname") {
                    document.hostname = ByteString(try reader.string())
                } else if matches(key, "username") {
                    document.username = ByteString(try reader.string())
                } else if matches(key, "uid") {
                    document.uid = try reader.uint32()
                } else if matches(key, "gid") {
                    document.gid = try reader.uint32()
                } else if matches(key, "excludes") {
                    document.excludes = try texts(&reader)
                } else if matches(key, "tags") {
                    document.tags = try texts(&reader)
                } else if matches(key, "original") {
                    document.original = try optionalDigest(&reader).map { SnapshotID($0) }
                } else if matches(key, "program_version") {
                    document.programVersion = ByteString(try reader.string())
                } else if matches(key, "summary") {
                    document.summary = try reader.takeNull() ? nil : try SnapshotSummary(reading: &reader)
                } else {
                    try reader.skip()
                }
            }
        }
        guard timeSeen else { throw .field("a snapshot has no time") }
        self = document
    }
}

private func texts(_ reader: inout JSONReader) throws(FormatError) -> [ByteString] {
    if try reader.takeNull() { return [] }
    var found: [ByteString] = []
    try reader.array { (reader) throws(FormatError) in found.append(ByteString(try reader.string())) }
    return found
}
