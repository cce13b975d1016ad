import Bytes

/// The text of a file in UTF-8: a byte order mark is dropped, UTF-16 is converted, anything else is taken as it is.
package func decodedText(_ bytes: [UInt8]) -> [UInt8] {
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { return Array(bytes[3...]) }
    let isBigEndian = bytes.starts(with: [0xfe, 0xff])
    guard isBigEndian || bytes.starts(with: [0xff, 0xfe]) else { return bytes }
    var units: [UInt16] = []
    units.reserveCapacity(bytes.count / 2)
    var index = 2
    while index + 1 < bytes.count {
        let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
        units.append(isBigEndian ? first << 8 | second : second << 8 | first)
        index += 2
    }
    // Half a unit at the end, and lone surrogates, become U+FFFD.
    let tail: [UInt8] = index < bytes.count ? [0xef, 0xbf, 0xbd] : []
    return Array(String(decoding: units, as: UTF16.self).utf8) + tail
}

/// The lines of a text, without `\n` and a `\r` before it.
func lines(of text: [UInt8]) -> [ByteString] {
    var result: [ByteString] = []
    var start = 0
    while start < text.count {
        let end = text[start...].firstIndex(of: 0x0a) ?? text.count
        var line = text[start..<end]
        if line.last == 0x0d { line.removeLast() }
        result.append(ByteString(Array(line)))
        start = end + 1
    }
    return result
}

extension ByteString {
    /// Without white space at both ends, as Unicode and Go see it.
    var trimmed: ByteString {
        var bytes = self.bytes[...]
        while let count = leadingSpace(bytes) { bytes = bytes.dropFirst(count) }
        while let count = trailingSpace(bytes) { bytes = bytes.dropLast(count) }
        return ByteString(Array(bytes))
    }

    func hasPrefix(_ prefix: String) -> Bool { bytes.starts(with: prefix.utf8) }

    /// The parts between the separators, empty ones included.
    func split(_ separator: UInt8) -> [ByteString] {
        bytes.split(separator: separator, omittingEmptySubsequences: false).map { ByteString(Array($0)) }
    }

    /// What stands before and after the first separator; nil when there is none.
    func cut(_ separator: UInt8) -> (before: ByteString, after: ByteString)? {
        guard let index = bytes.firstIndex(of: separator) else { return nil }
        return (ByteString(Array(bytes[..<index])), ByteString(Array(bytes[(index + 1)...])))
    }

    var isEmpty: Bool { bytes.isEmpty }
}

private let wideSpaces: [[UInt8]] =
    [
        [0xc2, 0x85], [0xc2, 0xa0], [0xe1, 0x9a, 0x80], [0xe2, 0x80, 0xa8], [0xe2, 0x80, 0xa9], [0xe2, 0x80, 0xaf],
        [0xe2, 0x81, 0x9f], [0xe3, 0x80, 0x80],
    ] + (UInt8(0x80)...0x8a).map { [0xe2, 0x80, $0] }

private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

private func leadingSpace(_ bytes: ArraySlice<UInt8>) -> Int? {
    guard let first = bytes.first else { return nil }
    if isSpace(first) { return 1 }
    return first < 0x80 ? nil : wideSpaces.first { bytes.starts(with: $0) }?.count
}

private func trailingSpace(_ bytes: ArraySlice<UInt8>) -> Int? {
    guard let last = bytes.last else { return nil }
    if isSpace(last) { return 1 }
    return last < 0x80 ? nil : wideSpaces.first { bytes.suffix($0.count).elementsEqual($0) }?.count
}
