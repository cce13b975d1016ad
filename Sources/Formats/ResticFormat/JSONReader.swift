/// What is wrong with a document.
package enum FormatError: Error, Hashable, CustomStringConvertible {
    case syntax(String, at: Int)
    case tooDeep
    case field(String)
    case tooLarge(String)

    package var description: String {
        switch self {
        case .syntax(let what, let position): "\(what) at byte \(position)"
        case .tooDeep: "is nested deeper than \(JSONReader.depthMax) levels"
        case .field(let what): what
        case .tooLarge(let what): what
        }
    }
}

/// A pull reader over JSON bytes, bounded and without recursion on the input.
package struct JSONReader {
    package static let depthMax = 128
    let bytes: UnsafeRawBufferPointer
    package private(set) var position = 0

    package init(_ bytes: UnsafeRawBufferPointer, from position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    @inline(__always)
    mutating func skipSpace() {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return }
            position += 1
        }
    }

    @inline(__always)
    mutating func peek() throws(FormatError) -> UInt8 {
        skipSpace()
        guard position < bytes.count else { throw .syntax("unexpected end", at: position) }
        return bytes[position]
    }

    @inline(__always)
    mutating func expect(_ byte: UInt8) throws(FormatError) {
        guard try peek() == byte else { throw .syntax("expected '\(Character(UnicodeScalar(byte)))'", at: position) }
        position += 1
    }

    /// True and past it when the next token is this byte.
    @inline(__always)
    mutating func take(_ byte: UInt8) throws(FormatError) -> Bool {
        guard try peek() == byte else { return false }
        position += 1
        return true
    }

    mutating func takeNull() throws(FormatError) -> Bool {
        guard try peek() == UInt8(ascii: "n") else { return false }
        try literal("null")
        return true
    }

    private mutating func literal(_ text: StaticString) throws(FormatError) {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { throw .syntax("unexpected end", at: position) }
        for index in 0..<count where bytes[position + index] != text.utf8Start[index] {
            throw .syntax("invalid literal", at: position)
        }
        position += count
    }

    mutating func end() throws(FormatError) {
        skipSpace()
        guard position == bytes.count else { throw .syntax("data after the document", at: position) }
    }

    /// Reads an object; `field` is given each key and must consume the value.
    package mutating func object(
        _ field: (inout JSONReader, UnsafeRawBufferPointer) throws(FormatError) -> Void
    ) throws(FormatError) {
        try expect(UInt8(ascii: "{"))
        if try take(UInt8(ascii: "}")) { return }
        while true {
            let key = try rawString()
            try expect(UInt8(ascii: ":"))
            try field(&self, key.raw)
            if try take(UInt8(ascii: "}")) { return }
            try expect(UInt8(ascii: ","))
        }
    }

    /// Reads an array; `element` must consume one value.
    package mutating func array(_ element: (inout JSONReader) throws(FormatError) -> Void) throws(FormatError) {
        try expect(UInt8(ascii: "["))
        if try take(UInt8(ascii: "]")) { return }
        while true {
            try element(&self)
            if try take(UInt8(ascii: "]")) { return }
            try expect(UInt8(ascii: ","))
        }
    }

    /// A string's bytes between the quotes, still escaped.
    @inline(__always)
    mutating func rawString() throws(FormatError) -> (raw: UnsafeRawBufferPointer, hasEscapes: Bool) {
        try expect(UInt8(ascii: "\""))
        let start = position
        var hasEscapes = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let raw = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
                position += 1
                return (raw, hasEscapes)
            }
            if byte < 0x20 { throw .syntax("control character in a string", at: position) }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                position += 1
            }
            position += 1
        }
        throw .syntax("unterminated string", at: start)
    }

    /// A string's content.
    package mutating func string() throws(FormatError) -> [UInt8] {
        let start = position
        let (raw, hasEscapes) = try rawString()
        guard hasEscapes else { return Array(raw) }
        return try Self.unescape(raw, at: start)
    }

    private static func unescape(_ raw: UnsafeRawBufferPointer, at start: Int) throws(FormatError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(raw.count)
        var index = 0
        while index < raw.count {
            let byte = raw[index]
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            guard index < raw.count else { throw .syntax("unterminated escape", at: start) }
            let code = raw[index]
            index += 1
            switch code {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(code)
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "u"):
                guard let first = hex4(raw, index) else { throw .syntax("invalid \\u escape", at: start) }
                index += 4
                var scalar = first
                if (0xd800..<0xdc00).contains(first), index + 6 <= raw.count, raw[index] == UInt8(ascii: "\\"),
                    raw[index + 1] == UInt8(ascii: "u"), let second = hex4(raw, index + 2),
                    (0xdc00..<0xe000).contains(second)
                {
                    scalar = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                    index += 6
                }
                appendUTF8(scalar, to: &result)
            default: throw .syntax("unknown escape", at: start)
            }
        }
        return result
    }

    private static func hex4(_ raw: UnsafeRawBufferPointer, _ index: Int) -> UInt32? {
        guard index + 4 <= raw.count else { return nil }
        var value: UInt32 = 0
        for offset in 0..<4 {
            guard let digit = hexDigit(raw[index + offset]) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    /// An unsigned integer.
    @inline(__always)
    package mutating func unsigned() throws(FormatError) -> UInt64 {
        _ = try peek()
        let start = position
        var value: UInt64 = 0
        while position < bytes.count {
            let digit = bytes[position] &- 48
            guard digit < 10 else { break }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            if overflow || carry { throw .syntax("number too large", at: start) }
            value = sum
            position += 1
        }
        guard position > start else { throw .syntax("expected a number", at: position) }
        if position < bytes.count, [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(bytes[position]) {
            throw .syntax("expected an integer", at: start)
        }
        return value
    }

    /// An unsigned integer of at most 32 bits.
    package mutating func uint32() throws(FormatError) -> UInt32 {
        let start = position
        guard let value = UInt32(exactly: try unsigned()) else { throw .syntax("number too large", at: start) }
        return value
    }

    /// An integer of at most 64 bits.
    package mutating func signed() throws(FormatError) -> Int64 {
        let start = position
        let negative = try take(UInt8(ascii: "-"))
        let value = try unsigned()
        if negative {
            guard value <= UInt64(Int64.max) else { throw .syntax("number too small", at: start) }
            return -Int64(value)
        }
        guard let result = Int64(exactly: value) else { throw .syntax("number too large", at: start) }
        return result
    }

    /// `true` or `false`.
    package mutating func boolean() throws(FormatError) -> Bool {
        if try peek() == UInt8(ascii: "t") {
            try literal("true")
            return true
        }
        try literal("false")
        return false
    }

    /// Passes over one value of any kind; without recursion.
    package mutating func skip() throws(FormatError) {
        var depth = 0
        var closers: [UInt8] = []
        while true {
            let byte = try peek()
            var opened = false
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                position += 1
                depth += 1
                if depth > Self.depthMax { throw .tooDeep }
                let closer: UInt8 = byte == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: "]")
                if try take(closer) {
                    depth -= 1
                } else {
                    closers.append(closer)
                    opened = true
                }
            case UInt8(ascii: "\""): _ = try rawString()
            case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = try boolean()
            case UInt8(ascii: "n"): try literal("null")
            default: try number()
            }
            if opened {
                if closers.last == UInt8(ascii: "}") { try key() }
                continue
            }
            while let closer = closers.last {
                if try take(closer) {
                    closers.removeLast()
                    depth -= 1
                    continue
                }
                try expect(UInt8(ascii: ","))
                if closer == UInt8(ascii: "}") { try key() }
                break
            }
            if closers.isEmpty { return }
        }
    }

    private mutating func key() throws(FormatError) {
        _ = try rawString()
        try expect(UInt8(ascii: ":"))
    }

    private mutating func number() throws(FormatError) {
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case 48...57, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                position += 1
                continue
            default: break
            }
            break
        }
        if position == start { throw .syntax("unexpected character", at: position) }
    }
}

func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 97...102: byte - 87
    case 65...70: byte - 55
    default: nil
    }
}

/// Appends a code point; lone surrogates and values beyond Unicode become U+FFFD, as in Go.
func appendUTF8(_ value: UInt32, to bytes: inout [UInt8]) {
    let scalar = Unicode.Scalar(value) ?? "\u{fffd}"
    bytes.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [0xef, 0xbf, 0xbd])
}

/// Equal to a key as Go's decoder matches it: exactly, or without regard to ASCII case.
@inline(__always)
func matches(_ key: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
    guard key.count == name.utf8CodeUnitCount else { return false }
    for index in 0..<key.count where key[index] != name.utf8Start[index] {
        guard key[index] | 0x20 == name.utf8Start[index] | 0x20, (97...122).contains(key[index] | 0x20) else {
            return false
        }
    }
    return true
}
