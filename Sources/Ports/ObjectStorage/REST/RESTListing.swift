/// The answer of a server to a listing: names alone by the first protocol, names with sizes by the second.
///
/// ```
/// ["<name>", …]          [{"name": "<name>", "size": 123}, …]
/// ```
/// Reads exactly these, all of it or nothing (E-05).
struct RESTListing: Equatable {
    struct Entry: Equatable {
        var name: [UInt8] = []
        /// Nil by the first protocol.
        var size: UInt64?
    }

    /// Why it is no listing.
    struct Trouble: Error, Equatable {
        var offset: Int
    }

    private(set) var entries: [Entry] = []

    init(_ bytes: [UInt8]) throws(Trouble) {
        var reader = Reader(bytes: bytes)
        // Go writes an empty list as null.
        if !reader.take("null") {
            try reader.expect("[")
            if !reader.take("]") {
                repeat { entries.append(try reader.entry()) } while reader.take(",")
                try reader.expect("]")
            }
        }
        try reader.finish()
    }
}

/// The little of JSON that listings have.
private struct Reader {
    let bytes: [UInt8]
    var position = 0

    private var trouble: RESTListing.Trouble { RESTListing.Trouble(offset: position) }

    mutating func take(_ word: StaticString) -> Bool {
        skipBlanks()
        let count = word.utf8CodeUnitCount
        guard bytes.count - position >= count, (0..<count).allSatisfy({ bytes[position + $0] == word.utf8Start[$0] })
        else { return false }
        position += count
        return true
    }

    mutating func expect(_ word: StaticString) throws(RESTListing.Trouble) {
        guard take(word) else { throw trouble }
    }

    mutating func finish() throws(RESTListing.Trouble) {
        skipBlanks()
        guard position == bytes.count else { throw trouble }
    }

    mutating func entry() throws(RESTListing.Trouble) -> RESTListing.Entry {
        guard take("{") else { return RESTListing.Entry(name: try string()) }
        var entry = RESTListing.Entry()
        var hasName = false
        repeat {
            let field = try string()
            try expect(":")
            switch String(decoding: field, as: UTF8.self) {
            case "name": (entry.name, hasName) = (try string(), true)
            case "size": entry.size = try number()
            default: throw trouble
            }
        } while take(",")
        try expect("}")
        guard hasName, entry.size != nil else { throw trouble }
        return entry
    }

    /// Names with escapes are none of ours: they stay as they are written, and count as foreign.
    private mutating func string() throws(RESTListing.Trouble) -> [UInt8] {
        try expect("\"")
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            guard bytes[position] >= 0x20 else { throw trouble }
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position < bytes.count else { throw trouble }
        defer { position += 1 }
        return Array(bytes[start..<position])
    }

    private mutating func number() throws(RESTListing.Trouble) -> UInt64 {
        skipBlanks()
        let digits = bytes[position...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let number = UInt64(String(decoding: digits, as: UTF8.self)) else { throw trouble }
        position += digits.count
        return number
    }

    private mutating func skipBlanks() {
        while position < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[position]) { position += 1 }
    }
}
