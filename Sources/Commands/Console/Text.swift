package import Bytes

/// Bytes for a terminal, a pipe or a file, composed by interpolation; names that are not UTF-8 pass through unchanged.
package struct Text: Sendable, Hashable, ExpressibleByStringInterpolation {
    package var bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    package init(_ string: String) { bytes = Array(string.utf8) }

    package init(stringLiteral value: String) { bytes = Array(value.utf8) }

    package init(stringInterpolation: Interpolation) { bytes = stringInterpolation.bytes }

    /// Collects literals as UTF-8 and names as they are.
    package struct Interpolation: StringInterpolationProtocol {
        fileprivate var bytes: [UInt8] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            bytes.reserveCapacity(literalCapacity + interpolationCount * 16)
        }

        /// Appends what stands between the values.
        package mutating func appendLiteral(_ literal: String) { bytes.append(contentsOf: literal.utf8) }

        /// Appends a name as it is.
        package mutating func appendInterpolation(_ name: ByteString) { bytes.append(contentsOf: name.bytes) }

        /// Appends another text.
        package mutating func appendInterpolation(_ text: Text) { bytes.append(contentsOf: text.bytes) }

        /// Appends a string as UTF-8.
        package mutating func appendInterpolation(_ string: String) { bytes.append(contentsOf: string.utf8) }

        /// Appends what the value says of itself.
        package mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            bytes.append(contentsOf: value.description.utf8)
        }
    }

    package var isEmpty: Bool { bytes.isEmpty }

    /// The text as a string; bytes that are not UTF-8 become U+FFFD.
    package var string: String { String(decoding: bytes, as: UTF8.self) }

    package static func + (left: Text, right: Text) -> Text { Text(bytes: left.bytes + right.bytes) }

    package static func += (left: inout Text, right: Text) { left.bytes.append(contentsOf: right.bytes) }

    /// Blanks added on the right up to `width` bytes.
    package func padded(to width: Int) -> Text {
        bytes.count >= width ? self : Text(bytes: bytes + [UInt8](repeating: 0x20, count: width - bytes.count))
    }
}

extension Sequence where Element == Text {
    /// The texts with `separator` between them.
    package func joined(_ separator: Text) -> Text {
        var result = Text(bytes: [])
        var isFirst = true
        for element in self {
            if !isFirst { result += separator }
            result += element
            isFirst = false
        }
        return result
    }
}

extension Sequence where Element == ByteString {
    /// `[a b c]`, as Go prints a list.
    package var goList: Text { "[\(map { Text(bytes: $0.bytes) }.joined(" "))]" }
}
