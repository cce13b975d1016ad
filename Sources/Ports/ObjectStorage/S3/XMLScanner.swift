/// Reads the small XML of object stores step by step: elements, text, the five named entities and numbers.
///
/// 1. No document type and no entity but those: there is nothing to expand (E-16). 2. Depth is bounded; nothing recurses. 3. Names are
/// compared without their prefix. 4. `finish` of the outermost element is seen, or it fails: what was cut short is no answer (E-05).
struct XMLScanner {
    enum Event: Equatable {
        /// An element begins; its name without prefix.
        case open(String)
        /// The innermost element ends.
        case close
        /// Its text, with entities resolved.
        case text([UInt8])
    }

    /// Why it is no XML that is read here.
    struct Trouble: Error, Equatable {
        var offset: Int
    }

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    private var isEnded = false
    /// An element written as `<a/>` still has to be closed.
    private var closesNext = false

    private static let depthMax = 16

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next event; nil behind the outermost element.
    mutating func next() throws(Trouble) -> Event? {
        if closesNext {
            closesNext = false
            return try close()
        }
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "<") else {
                let text = try text()
                if depth > 0 { return .text(text) }
                guard text.allSatisfy({ $0 <= 0x20 || $0 >= 0x80 }) else { throw trouble }
                continue
            }
            if has("<?") {
                try skip(behind: "?>")
            } else if has("<!--") {
                try skip(behind: "-->")
            } else {
                guard !has("<!") else { throw trouble }
                return has("</") ? try closing() : try opening()
            }
        }
        guard isEnded else { throw trouble }
        return nil
    }

    private var trouble: Trouble { Trouble(offset: position) }

    private func has(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        return (0..<count).allSatisfy { bytes[position + $0] == text.utf8Start[$0] }
    }

    private mutating func skip(behind end: StaticString) throws(Trouble) {
        while position < bytes.count {
            if has(end) {
                position += end.utf8CodeUnitCount
                return
            }
            position += 1
        }
        throw trouble
    }

    private mutating func opening() throws(Trouble) -> Event {
        guard !isEnded, depth < Self.depthMax else { throw trouble }
        position += 1
        let name = name()
        guard !name.isEmpty else { throw trouble }
        // Attributes mean nothing here; a `>` within their quotes is none.
        var quote: UInt8?
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if let open = quote {
                if byte == open { quote = nil }
                continue
            }
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") { quote = byte }
            guard byte == UInt8(ascii: ">") else { continue }
            depth += 1
            closesNext = bytes[position - 2] == UInt8(ascii: "/")
            return .open(name)
        }
        throw trouble
    }

    private mutating func closing() throws(Trouble) -> Event {
        guard depth > 0 else { throw trouble }
        try skip(behind: ">")
        return try close()
    }

    private mutating func close() throws(Trouble) -> Event {
        depth -= 1
        if depth == 0 { isEnded = true }
        return .close
    }

    private mutating func name() -> String {
        let start = position
        while position < bytes.count, bytes[position] > 0x20, bytes[position] != UInt8(ascii: ">"),
            bytes[position] != UInt8(ascii: "/")
        { position += 1 }
        let name = bytes[start..<position]
        let local = name.lastIndex(of: UInt8(ascii: ":")).map { name[($0 + 1)...] } ?? name
        return String(decoding: local, as: UTF8.self)
    }

    private mutating func text() throws(Trouble) -> [UInt8] {
        var text: [UInt8] = []
        while position < bytes.count, bytes[position] != UInt8(ascii: "<") {
            let byte = bytes[position]
            if byte == UInt8(ascii: "&") {
                try text += entity()
            } else {
                text.append(byte)
                position += 1
            }
        }
        return text
    }

    private mutating func entity() throws(Trouble) -> [UInt8] {
        let known: [(StaticString, Character)] = [
            ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"),
        ]
        for (name, sign) in known where has(name) {
            position += name.utf8CodeUnitCount
            return Array(String(sign).utf8)
        }
        let end = bytes[position...].prefix(12).firstIndex(of: UInt8(ascii: ";"))
        guard has("&#"), let end else { throw trouble }
        let digits = String(decoding: bytes[(position + 2)..<end], as: UTF8.self)
        let number = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        guard let scalar = number.flatMap(Unicode.Scalar.init) else { throw trouble }
        position = end + 1
        return Array(String(scalar).utf8)
    }
}
