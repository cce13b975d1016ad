import Bytes

/// Reads JSON step by step from lent bytes, strictly by the grammar and as leniently as Go where Go is lenient.
///
/// Invariants: never reads beyond `bytes`, never recurses on input, never allocates by a claimed size, depth at most `FormatLimits.jsonDepthMax`.
/// Escapes and invalid UTF-8 are resolved as Go does: lone surrogates and stray bytes become U+FFFD. A byte-order mark, comments, `NaN`,
/// leading zeros, trailing commas and control characters within strings are refused, as by Go.
///
/// It borrows: the bytes must outlive it, which is why it stays within this module.
struct GoJSONReader {
    let bytes: UnsafeRawBufferPointer
    private(set) var position: Int
    private(set) var depth = 0
    /// Field being read, for errors.
    var field: StaticString = ""

    /// A string as it stands in the input, between its quotes.
    struct Text {
        var start: Int
        var count: Int
        var hasEscapes: Bool
        var hasHighBytes: Bool
    }

    init(_ bytes: UnsafeRawBufferPointer, position: Int = 0, depth: Int = 0) {
        self.bytes = bytes
        self.position = position
        self.depth = depth
    }

    func failure(_ reason: FormatError.Reason) -> FormatError {
        FormatError(reason, field: field.description, offset: position)
    }

    /// Moves over bytes that the caller has looked at.
    mutating func advance(by count: Int) { position &+= count }

    /// Goes back to a place noted earlier.
    mutating func rewind(to place: Int) { position = place }

    /// The next byte that is not white space, not consumed; fails at the end.
    @inline(__always)
    mutating func peek() throws(FormatError) -> UInt8 {
        while position < bytes.count {
            let byte = bytes[position]
            if byte > 0x20 { return byte }
            guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { throw failure(.notJSON) }
            position &+= 1
        }
        throw failure(.endsEarly)
    }

    /// Consumes one byte of syntax.
    @inline(__always)
    mutating func expect(_ byte: UInt8) throws(FormatError) {
        guard try peek() == byte else { throw failure(.notJSON) }
        position &+= 1
    }

