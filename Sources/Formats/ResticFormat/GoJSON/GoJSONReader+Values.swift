import Bytes
import Scanning

extension GoJSONReader {
    /// Consumes `null` when it is next.
    @inline(__always)
    mutating func skipNull() throws(FormatError) -> Bool {
        guard try peek() == UInt8(ascii: "n") else { return false }
        try word("null")
        return true
    }

    /// A string's meaning.
    mutating func text() throws(FormatError) -> ByteString {
        ByteString(resolved(try string()))
    }

    /// A string of at most `limit` bytes in the input.
    mutating func text(limit: Int) throws(FormatError) -> ByteString {
        let text = try string()
        guard text.count <= limit else { throw failure(.tooLarge) }
        return ByteString(resolved(text))
    }

    /// The bytes behind a base64 string.
    mutating func base64() throws(FormatError) -> [UInt8] {
        let text = try string()
        let decoded = text.hasEscapes ? lend(resolved(text)) { GoBase64.decode($0) } : GoBase64.decode(slice(text))
        guard let decoded else { throw failure(.badBase64) }
        return decoded
    }

    /// A time; escapes are not resolved, as in Go.
    mutating func time() throws(FormatError) -> ZonedTime {
        let text = try string()
        guard let time = RFC3339.parse(slice(text)) else { throw failure(.badTime) }
        return time
    }

    /// An ID: 64 hexadecimal digits of either case, as Go takes them.
    @inline(__always)
    mutating func digest() throws(FormatError) -> Digest {
        guard try peek() == UInt8(ascii: "\"") else { throw failure(.wrongType) }
        guard bytes.count &- position >= 66 else { throw failure(.endsEarly) }
        guard bytes[position &+ 65] == UInt8(ascii: "\""), let digest = hexDigest(bytes, at: position &+ 1) else {
            throw failure(.badDigest)
        }
        advance(by: 66)
        return digest
    }

    /// An integer from 0 to `maximum`, without fraction or exponent.
    @inline(__always)
    mutating func unsigned(max maximum: UInt64 = .max) throws(FormatError) -> UInt64 {
        let first = try peek()
        if first == UInt8(ascii: "-") { throw failure(.outOfRange) }
        let value = try magnitude()
        guard value <= maximum else { throw failure(.outOfRange) }
        return value
    }

    /// An integer from 0 to 2^32-1.
    @inline(__always)
    mutating func unsigned32() throws(FormatError) -> UInt32 {
        UInt32(truncatingIfNeeded: try unsigned(max: UInt64(UInt32.max)))
    }

    /// An integer that fits 64 bits with sign.
    mutating func signed() throws(FormatError) -> Int {
        guard try peek() == UInt8(ascii: "-") else { return Int(try unsigned(max: UInt64(Int.max))) }
        advance(by: 1)
        guard position < bytes.count else { throw failure(.endsEarly) }
        let value = try magnitude()
        guard value <= Int.min.magnitude else { throw failure(.outOfRange) }
        return Int(truncatingIfNeeded: 0 &- value)
    }

    /// Digits at the very place: no sign, no leading zero, nothing numeric behind them.
    @inline(__always)
    private mutating func magnitude() throws(FormatError) -> UInt64 {
        let start = position
        var index = start
        var value: UInt64 = 0
        while index < bytes.count {
            let digit = bytes[index] &- 0x30
            guard digit < 10 else { break }
            // 19 digits always fit; beyond that every step is checked.
            if index &- start < 19 {
                value = value &* 10 &+ UInt64(digit)
            } else {
                let (product, tooBig) = value.multipliedReportingOverflow(by: 10)
                let (sum, overflow) = product.addingReportingOverflow(UInt64(digit))
                guard !tooBig, !overflow else { throw failure(.outOfRange) }
                value = sum
            }
            index &+= 1
        }
        guard index > start else { throw failure(.wrongType) }
        if bytes[start] == 0x30, index &- start > 1 { throw failure(.notJSON) }
        if index < bytes.count {
            let next = bytes[index]
            if next == UInt8(ascii: ".") || next | 0x20 == UInt8(ascii: "e") { throw failure(.wrongType) }
        }
        advance(by: index &- start)
        return value
    }

    /// `true` or `false`.
    mutating func bool() throws(FormatError) -> Bool {
        switch try peek() {
        case UInt8(ascii: "t"):
            try word("true")
            return true
        case UInt8(ascii: "f"):
            try word("false")
            return false
        default: throw failure(.wrongType)
        }
    }

