import Bytes

/// What a service says when it refuses, or fails.
struct S3Refusal: Equatable {
    var code = ""
    var message = ""
    /// The region that it would have taken.
    var region = ""
    /// The bucket or key that it speaks of.
    var resource = ""

    /// Reads the body of a refusal; nil when it is none of a service, such as a page of a proxy.
    init?(_ body: Block) {
        var scanner = XMLScanner(body.bytes)
        do {
            guard try scanner.next() == .open("Error") else { return nil }
            try scanner.fields { name, text in
                switch name {
                case "Code": code = text
                case "Message": message = text
                case "Region": region = text
                case "BucketName": resource = text
                default: break
                }
            }
        } catch {
            guard !code.isEmpty else { return nil }
        }
    }
}

/// One page of a listing.
struct S3ListPage: Equatable {
    struct Entry: Equatable {
        var key: [UInt8] = []
        var size: UInt64 = 0
    }

    var entries: [Entry] = []
    var isTruncated = false
    var continuationToken = ""
    var nextMarker = ""

    /// Reads a page of either interface, all of it or nothing (E-05).
    init(_ body: Block) throws(XMLScanner.Trouble) {
        var scanner = XMLScanner(body.bytes)
        // A declaration and the outermost element; whatever it is called, what it has is what counts.
        guard case .open("ListBucketResult")? = try scanner.next() else { throw XMLScanner.Trouble(offset: 0) }
        var isEscaped = false
        var hasTruncation = false
        var entry = Entry()
        try scanner.elements { (path, name, text) throws(XMLScanner.Trouble) in
            let word = String(decoding: text, as: UTF8.self)
            switch (path, name) {
            case (["Contents"], "Key"): entry.key = text
            case (["Contents"], "Size"):
                guard let size = UInt64(word) else { throw XMLScanner.Trouble(offset: 0) }
                entry.size = size
            case ([], "Contents"):
                entries.append(entry)
                entry = Entry()
            case ([], "IsTruncated"): (isTruncated, hasTruncation) = (word == "true", true)
            case ([], "NextContinuationToken"): continuationToken = word
            case ([], "NextMarker"): nextMarker = word
            case ([], "EncodingType"): isEscaped = word == "url"
            default: break
            }
        }
        guard hasTruncation else { throw XMLScanner.Trouble(offset: body.count) }
        if isEscaped { try unescape() }
    }

    private mutating func unescape() throws(XMLScanner.Trouble) {
        for index in entries.indices {
            guard let key = S3Escape.unescape(entries[index].key) else { throw XMLScanner.Trouble(offset: 0) }
            entries[index].key = key
        }
        nextMarker = S3Escape.unescape(nextMarker.utf8).map { String(decoding: $0, as: UTF8.self) } ?? nextMarker
    }
}

/// The one word that an answer is asked for: an upload's name, a bucket's region.
struct S3Word {
    /// The text of the element, which may be the outermost; nil when there is none.
    static func find(_ element: String, in body: Block) -> String? {
        var scanner = XMLScanner(body.bytes)
        var found: String?
        do {
            guard case .open(let root)? = try scanner.next() else { return nil }
            try scanner.fields(root) { name, text in
                if name == element { found = text }
            }
        } catch {
            return nil
        }
        return found
    }
}

extension XMLScanner {
    /// Hears of each element that holds text alone; `root` too when it is named.
    mutating func fields(_ root: String = "", _ found: (String, String) -> Void) throws(Trouble) {
        try elements(within: [root]) { (_, name, text) throws(Trouble) in
            if !name.isEmpty { found(name, String(decoding: text, as: UTF8.self)) }
        }
    }

    /// Hears of each element when it ends: the names of those around it from `within` on, its own, and the text since the last mark.
    ///
    /// Errors: those of the scanner, and what `ended` throws.
    mutating func elements(
        within: [String] = [],
        _ ended: ([String], String, [UInt8]) throws(Trouble) -> Void
    ) throws(Trouble) {
        var path = within
        var text: [UInt8] = []
        while let event = try next() {
            switch event {
            case .open(let name):
                path.append(name)
                text = []
            case .text(let bytes): text += bytes
            case .close:
                if let name = path.popLast() { try ended(path, name, text) }
                text = []
            }
        }
    }
}
