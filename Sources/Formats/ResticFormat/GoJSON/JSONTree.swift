package import Bytes

/// A JSON value read whole, for documents of ours whose parts are few.
///
/// **Bounds**: `FormatLimits.jsonDepthMax` levels; the caller bounds the bytes. Numbers are whole ones; others are refused. Keys that stand
/// twice are refused.
package indirect enum JSONTree: Sendable, Hashable {
    case object([ByteString: JSONTree])
    case array([JSONTree])
    case text(ByteString)
    case number(Int)
    case flag(Bool)
    case null

    /// Reads the whole of `bytes`, at most `limit` of them.
    package init(decoding bytes: [UInt8], limit: Int) throws(FormatError) {
        self = try decodeDocument(bytes, limit: limit) { reader throws(FormatError) in try Self.value(&reader) }
    }

    /// The value below a key; nil when this is no object or has none.
    package subscript(key: String) -> JSONTree? {
        if case .object(let entries) = self { entries[ByteString(key)] } else { nil }
    }

    package var text: ByteString? { if case .text(let text) = self { text } else { nil } }
    package var number: Int? { if case .number(let number) = self { number } else { nil } }
    package var flag: Bool? { if case .flag(let flag) = self { flag } else { nil } }
    /// Empty when this is no array.
    package var items: [JSONTree] { if case .array(let items) = self { items } else { [] } }
    /// Empty when this is no object.
    package var entries: [ByteString: JSONTree] { if case .object(let entries) = self { entries } else { [:] } }
    /// A moment as RFC 3339 has it.
    package var time: ZonedTime? { text.flatMap { RFC3339.parse($0.bytes) } }

    /// Recursion ends at the depth that the reader allows.
    private static func value(_ reader: inout GoJSONReader) throws(FormatError) -> JSONTree {
        switch try reader.peek() {
        case UInt8(ascii: "{"): return .object(try object(&reader))
        case UInt8(ascii: "["):
            try reader.beginArray()
            var items: [JSONTree] = []
            var isFirst = true
            while try reader.nextElement(&isFirst) { items.append(try value(&reader)) }
            return .array(items)
        case UInt8(ascii: "\""): return .text(try reader.text())
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .flag(try reader.bool())
        case UInt8(ascii: "n"): return try reader.skipNull() ? .null : .number(try reader.signed())
        default: return .number(try reader.signed())
        }
    }

    private static func object(_ reader: inout GoJSONReader) throws(FormatError) -> [ByteString: JSONTree] {
        try reader.beginObject()
        var entries: [ByteString: JSONTree] = [:]
        var isFirst = true
        while let key = try reader.nextKey(&isFirst) {
            let name = ByteString(reader.resolved(key))
            guard entries[name] == nil else { throw reader.failure(.duplicateKey) }
            entries[name] = try value(&reader)
        }
        return entries
    }
}
