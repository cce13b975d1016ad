/// What `utf8.DecodeRune` of Go calls an invalid sequence; the width is then 1.
let invalidScalar: UInt32 = .max

/// Decodes the scalar at `index` as Go does: shortest form only, no surrogates, at most U+10FFFF.
///
/// - Returns: the scalar and its width in bytes, or `invalidScalar` and 1.
@inline(__always)
func decodeScalar(_ bytes: UnsafeRawBufferPointer, at index: Int) -> (scalar: UInt32, width: Int) {
    let first = UInt32(bytes[index])
    if first < 0x80 { return (first, 1) }
    let left = bytes.count &- index
    guard first >= 0xc2, left >= 2 else { return (invalidScalar, 1) }
    let second = UInt32(bytes[index &+ 1])
    guard second & 0xc0 == 0x80 else { return (invalidScalar, 1) }
    if first < 0xe0 { return ((first & 0x1f) << 6 | second & 0x3f, 2) }
    guard left >= 3 else { return (invalidScalar, 1) }
    let third = UInt32(bytes[index &+ 2])
    guard third & 0xc0 == 0x80 else { return (invalidScalar, 1) }
    if first < 0xf0 {
        let scalar = (first & 0x0f) << 12 | (second & 0x3f) << 6 | third & 0x3f
        guard scalar >= 0x800, scalar & 0xf800 != 0xd800 else { return (invalidScalar, 1) }
        return (scalar, 3)
    }
    guard first < 0xf5, left >= 4 else { return (invalidScalar, 1) }
    let fourth = UInt32(bytes[index &+ 3])
    guard fourth & 0xc0 == 0x80 else { return (invalidScalar, 1) }
    let scalar = (first & 0x07) << 18 | (second & 0x3f) << 12 | (third & 0x3f) << 6 | fourth & 0x3f
    guard scalar >= 0x1_0000, scalar <= 0x10_ffff else { return (invalidScalar, 1) }
    return (scalar, 4)
}

/// Appends a scalar as UTF-8; surrogates and values beyond U+10FFFF become U+FFFD.
func appendScalar(_ value: UInt32, to output: inout [UInt8]) {
    let scalar = value > 0x10_ffff || value & 0xffff_f800 == 0xd800 ? 0xfffd : value
    if scalar < 0x80 {
        output.append(UInt8(scalar))
    } else if scalar < 0x800 {
        output.append(UInt8(0xc0 | scalar >> 6))
        output.append(UInt8(0x80 | scalar & 0x3f))
    } else if scalar < 0x1_0000 {
        output.append(UInt8(0xe0 | scalar >> 12))
        output.append(UInt8(0x80 | scalar >> 6 & 0x3f))
        output.append(UInt8(0x80 | scalar & 0x3f))
    } else {
        output.append(UInt8(0xf0 | scalar >> 18))
        output.append(UInt8(0x80 | scalar >> 12 & 0x3f))
        output.append(UInt8(0x80 | scalar >> 6 & 0x3f))
        output.append(UInt8(0x80 | scalar & 0x3f))
    }
}

/// Whether all bytes are UTF-8 in Go's sense.
func isValidUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var index = 0
    while index < bytes.count {
        let (scalar, width) = decodeScalar(bytes, at: index)
        if scalar == invalidScalar { return false }
        index &+= width
    }
    return true
}

/// Lends an array's bytes with a typed error.
@inline(__always)
func lend<R, E: Error>(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    try bytes.withUnsafeBufferPointer { buffer throws(E) in try body(UnsafeRawBufferPointer(buffer)) }
}

/// The decimal or hexadecimal value of a hexadecimal digit of either case, or nil.
@inline(__always)
func hexDigitValue(_ digit: UInt8) -> UInt32? {
    switch digit {
    case 0x30...0x39: UInt32(digit &- 0x30)
    case 0x61...0x66: UInt32(digit &- 0x57)
    case 0x41...0x46: UInt32(digit &- 0x37)
    default: nil
    }
}

/// Appends `count` lower-case hexadecimal digits of `value`, the most significant first.
func appendHexDigits(_ value: UInt32, count: Int, to output: inout [UInt8]) {
    var shift = count &* 4
    while shift > 0 {
        shift &-= 4
        let nibble = UInt8(truncatingIfNeeded: value >> UInt32(shift)) & 15
        output.append(nibble < 10 ? 0x30 &+ nibble : 0x57 &+ nibble)
    }
}
