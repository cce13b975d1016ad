import Bytes

/// One page of all versions of the objects of a bucket.
struct S3VersionPage: Equatable {
    /// A version, or the mark of a deletion.
    struct Entry: Equatable {
        var key: [UInt8] = []
        var version = ""
        var stored: Timestamp?
        /// Nil for the mark of a deletion.
        var size: UInt64?
    }

    var entries: [Entry] = []
    var isTruncated = false
    var nextKey = ""
    var nextVersion = ""

    /// Reads a page, all of it or nothing (E-05).
    init(_ body: Block) throws(XMLScanner.Trouble) {
        var scanner = XMLScanner(body.bytes)
        guard case .open("ListVersionsResult")? = try scanner.next() else { throw XMLScanner.Trouble(offset: 0) }
        var isEscaped = false
        var hasTruncation = false
        var entry = Entry()
        try scanner.elements { (path, name, text) throws(XMLScanner.Trouble) in
            guard path.isEmpty || path == ["Version"] || path == ["DeleteMarker"] else { return }
            let word = String(decoding: text, as: UTF8.self)
            switch (path.count, name) {
            case (1, "Key"): entry.key = text
            case (1, "VersionId"): entry.version = word
            case (1, "LastModified"): entry.stored = S3Moment.read(word)
            case (1, "Size"): entry.size = UInt64(word)
            case (0, "Version"), (0, "DeleteMarker"):
                // A mark of a deletion has no size, whatever is said of it.
                if name == "DeleteMarker" { entry.size = nil }
                guard entry.size != nil || name == "DeleteMarker" else { throw XMLScanner.Trouble(offset: 0) }
                entries.append(entry)
                entry = Entry()
            case (0, "IsTruncated"): (isTruncated, hasTruncation) = (word == "true", true)
            case (0, "NextKeyMarker"): nextKey = word
            case (0, "NextVersionIdMarker"): nextVersion = word
            case (0, "EncodingType"): isEscaped = word == "url"
            default: break
            }
        }
        guard hasTruncation else { throw XMLScanner.Trouble(offset: body.count) }
        guard isEscaped else { return }
        for index in entries.indices {
            guard let key = S3Escape.unescape(entries[index].key) else { throw XMLScanner.Trouble(offset: 0) }
            entries[index].key = key
        }
        nextKey = S3Escape.unescape(nextKey.utf8).map { String(decoding: $0, as: UTF8.self) } ?? nextKey
    }
}
