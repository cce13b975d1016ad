/// Bytes as a text and back, for what takes texts alone, such as a parser of arguments.
///
/// What is UTF-8 stays as it is. A byte that is no part of it is the scalar U+10FF00 + byte, of the last private plane; so is each byte of
/// a scalar from U+10FF80 to U+10FFFF, so that every text comes from one string of bytes alone.
extension ByteString {
    private static let escapes: ClosedRange<UInt32> = 0x10ff80...0x10ffff

    /// The bytes as a text that `init(escapedText:)` takes back.
    package var escapedText: String {
        guard String(validating: bytes, as: UTF8.self).map(Self.holdsEscapes) ?? true else {
            return String(decoding: bytes, as: UTF8.self)
        }
        var text = String.UnicodeScalarView()
        var rest = bytes[...]
        while let first = rest.first {
            if let scalar = firstScalar(of: rest), !Self.escapes.contains(scalar.value) {
                text.append(scalar)
                rest = rest.dropFirst(UTF8.width(scalar))
            } else {
                if let scalar = Unicode.Scalar(0x10ff00 + UInt32(first)) { text.append(scalar) }
                rest = rest.dropFirst()
            }
        }
        return String(text)
    }

    package init(escapedText text: String) {
        guard Self.holdsEscapes(text) else {
            self.init(text)
            return
        }
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            if Self.escapes.contains(scalar.value) {
                bytes.append(UInt8(truncatingIfNeeded: scalar.value))
            } else {
                bytes += Array(String(scalar).utf8)
            }
        }
        self.init(bytes)
    }

    /// Whether the text stands for bytes that are not UTF-8, or may not be shown as it is.
    package static func holdsEscapes(_ text: String) -> Bool {
        text.unicodeScalars.contains { escapes.contains($0.value) }
    }
}
