/// Text as the operating system has it: any bytes, usually UTF-8, never guaranteed to be (file names, paths, link targets, host names).
///
/// Ordered by unsigned bytes, as restic orders names. Cost: one array; comparing and hashing run over words, not characters.
package struct ByteString: Sendable, Hashable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The bytes as they are.
    package var bytes: [UInt8]

    /// Takes the bytes as they are.
    @inlinable
    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Copies the bytes of a slice or another collection.
    package init(copying bytes: some Collection<UInt8>) { self.bytes = Array(bytes) }

    /// The UTF-8 bytes of a string.
    package init(_ string: String) { bytes = Array(string.utf8) }

    /// The UTF-8 bytes of a literal.
    package init(stringLiteral value: String) { bytes = Array(value.utf8) }

    /// The string of no bytes.
    @inlinable
    package init() { bytes = [] }

    /// Length in bytes.
    @inlinable
    package var count: Int { bytes.count }

    /// True for the string of no bytes.
    @inlinable
    package var isEmpty: Bool { bytes.isEmpty }

    /// The text when the bytes are UTF-8, nil otherwise.
    package var utf8String: String? { String(validating: bytes, as: UTF8.self) }

    /// The text with U+FFFD in place of what is not UTF-8; loses the difference, so only for looking at.
    package var lossyString: String { String(decoding: bytes, as: UTF8.self) }

    /// The text for a terminal or a log line: unchanged when every character prints, otherwise quoted with `\x1b`-like escapes,
    /// so that a hostile name can neither move the cursor nor reverse the line.
    package var display: String {
        guard let text = utf8String, text.unicodeScalars.allSatisfy(isPlain) else { return quotedForDisplay }
        return text
    }

    /// The same as `display`.
    package var description: String { display }

    /// True when the first bytes are those of `prefix`.
    package func hasPrefix(_ prefix: ByteString) -> Bool { bytes.starts(with: prefix.bytes) }

    /// This path with `/` and a component behind it; no second slash after a trailing one, and none behind an empty path.
    package func appending(component: ByteString) -> ByteString {
        guard let last = bytes.last else { return component }
        var joined: [UInt8] = []
        joined.reserveCapacity(bytes.count + component.bytes.count + 1)
        joined.append(contentsOf: bytes)
        if last != UInt8(ascii: "/") { joined.append(UInt8(ascii: "/")) }
        joined.append(contentsOf: component.bytes)
        return ByteString(joined)
    }

    /// Both one behind the other.
    package static func + (left: ByteString, right: ByteString) -> ByteString { ByteString(left.bytes + right.bytes) }

    package static func < (left: ByteString, right: ByteString) -> Bool {
        left.bytes.withUnsafeBytes { a in right.bytes.withUnsafeBytes { b in comesBefore(a, b) } }
    }

    package static func == (left: ByteString, right: ByteString) -> Bool { left.bytes == right.bytes }

    package func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        hasher.combine(UInt8(0xff))
    }

    private var quotedForDisplay: String {
        var text = "\""
        var rest = bytes[...]
        while let first = rest.first {
            guard let scalar = firstScalar(of: rest) else {
                text += "\\x" + twoDigits(first)
                rest = rest.dropFirst()
                continue
            }
            rest = rest.dropFirst(UTF8.width(scalar))
            if scalar == "\"" || scalar == "\\" {
                text += "\\"
                text.unicodeScalars.append(scalar)
            } else if isPlain(scalar) {
                text.unicodeScalars.append(scalar)
            } else if scalar.value < 0x80 {
                text += "\\x" + twoDigits(UInt8(scalar.value))
            } else {
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return text + "\""
    }
}

/// Whether a scalar can be shown as it is: not a control, not a format character (bidirectional overrides), not a lone separator.
private func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x7f { return scalar.value >= 0x20 }
    return switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    default: true
    }
}

private func firstScalar(of bytes: ArraySlice<UInt8>) -> Unicode.Scalar? {
    var decoder = UTF8()
    var iterator = bytes.prefix(4).makeIterator()
    guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return nil }
    return scalar
}

private func twoDigits(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return digits.count == 1 ? "0" + digits : digits
}

private func comesBefore(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    let shared = min(a.count, b.count)
    var position = 0
    while position &+ 8 <= shared {
        let left = UInt64(bigEndian: a.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        let right = UInt64(bigEndian: b.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        if left != right { return left < right }
        position &+= 8
    }
    while position < shared {
        if a[position] != b[position] { return a[position] < b[position] }
        position &+= 1
    }
    return a.count < b.count
}