    /// An array of strings; `null` stands for the empty array, and as an element for the empty string, as in Go.
    mutating func texts() throws(FormatError) -> [ByteString] {
        var values: [ByteString] = []
        guard try !skipNull() else { return values }
        try beginArray()
        var isFirst = true
        while try nextElement(&isFirst) {
            values.append(try skipNull() ? ByteString() : text())
        }
        return values
    }

    private mutating func word(_ expected: StaticString) throws(FormatError) {
        let length = expected.utf8CodeUnitCount
        for offset in 0..<length {
            guard position &+ offset < bytes.count else { throw failure(.endsEarly) }
            guard bytes[position &+ offset] == expected.utf8Start[offset] else { throw failure(.notJSON) }
        }
        advance(by: length)
    }

    // MARK: skipping

    /// Moves over one value of any kind, checking its grammar; the nesting is kept in bits, not on the stack.
    mutating func skipValue() throws(FormatError) {
        var kinds: UInt128 = 0
        var level = 0
        while true {
            var opened = false
            switch try peek() {
            case UInt8(ascii: "{"):
                try beginObject()
                kinds = kinds << 1 | 1
                level &+= 1
                opened = true
            case UInt8(ascii: "["):
                try beginArray()
                kinds <<= 1
                level &+= 1
                opened = true
            case UInt8(ascii: "\""): _ = try string()
            case UInt8(ascii: "t"): try word("true")
            case UInt8(ascii: "f"): try word("false")
            case UInt8(ascii: "n"): try word("null")
            default: try skipNumber()
            }
            // Behind a value or an opening bracket: close what ends here, or stop in front of the next value.
            var isFirst = opened
            while level > 0 {
                let goesOn = kinds & 1 == 1 ? try nextKey(&isFirst) != nil : try nextElement(&isFirst)
                if goesOn { break }
                kinds >>= 1
                level &-= 1
                isFirst = false
            }
            if level == 0 { return }
        }
    }

    /// Consumes the rest of the object at hand by its brackets and strings alone.
    ///
    /// Many times as fast as reading it; what it accepts need not be JSON.
    mutating func skipRestOfObject() throws(FormatError) {
        let limit = FormatLimits.jsonDepthMax - depth + 1
        guard let end = TextScan.endOfObject(in: bytes, from: position, depthMax: limit) else {
            throw failure(.endsEarly)
        }
        rewind(to: end - 1)
        leaveBracket()
    }

    private mutating func skipNumber() throws(FormatError) {
        if bytes[position] == UInt8(ascii: "-") { advance(by: 1) }
        guard position < bytes.count else { throw failure(.endsEarly) }
        if bytes[position] == 0x30 { advance(by: 1) } else { try skipDigits() }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            advance(by: 1)
            try skipDigits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            advance(by: 1)
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                advance(by: 1)
            }
            try skipDigits()
        }
    }

    private mutating func skipDigits() throws(FormatError) {
        guard position < bytes.count else { throw failure(.endsEarly) }
        guard bytes[position] &- 0x30 < 10 else { throw failure(.notJSON) }
        while position < bytes.count, bytes[position] &- 0x30 < 10 { advance(by: 1) }
    }
}

/// Reads 64 hexadecimal digits of either case at `index`, eight at a time; nil when one is none.
///
/// The caller has bounded `index`.
@inline(__always)
func hexDigest(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Digest? {
    guard let a = hexWord(bytes, at: index), let b = hexWord(bytes, at: index &+ 16),
        let c = hexWord(bytes, at: index &+ 32), let d = hexWord(bytes, at: index &+ 48)
    else { return nil }
    return Digest(a: a, b: b, c: c, d: d)
}

@inline(__always)
private func hexWord(_ bytes: UnsafeRawBufferPointer, at index: Int) -> UInt64? {
    guard let high = hexHalf(UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))),
        let low = hexHalf(UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: index &+ 8, as: UInt64.self)))
    else { return nil }
    return high << 32 | low
}

/// The value of eight digits in one word: computes the nibbles, spells them out again and compares, so that nothing else passes.
@inline(__always)
private func hexHalf(_ digits: UInt64) -> UInt64? {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let letters = digits >> 6 & ones
    let nibbles = (digits & (ones &* 0x0f)) &+ letters &* 9
    let aboveNine = (nibbles &+ ones &* 6) >> 4 & ones
    let spelt = nibbles &+ ones &* 0x30 &+ aboveNine &* 0x27
    guard spelt == digits | letters << 5, nibbles & (ones &* 0xf0) == 0 else { return nil }
    var value = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff
    value = (value | value >> 8) & 0x0000_ffff_0000_ffff
    return (value | value >> 16) & 0xffff_ffff
}
