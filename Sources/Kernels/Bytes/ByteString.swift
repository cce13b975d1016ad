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

    /// The text for a terminal: invalid UTF-8 and control characters as `\xNN`.
    package var display: String {
        var output = ""
        for character in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if character.value < 0x20 || (0x7f...0x9f).contains(character.value) {
                output += "\\x" + (character.value < 16 ? "0" : "") + String(character.value, radix: 16)
            } else {
                output.unicodeScalars.append(character)
            }
        }
        return output
    }

    package var description: String { display }
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
