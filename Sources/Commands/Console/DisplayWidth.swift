package import Bytes
import ResticFormat

/// Terminal cells that the bytes take, read as UTF-8.
package func displayColumns(_ bytes: some Collection<UInt8>) -> Int {
    if bytes.allSatisfy({ $0 < 0x80 }) { return bytes.count }
    return String(decoding: Array(bytes), as: UTF8.self).unicodeScalars.reduce(0) { $0 + columns($1) }
}

/// The longest start of the bytes that fits into `limit` cells; characters of unclear width count as wide.
package func truncated(_ bytes: [UInt8], toColumns limit: Int) -> [UInt8] {
    guard limit > 0 else { return [] }
    if bytes.count < limit { return bytes }
    var used = 0
    var kept: [UInt8] = []
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
        used += scalar.isASCII ? 1 : max(1, columns(scalar))
        if used > limit { break }
        kept.append(contentsOf: Array(UTF8.encode(scalar) ?? .init()))
    }
    return kept
}

/// The name itself when it is harmless, else quoted: control characters and broken UTF-8 never reach a terminal (G-08, T5).
package func quotedForDisplay(_ name: ByteString) -> ByteString {
    GoQuote.forTerminal(name)
}

/// The name in double quotes, escaped as Go's `strconv.Quote` does.
package func quoted(_ name: ByteString) -> Text {
    Text(bytes: [0x22] + GoQuote.quote(name) + [0x22])
}

/// 2 for East Asian wide and full-width characters, 0 for marks that combine, else 1.
private func columns(_ scalar: Unicode.Scalar) -> Int {
    if scalar.isASCII { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115f, 0x231a...0x231b, 0x2329...0x232a, 0x23e9...0x23ec, 0x25fd...0x25fe, 0x2614...0x2615,
        0x2648...0x2653, 0x26aa...0x26ab, 0x26bd...0x26be, 0x26c4...0x26c5, 0x2705, 0x270a...0x270b, 0x2728, 0x274c,
        0x2753...0x2755, 0x2795...0x2797, 0x2b1b...0x2b1c, 0x2b50, 0x2b55, 0x2e80...0x303e, 0x3041...0x33ff,
        0x3400...0x4dbf, 0x4e00...0x9fff, 0xa000...0xa4cf, 0xa960...0xa97c, 0xac00...0xd7a3, 0xf900...0xfaff,
        0xfe10...0xfe19, 0xfe30...0xfe6b, 0xff01...0xff60, 0xffe0...0xffe6, 0x16fe0...0x18cff, 0x1b000...0x1b2ff,
        0x1f004, 0x1f0cf, 0x1f18e, 0x1f191...0x1f19a, 0x1f200...0x1f320, 0x1f32d...0x1f335, 0x1f337...0x1f37c,
        0x1f37e...0x1f393, 0x1f3a0...0x1f3ca, 0x1f3e0...0x1f3f0, 0x1f3f4, 0x1f3f8...0x1f43e, 0x1f440,
        0x1f442...0x1f4fc, 0x1f4ff...0x1f53d, 0x1f54b...0x1f567, 0x1f595...0x1f596, 0x1f5a4, 0x1f5fb...0x1f64f,
        0x1f680...0x1f6c5, 0x1f6cc, 0x1f6d0...0x1f6d2, 0x1f6eb...0x1f6ec, 0x1f6f4...0x1f6fc, 0x1f7e0...0x1f7eb,
        0x1f90c...0x1f9ff, 0x1fa70...0x1faff, 0x20000...0x3fffd:
        return 2
    default: return 1
    }
}