    /// Checks that nothing but white space is left.
    mutating func finish() throws(FormatError) {
        field = ""
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { throw failure(.trailingData) }
            position &+= 1
        }
    }

    // MARK: objects and arrays

    /// Consumes `{`.
    mutating func beginObject() throws(FormatError) { try begin(UInt8(ascii: "{")) }

    /// Consumes `[`.
    mutating func beginArray() throws(FormatError) { try begin(UInt8(ascii: "[")) }

    private mutating func begin(_ bracket: UInt8) throws(FormatError) {
        guard try peek() == bracket else { throw failure(.wrongType) }
        try enterBracket()
    }

    /// Consumes a bracket that opens.
    mutating func enterBracket() throws(FormatError) {
        guard depth < FormatLimits.jsonDepthMax else { throw failure(.tooDeep) }
        depth &+= 1
        position &+= 1
    }

    /// Consumes one that closes.
    mutating func leaveBracket() {
        depth &-= 1
        position &+= 1
    }

    /// The next key of an object, consumed with its colon, or nil when the object ended.
    ///
    /// `isFirst` starts as true.
    mutating func nextKey(_ isFirst: inout Bool) throws(FormatError) -> Text? {
        let byte = try peek()
        if byte == UInt8(ascii: "}") {
            leaveBracket()
            return nil
        }
        if !isFirst {
            guard byte == UInt8(ascii: ",") else { throw failure(.notJSON) }
            position &+= 1
        }
        isFirst = false
        return try key()
    }

    private mutating func key() throws(FormatError) -> Text {
        guard try peek() == UInt8(ascii: "\"") else { throw failure(.notJSON) }
        let text = try string()
        try expect(UInt8(ascii: ":"))
        return text
    }

    /// True when another element of an array follows; false consumes the bracket.
    ///
    /// `isFirst` starts as true.
    @inline(__always)
    mutating func nextElement(_ isFirst: inout Bool) throws(FormatError) -> Bool {
        let byte = try peek()
        if byte == UInt8(ascii: "]") {
            leaveBracket()
            return false
        }
        if !isFirst {
            guard byte == UInt8(ascii: ",") else { throw failure(.notJSON) }
            position &+= 1
            guard try peek() != UInt8(ascii: "]") else { throw failure(.notJSON) }
        }
        isFirst = false
        return true
    }

    // MARK: strings

    /// Consumes a string and checks its syntax.
    @inline(__always)
    mutating func string() throws(FormatError) -> Text {
        guard try peek() == UInt8(ascii: "\"") else { throw failure(.wrongType) }
        position &+= 1
        var text = Text(start: position, count: 0, hasEscapes: false, hasHighBytes: false)
        while position < bytes.count {
            if bytes.count &- position >= 8, isPlainWord(bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            {
                position &+= 8
                continue
            }
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                text.count = position &- text.start
                position &+= 1
                return text
            }
            guard byte >= 0x20 else { throw failure(.notJSON) }
            if byte == UInt8(ascii: "\\") {
                text.hasEscapes = true
                try skipEscape()
            } else {
                if byte >= 0x80 { text.hasHighBytes = true }
                position &+= 1
            }
        }
        throw failure(.endsEarly)
    }

    /// True when none of eight bytes is a quote, a backslash, a control character or beyond ASCII.
    @inline(__always)
    private func isPlainWord(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        let quotes = word ^ (ones &* 0x22)
        let slashes = word ^ (ones &* 0x5c)
        let found = (word &- ones &* 0x20) | (quotes &- ones) | (slashes &- ones) | word
        return found & highs == 0
    }

    private mutating func skipEscape() throws(FormatError) {
        guard position &+ 1 < bytes.count else { throw failure(.endsEarly) }
        switch bytes[position &+ 1] {
        case 0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74: position &+= 2
        case 0x75:
            guard position &+ 6 <= bytes.count else { throw failure(.endsEarly) }
            guard hexUnit(at: position &+ 2) != nil else { throw failure(.notJSON) }
            position &+= 6
        default: throw failure(.notJSON)
        }
    }

    private func hexUnit(at index: Int) -> UInt32? {
        guard index &+ 4 <= bytes.count else { return nil }
        var value: UInt32 = 0
        for offset in 0..<4 {
            guard let digit = hexDigitValue(bytes[index &+ offset]) else { return nil }
            value = value << 4 | digit
        }
        return value
    }

    /// The input's bytes of a string, escapes unresolved.
    @inline(__always)
    func slice(_ text: Text) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[text.start..<(text.start &+ text.count)])
    }

    /// The bytes that a string means: always UTF-8.
    func resolved(_ text: Text) -> [UInt8] {
        let raw = slice(text)
        if !text.hasEscapes, !text.hasHighBytes || isValidUTF8(raw) { return [UInt8](raw) }
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var index = 0
        while index < raw.count {
            if raw[index] == UInt8(ascii: "\\") {
                index &+= resolveEscape(raw, at: index, to: &output)
            } else {
                let (scalar, width) = decodeScalar(raw, at: index)
                appendScalar(scalar, to: &output)
                index &+= width
            }
        }
        return output
    }

    /// Appends what the escape at `index` means; returns its width.
    ///
    /// The syntax was checked by `string()`.
    private func resolveEscape(_ raw: UnsafeRawBufferPointer, at index: Int, to output: inout [UInt8]) -> Int {
        switch raw[index &+ 1] {
        case 0x62: output.append(0x08)
        case 0x66: output.append(0x0c)
        case 0x6e: output.append(0x0a)
        case 0x72: output.append(0x0d)
        case 0x74: output.append(0x09)
        case 0x75:
            let inner = GoJSONReader(raw)
            let unit = inner.hexUnit(at: index &+ 2) ?? 0xfffd
            if unit & 0xfc00 == 0xd800, index &+ 12 <= raw.count, raw[index &+ 6] == 0x5c, raw[index &+ 7] == 0x75,
                let low = inner.hexUnit(at: index &+ 8), low & 0xfc00 == 0xdc00
            {
                appendScalar(0x1_0000 + ((unit & 0x3ff) << 10 | low & 0x3ff), to: &output)
                return 12
            }
            appendScalar(unit, to: &output)
            return 6
        default: output.append(raw[index &+ 1])
        }
        return 2
    }
}
