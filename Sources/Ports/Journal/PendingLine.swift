/// One line of the emergency file: a flat JSON array of texts, whole numbers and nulls.
///
/// `["run","01c4…","docker-srv","run",1795328461000000000,null,"running","schedule","","4711 …"]`
enum PendingLine {
    /// The line without its end; control characters are escaped, so that no value can end it (M-09).
    static func encode(_ values: [JournalValue]) -> [UInt8] {
        var line: [UInt8] = [0x5b]
        for (index, value) in values.enumerated() {
            if index > 0 { line.append(0x2c) }
            switch value {
            case .null: line += Array("null".utf8)
            case .integer(let number): line += Array(String(number).utf8)
            case .text(let text): append(text, to: &line)
            }
        }
        line.append(0x5d)
        return line
    }

    private static func append(_ text: String, to line: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        line.append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0x22, 0x5c: line += [0x5c, byte]
            case 0..<0x20, 0x7f: line += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: line.append(byte)
            }
        }
        line.append(0x22)
    }

    /// The values, or nil for anything but what `encode` writes.
    static func decode(_ line: ArraySlice<UInt8>) -> [JournalValue]? {
        guard line.first == 0x5b, line.last == 0x5d, line.count >= 2 else { return nil }
        var rest = line.dropFirst().dropLast()
        var values: [JournalValue] = []
        while true {
            guard let value = nextValue(&rest) else { return nil }
            values.append(value)
            guard let separator = rest.popFirst() else { return values }
            guard separator == 0x2c else { return nil }
        }
    }

    private static func nextValue(_ rest: inout ArraySlice<UInt8>) -> JournalValue? {
        if rest.first == 0x22 {
            rest.removeFirst()
            return text(&rest).map { .text($0) }
        }
        let word = rest.prefix { $0 != 0x2c }
        rest = rest[word.endIndex...]
        if word.elementsEqual("null".utf8) { return .null }
        return Int64(String(decoding: word, as: UTF8.self)).map { .integer($0) }
    }

    private static func text(_ rest: inout ArraySlice<UInt8>) -> String? {
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == 0x22 { return String(validating: bytes, as: UTF8.self) }
            guard byte == 0x5c else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case .some(let escaped) where escaped == 0x22 || escaped == 0x5c: bytes.append(escaped)
            case 0x75:
                guard rest.count >= 4,
                    let code = UInt8(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16), code < 0x80
                else { return nil }
                bytes.append(code)
                rest = rest.dropFirst(4)
            default: return nil
            }
        }
        return nil
    }
}
