/// Reads a schedule's text byte by byte and knows the column of each, for messages.
struct ScheduleScanner {
    private let bytes: [UInt8]
    private(set) var position: Int
    /// Where the part that is read ends.
    private let end: Int

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// The words between spaces and tabs.
    static func words(of bytes: [UInt8]) -> [Range<Int>] {
        var words: [Range<Int>] = []
        var start: Int?
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
                if let from = start { words.append(from..<index) }
                start = nil
            } else if start == nil {
                start = index
            }
        }
        if let from = start { words.append(from..<bytes.count) }
        return words
    }

    var isAtEnd: Bool { position == end }

    var peek: UInt8? { isAtEnd ? nil : bytes[position] }

    mutating func take(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard length <= end - position else { return false }
        let isThere = text.withUTF8Buffer { $0.elementsEqual(bytes[position..<(position + length)]) }
        if isThere { position += length }
        return isThere
    }

    /// Takes ASCII letters, and returns them in small ones; may be empty.
    mutating func letters() -> String {
        let start = position
        while let byte = peek, byte.isASCIILetter { position += 1 }
        return String(decoding: bytes[start..<position].map { $0 | 0x20 }, as: UTF8.self)
    }

    /// Takes a number of that unit; zeros before it do not count.
    mutating func number(_ unit: CalendarUnit) throws(ScheduleError) -> Int {
        let start = position
        guard let value = digits() else { throw expects(unit.one, "write a number of \(span(unit.range))") }
        let whole = unit == .year && value < 100 ? value + (value < 70 ? 2000 : 1900) : value
        guard unit.range.contains(whole) else {
            throw problem(.outOfRange, at: start, "\(value) is no \(unit.name)", "write \(span(unit.range))")
        }
        return whole
    }

    /// Takes the number after a slash.
    mutating func step(_ unit: CalendarUnit) throws(ScheduleError) -> Int {
        let start = position
        let range = 1...unit.range.upperBound
        guard let value = digits() else { throw expects("a step", "write a number of \(span(range))") }
        guard range.contains(value) else {
            throw problem(.outOfRange, at: start, "\(value) is no step of \(unit.name)s", "write \(span(range))")
        }
        return value
    }

    private mutating func digits() -> Int? {
        let start = position
        var value = 0
        while let byte = peek, byte.isASCIIDigit {
            value = min(value * 10 + Int(byte - UInt8(ascii: "0")), 1_000_000)
            position += 1
        }
        return position == start ? nil : value
    }

    private func span(_ range: ClosedRange<Int>) -> String { "\(range.lowerBound) to \(range.upperBound)" }

    // MARK: Messages

    func problem(_ kind: ScheduleError.Kind, at place: Int, _ what: String, _ next: String) -> ScheduleError {
        ScheduleError(kind, column: place + 1, what: what, next: next)
    }

    /// What is there instead of something.
    func expects(_ wanted: String, _ next: String) -> ScheduleError {
        if isAtEnd { return problem(.unexpected, at: position, "\(wanted) is missing", next) }
        return problem(.unexpected, at: position, "\"\(rest)\" stands where \(wanted) should", next)
    }

    /// What is left, printable and at most 32 bytes of it.
    var rest: String { ScheduleScanner.printable(bytes[position..<end]) }

    static func printable(_ bytes: ArraySlice<UInt8>) -> String {
        let shown = bytes.prefix(32).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
        return String(decoding: shown, as: UTF8.self) + (bytes.count > 32 ? "…" : "")
    }
}
