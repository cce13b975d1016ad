/// Numbers as Go's `encoding/json` writes them.
enum GoNumber {
    /// Appends decimal digits.
    static func append(_ value: UInt64, to output: inout [UInt8]) {
        if value < 10 {
            output.append(0x30 &+ UInt8(truncatingIfNeeded: value))
            return
        }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var rest = value
            var start = 20
            while rest != 0 {
                start &-= 1
                digits[start] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            output.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start..<20]))
        }
    }

    /// Appends decimal digits with a sign where negative.
    static func append(_ value: Int64, to output: inout [UInt8]) {
        if value < 0 { output.append(UInt8(ascii: "-")) }
        append(value.magnitude, to: &output)
    }

    /// Appends the shortest digits that read back as the same value, with an exponent only below 1e-6 and from 1e21.
    ///
    /// What JSON cannot say (infinity, not a number) becomes `null`; Go refuses to write those.
    static func append(_ value: Double, to output: inout [UInt8]) {
        guard value.isFinite else {
            output.append(contentsOf: "null".utf8)
            return
        }
        if value.sign == .minus { output.append(UInt8(ascii: "-")) }
        let size = value.magnitude
        guard size != 0 else {
            output.append(UInt8(ascii: "0"))
            return
        }
        let (digits, point) = shortestDigits(size)
        if size < 1e-6 || size >= 1e21 {
            appendExponentForm(digits, exponent: point - 1, to: &output)
        } else {
            appendPlainForm(digits, point: point, to: &output)
        }
    }

    /// Significant digits without zeros at either end, and the position of the decimal point counted from the first of them.
    private static func shortestDigits(_ value: Double) -> (digits: [UInt8], point: Int) {
        var digits: [UInt8] = []
        var point: Int?
        var exponent = 0
        var text = Array(value.description.utf8)[...]
        if let mark = text.firstIndex(of: UInt8(ascii: "e")) {
            exponent = Int(String(decoding: text[(mark + 1)...], as: UTF8.self)) ?? 0
            text = text[..<mark]
        }
        for byte in text {
            if byte == UInt8(ascii: ".") { point = digits.count } else { digits.append(byte) }
        }
        var position = (point ?? digits.count) + exponent
        while digits.last == 0x30 { digits.removeLast() }
        let zeros = digits.prefix { $0 == 0x30 }.count
        digits.removeFirst(zeros)
        position -= zeros
        return (digits, position)
    }

    private static func appendPlainForm(_ digits: [UInt8], point: Int, to output: inout [UInt8]) {
        if point <= 0 {
            output.append(contentsOf: "0.".utf8)
            output.append(contentsOf: repeatElement(0x30, count: -point))
            output.append(contentsOf: digits)
        } else if point >= digits.count {
            output.append(contentsOf: digits)
            output.append(contentsOf: repeatElement(0x30, count: point - digits.count))
        } else {
            output.append(contentsOf: digits[..<point])
            output.append(UInt8(ascii: "."))
            output.append(contentsOf: digits[point...])
        }
    }

    private static func appendExponentForm(_ digits: [UInt8], exponent: Int, to output: inout [UInt8]) {
        output.append(digits[0])
        if digits.count > 1 {
            output.append(UInt8(ascii: "."))
            output.append(contentsOf: digits[1...])
        }
        output.append(UInt8(ascii: "e"))
        output.append(exponent < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        append(UInt64(exponent.magnitude), to: &output)
    }
}
