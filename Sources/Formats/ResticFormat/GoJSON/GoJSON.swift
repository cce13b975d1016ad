package import Bytes

/// The JSON dialect of Go's `encoding/json`, byte for byte, since tree IDs hash it.
package enum GoJSON {
    /// Appends a quoted string: `"`, `\` and control characters escaped; `<`, `>`, `&`, U+2028 and U+2029 as `\u....`; each byte that is not
    /// UTF-8 as `\ufffd`; all else as it is.
    package static func appendString(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        var index = 0
        var start = 0
        while index < bytes.count {
            let byte = bytes[index]
            if isPlain(byte) {
                index &+= 1
                continue
            }
            let width = plainWidth(bytes, at: index)
            if width > 0 {
                index &+= width
                continue
            }
            output.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[start..<index]))
            index &+= appendEscaped(bytes, at: index, to: &output)
            start = index
        }
        output.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[start..<index]))
        output.append(UInt8(ascii: "\""))
    }

    /// `appendString` of a byte string.
    package static func appendString(_ text: ByteString, to output: inout [UInt8]) {
        text.bytes.withUnsafeBytes { appendString($0, to: &output) }
    }

    /// Whether a byte stands for itself within a string, wherever it is.
    @inline(__always)
    static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x26 && byte != 0x3c && byte != 0x3e && byte != 0x5c
    }

    /// Width of the multi-byte character at `index` when it is written as it is, else 0.
    private static func plainWidth(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
        guard bytes[index] >= 0x80 else { return 0 }
        let (scalar, width) = decodeScalar(bytes, at: index)
        return scalar == invalidScalar || scalar == 0x2028 || scalar == 0x2029 ? 0 : width
    }

    /// Appends the escape of what stands at `index`; returns how many bytes it stands for.
    private static func appendEscaped(_ bytes: UnsafeRawBufferPointer, at index: Int, to output: inout [UInt8]) -> Int {
        let (scalar, width) = decodeScalar(bytes, at: index)
        output.append(UInt8(ascii: "\\"))
        switch scalar {
        case 0x22, 0x5c: output.append(UInt8(truncatingIfNeeded: scalar))
        case 0x08: output.append(UInt8(ascii: "b"))
        case 0x0c: output.append(UInt8(ascii: "f"))
        case 0x0a: output.append(UInt8(ascii: "n"))
        case 0x0d: output.append(UInt8(ascii: "r"))
        case 0x09: output.append(UInt8(ascii: "t"))
        default:
            output.append(UInt8(ascii: "u"))
            appendHexDigits(scalar == invalidScalar ? 0xfffd : scalar, count: 4, to: &output)
        }
        return width
    }
}

/// Writes JSON as Go's `encoding/json` does: no white space, keys in the order given.
///
/// The caller keeps objects and arrays balanced and gives each value its key; the writer places the commas.
package struct GoJSONWriter: Sendable {
    /// What was written so far.
    package private(set) var bytes: [UInt8]
    private var needsComma = false

    /// Starts empty, with room for `capacity` bytes.
    package init(capacity: Int = 512) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Goes on behind the bytes of `output`, which is left empty until `finish(into:)`; no copy.
    init(taking output: inout [UInt8]) {
        bytes = output
        output = []
    }

    /// Gives the bytes back.
    mutating func finish(into output: inout [UInt8]) {
        swap(&bytes, &output)
    }

    /// Writes `{`.
    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    /// Writes `}`.
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    /// Writes `[`.
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    /// Writes `]`.
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    /// Writes a key that needs no escaping; its value comes next.
    package mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a key of any bytes; its value comes next.
    package mutating func key(name: ByteString) {
        separate()
        GoJSON.appendString(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a string.
    package mutating func string(_ text: ByteString) {
        separate()
        GoJSON.appendString(text, to: &bytes)
    }

    /// Writes a string.
    package mutating func string(_ text: String) { string(ByteString(text)) }

    /// Writes a string that needs no escaping.
    package mutating func literal(_ text: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes an integer.
    package mutating func integer(_ value: UInt64) {
        separate()
        GoNumber.append(value, to: &bytes)
    }

    /// Writes an integer.
    package mutating func integer(_ value: UInt32) { integer(UInt64(value)) }

    /// Writes an integer.
    package mutating func integer(_ value: Int) {
        separate()
        GoNumber.append(Int64(value), to: &bytes)
    }

    /// Writes a number in Go's shortest form; infinities and not-a-number become `null`.
    package mutating func double(_ value: Double) {
        separate()
        GoNumber.append(value, to: &bytes)
    }

    /// Writes `true` or `false`.
    package mutating func bool(_ value: Bool) {
        separate()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// Writes `null`.
    package mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    /// Writes an ID as 64 hexadecimal digits.
    package mutating func digest(_ value: Digest) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        value.appendHex(to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes bytes as base64.
    package mutating func base64(_ value: [UInt8]) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        value.withUnsafeBytes { GoBase64.append($0, to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes a time (`RFC3339`).
    package mutating func time(_ value: ZonedTime) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        RFC3339.append(value, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes a value that is JSON in this dialect already.
    package mutating func raw(_ json: [UInt8]) {
        separate()
        bytes.append(contentsOf: json)
    }

    /// Writes an array of strings.
    package mutating func strings(_ values: [ByteString]) {
        beginArray()
        for value in values { string(value) }
        endArray()
    }

    @inline(__always)
    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func open(_ byte: UInt8) {
        separate()
        bytes.append(byte)
        needsComma = false
    }

    private mutating func close(_ byte: UInt8) {
        bytes.append(byte)
        needsComma = true
    }
}
