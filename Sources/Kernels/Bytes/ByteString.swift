/// Bytes of a name, a path or another text of the operating system, which need not be UTF-8.
package struct ByteString: Sendable, Hashable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The bytes as they are.
    package var bytes: [UInt8]

    /// Takes the bytes as they are.
    @inlinable
    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The string of no bytes.
    @inlinable
    package init() { bytes = [] }

    package init(_ string: String) { bytes = Array(string.utf8) }

    package init(stringLiteral value: String) { bytes = Array(value.utf8) }

    /// Length in bytes.
    @inlinable
    package var count: Int { bytes.count }

    /// True for the string of no bytes.
    @inlinable
    package var isEmpty: Bool { bytes.isEmpty }

    /// Ordered by unsigned bytes, as restic orders names.
    package static func < (left: ByteString, right: ByteString) -> Bool {
        left.bytes.withUnsafeBytes { a in right.bytes.withUnsafeBytes { b in comesBefore(a, b) } }
    }

    /// The text for a terminal: what is not UTF-8 and what is a control as `\xNN`, and what turns or hides text (format
    /// characters, separators of lines, code points without a character) as `\u{NNNN}`.
    ///
    /// No name can move the cursor or reverse the line.
    package var display: String {
        if bytes.allSatisfy({ 0x20 <= $0 && $0 < 0x7f }) { return String(decoding: bytes, as: UTF8.self) }
        var text = ""
        var rest = bytes[...]
        while let first = rest.first {
            guard let scalar = firstScalar(of: rest) else {
                text += "\\x" + twoDigits(first)
                rest = rest.dropFirst()
                continue
            }
            rest = rest.dropFirst(UTF8.width(scalar))
            if isPlain(scalar) {
                text.unicodeScalars.append(scalar)
            } else if scalar.value < 0xa0 {
                text += "\\x" + twoDigits(UInt8(scalar.value))
            } else {
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return text
    }

    package var description: String { display }
}

/// Whether a scalar can be shown as it is.
private func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x7f { return scalar.value >= 0x20 }
    return switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    default: true
    }
}

func firstScalar(of bytes: ArraySlice<UInt8>) -> Unicode.Scalar? {
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
