/// Why bytes are no JSON document that is taken here, and where.
package struct JSONError: Error, Hashable {
    package var offset: Int
    /// In words behind "is no JSON".
    package var what: String
}

/// Reads JSON (RFC 8259) from a party that is not trusted.
///
/// Bounds: `depthMax` open brackets, `valuesMax` values, both before anything is allocated for them; the caller bounds the bytes.
/// Names that stand twice in one object, lone surrogates and bytes that are not UTF-8 are refused.
package struct JSONParser {
    package static let depthMax = 32
    package static let valuesMax = 4_000_000

    private let bytes: [UInt8]
    private var position = 0
    private var values = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The one document that the bytes are.
    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes)
        let value = try parser.value(depth: 0)
        parser.skipBlanks()
        guard parser.position == bytes.count else { throw parser.error("something stands behind it") }
        return value
    }

    private func error(_ what: String) -> JSONError { JSONError(offset: position, what: what) }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: UInt8, _ what: String) throws(JSONError) {
        guard next == byte else { throw error(what) }
        position += 1
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        values += 1
        guard depth <= Self.depthMax else { throw error("it is nested too deep") }
        guard values <= Self.valuesMax else { throw error("it has too many values") }
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"): return .object(try object(depth))
        case UInt8(ascii: "["): return .array(try array(depth))
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "t"): return try word("true", .flag(true))
        case UInt8(ascii: "f"): return try word("false", .flag(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for byte in word.utf8 { try take(byte, "a value was expected") }
        return value
    }

    private mutating func object(_ depth: Int) throws(JSONError) -> JSONObject {
        position += 1
        var object = JSONObject()
        var names: Set<String> = []
        skipBlanks()
        if next == UInt8(ascii: "}") {
            position += 1
            return object
        }
        while true {
            skipBlanks()
            let name = try text()
            guard names.insert(name).inserted else { throw error("a name stands twice") }
            skipBlanks()
            try take(UInt8(ascii: ":"), "a colon was expected")
            object.members.append(JSONObject.Member(name: name, value: try value(depth: depth + 1)))
            skipBlanks()
            if next == UInt8(ascii: "}") {
                position += 1
                return object
            }
            try take(UInt8(ascii: ","), "a comma was expected")
        }
    }

    private mutating func array(_ depth: Int) throws(JSONError) -> [JSONValue] {
        position += 1
        var items: [JSONValue] = []
        skipBlanks()
        if next == UInt8(ascii: "]") {
            position += 1
            return items
        }
        while true {
            items.append(try value(depth: depth + 1))
            skipBlanks()
            if next == UInt8(ascii: "]") {
                position += 1
                return items
            }
            try take(UInt8(ascii: ","), "a comma was expected")
        }
    }

    private mutating func number() throws(JSONError) -> String {
        let start = position
        if next == UInt8(ascii: "-") { position += 1 }
        let whole = takeDigits()
        guard whole > 0, whole == 1 || bytes[position - whole] != UInt8(ascii: "0") else {
            throw error("a value was expected")
        }
        if next == UInt8(ascii: ".") {
            position += 1
            guard takeDigits() > 0 else { throw error("a digit was expected") }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            position += 1
            if next == UInt8(ascii: "-") || next == UInt8(ascii: "+") { position += 1 }
            guard takeDigits() > 0 else { throw error("a digit was expected") }
        }
        guard position - start <= 64 else { throw error("a number is too long") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func takeDigits() -> Int {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }

    // MARK: texts

    private mutating func text() throws(JSONError) -> String {
        try take(UInt8(ascii: "\""), "a text was expected")
        var text: [UInt8] = []
        while true {
            let start = position
            while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
                position += 1
            }
            text += bytes[start..<position]
            switch next {
            case UInt8(ascii: "\""):
                position += 1
                guard let whole = String(validating: text, as: UTF8.self) else { throw error("a text is not UTF-8") }
                return whole
            case UInt8(ascii: "\\"):
                position += 1
                text += Array(String(try escaped()).utf8)
            default: throw error("a text does not end")
            }
        }
    }

    private mutating func escaped() throws(JSONError) -> Unicode.Scalar {
        let byte = next
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte ?? 0)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try escapedScalar()
        default: throw error("an escape is unknown")
        }
    }

    private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
        let first = try fourDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        // A pair: \ud83d\udd11.
        guard (0xd800..<0xdc00).contains(first) else { throw error("half of a pair stands alone") }
        try take(UInt8(ascii: "\\"), "half of a pair stands alone")
        try take(UInt8(ascii: "u"), "half of a pair stands alone")
        let second = try fourDigits()
        guard (0xdc00..<0xe000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
        else { throw error("half of a pair stands alone") }
        return scalar
    }

    private mutating func fourDigits() throws(JSONError) -> UInt32 {
        guard bytes.count - position >= 4 else { throw error("a text does not end") }
        var number: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): number = number << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
            default: throw error("a digit was expected")
            }
        }
        position += 4
        return number
    }
}
