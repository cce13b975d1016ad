package import Bytes
import ResticFormat

/// One JSON object on one line, its fields in the order of the calls, byte for byte as Go's encoder writes it.
///
/// Strings: `<`, `>`, `&`, U+2028 and U+2029 are escaped; bytes that are not UTF-8 become `\ufffd`.
package struct JSONLine: Sendable {
    private var bytes: [UInt8] = [0x7b]

    package init() {}

    /// Starts with `message_type`, as nearly every line of restic does.
    package init(messageType: String) {
        self.init()
        add("message_type", messageType)
    }

    /// A string.
    package mutating func add(_ key: StaticString, _ value: String) { addString(key, value.utf8) }

    /// A name; what is not UTF-8 in it becomes U+FFFD.
    package mutating func add(_ key: StaticString, _ value: ByteString) { addString(key, value.bytes) }

    /// A message.
    package mutating func add(_ key: StaticString, _ value: Text) { addString(key, value.bytes) }

    /// A whole number.
    package mutating func add(_ key: StaticString, _ value: some BinaryInteger) {
        addKey(key)
        bytes.append(contentsOf: String(value).utf8)
    }

    /// `true` or `false`.
    package mutating func add(_ key: StaticString, _ value: Bool) {
        addKey(key)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// A number in its shortest digits.
    package mutating func add(_ key: StaticString, _ value: Double) {
        addKey(key)
        appendJSONNumber(value, to: &bytes)
    }

    /// A list of strings, or `null`.
    package mutating func add(_ key: StaticString, _ values: [ByteString]?) {
        addKey(key)
        guard let values else { return bytes.append(contentsOf: "null".utf8) }
        bytes.append(0x5b)
        for (number, value) in values.enumerated() {
            if number > 0 { bytes.append(0x2c) }
            GoJSON.appendString(value, to: &bytes)
        }
        bytes.append(0x5d)
    }

    /// A time as Go writes it.
    package mutating func add(_ key: StaticString, _ time: ZonedTime) {
        addKey(key)
        bytes.append(0x22)
        RFC3339.append(time, to: &bytes)
        bytes.append(0x22)
    }

    /// A value that is JSON already.
    package mutating func add(_ key: StaticString, json: [UInt8]) {
        addKey(key)
        bytes.append(contentsOf: json)
    }

    /// A whole number, left out when it is 0.
    package mutating func addUnlessZero(_ key: StaticString, _ value: some BinaryInteger) {
        if value != 0 { add(key, value) }
    }

    /// The fields of an object that is JSON already, in place of its braces.
    package mutating func addFields(of object: [UInt8]) {
        guard object.count > 2, object.first == 0x7b, object.last == 0x7d else { return }
        separate()
        bytes.append(contentsOf: object[1..<(object.count - 1)])
    }

    /// The object, without a line break.
    package var object: [UInt8] { bytes + [0x7d] }

    /// The object as a line of text.
    package var text: Text { Text(bytes: object) }

    private mutating func addString(_ key: StaticString, _ value: some Collection<UInt8>) {
        addKey(key)
        GoJSON.appendString(ByteString(Array(value)), to: &bytes)
    }

    private mutating func addKey(_ key: StaticString) {
        separate()
        bytes.append(0x22)
        key.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: [0x22, 0x3a])
    }

    private mutating func separate() {
        if bytes.count > 1 { bytes.append(0x2c) }
    }
}

/// Appends a number as Go's encoder writes it: shortest digits, exponent form below 1e-6 and from 1e21 on.
package func appendJSONNumber(_ value: Double, to output: inout [UInt8]) {
    guard value.isFinite, value != 0 else { return output.append(0x30) }
    let (digits, exponent) = shortestDigits(value.magnitude)
    if value < 0 { output.append(0x2d) }
    if value.magnitude < 1e-6 || value.magnitude >= 1e21 {
        output.append(digits[0])
        if digits.count > 1 {
            output.append(0x2e)
            output.append(contentsOf: digits[1...])
        }
        let power = exponent - 1
        output.append(contentsOf: "e\(power < 0 ? "-" : "+")\(power.magnitude)".utf8)
    } else if exponent <= 0 {
        output.append(contentsOf: "0.".utf8)
        output.append(contentsOf: [UInt8](repeating: 0x30, count: -exponent))
        output.append(contentsOf: digits)
    } else if digits.count <= exponent {
        output.append(contentsOf: digits)
        output.append(contentsOf: [UInt8](repeating: 0x30, count: exponent - digits.count))
    } else {
        output.append(contentsOf: digits[..<exponent])
        output.append(0x2e)
        output.append(contentsOf: digits[exponent...])
    }
}

/// The shortest decimal digits that read back as `value`, and where the point stands: value = 0.digits * 10^exponent.
private func shortestDigits(_ value: Double) -> (digits: [UInt8], exponent: Int) {
    var digits: [UInt8] = []
    var pointAt: Int?
    var power = 0
    let text = Array(value.description.utf8)
    var index = 0
    while index < text.count, text[index] != 0x65 {
        if text[index] == 0x2e { pointAt = digits.count } else { digits.append(text[index]) }
        index += 1
    }
    if index < text.count { power = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0 }
    var exponent = (pointAt ?? digits.count) + power
    while digits.count > 1, digits.first == 0x30 {
        digits.removeFirst()
        exponent -= 1
    }
    while digits.count > 1, digits.last == 0x30 { digits.removeLast() }
    return (digits, exponent)
}
