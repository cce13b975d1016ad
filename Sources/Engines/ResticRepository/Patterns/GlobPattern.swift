/// One component of a pattern: `*`, `?`, classes and escapes, as Go's `filepath.Match` reads them.
///
/// Both sides are bytes. What the pattern names is compared byte for byte; `?` and a class take one scalar of UTF-8, or
/// one byte where there is none, which counts as U+FFFD. `*` and `?` do not take a slash.
package struct GlobPattern: Sendable, Hashable {
    private enum Token: Sendable, Hashable {
        case byte(UInt8)
        case anyOne
        case anyRun
        case oneOf([ClosedRange<UInt32>], isNegated: Bool)
    }

    private static let slash = UInt8(ascii: "/")
    private static let replacement: UInt32 = 0xfffd

    private let tokens: [Token]

    /// Nil when the pattern is malformed: an open or empty class, a class with bytes that are not UTF-8, a lonely backslash.
    package init?(_ text: ArraySlice<UInt8>) {
        var rest = text
        var tokens: [Token] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"): if tokens.last != .anyRun { tokens.append(.anyRun) }
            case UInt8(ascii: "?"): tokens.append(.anyOne)
            case UInt8(ascii: "["):
                guard let token = Self.readClass(&rest) else { return nil }
                tokens.append(token)
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst() else { return nil }
                tokens.append(.byte(escaped))
            default: tokens.append(.byte(byte))
            }
        }
        self.tokens = tokens
    }

    private static func readClass(_ rest: inout ArraySlice<UInt8>) -> Token? {
        var ranges: [ClosedRange<UInt32>] = []
        let isNegated = rest.first == UInt8(ascii: "^")
        if isNegated { rest.removeFirst() }
        while true {
            if rest.first == UInt8(ascii: "]"), !ranges.isEmpty {
                rest.removeFirst()
                return .oneOf(ranges, isNegated: isNegated)
            }
            guard let low = readClassMember(&rest) else { return nil }
            var high = low
            if rest.first == UInt8(ascii: "-") {
                rest.removeFirst()
                guard let upper = readClassMember(&rest) else { return nil }
                high = upper
            }
            // An upside-down range matches nothing, and is no error in Go; an impossible scalar stands for it.
            ranges.append(low <= high ? low...high : UInt32.max...UInt32.max)
        }
    }

    private static func readClassMember(_ rest: inout ArraySlice<UInt8>) -> UInt32? {
        guard let first = rest.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "]") else { return nil }
        if first == UInt8(ascii: "\\") { rest.removeFirst() }
        let scalar = firstScalar(of: rest)
        if scalar.value == replacement, scalar.length <= 1 { return nil }
        rest = rest.dropFirst(scalar.length)
        return rest.isEmpty ? nil : scalar.value
    }

    /// True when the whole of `component` is what the pattern describes.
    ///
    /// Cost: at most pattern times text, because only the last `*` is ever retried (I-10).
    package func matches(_ component: ArraySlice<UInt8>) -> Bool {
        var position = component.startIndex
        var next = 0
        var retry: (token: Int, position: Int)?
        while next < tokens.count || position < component.endIndex {
            if next < tokens.count {
                if tokens[next] == .anyRun {
                    retry = (next + 1, position)
                    next += 1
                    continue
                }
                if let length = Self.length(of: tokens[next], in: component[position...]) {
                    position += length
                    next += 1
                    continue
                }
            }
            guard let back = retry, back.position < component.endIndex, component[back.position] != Self.slash else {
                return false
            }
            retry = (back.token, back.position + 1)
            position = back.position + 1
            next = back.token
        }
        return true
    }

    /// Bytes that the token takes from the start of the text; nil when it does not match there.
    private static func length(of token: Token, in text: ArraySlice<UInt8>) -> Int? {
        guard let first = text.first else { return nil }
        switch token {
        case .anyRun: return nil
        case .byte(let wanted): return first == wanted ? 1 : nil
        case .anyOne: return first == slash ? nil : firstScalar(of: text).length
        case .oneOf(let ranges, let isNegated):
            let scalar = firstScalar(of: text)
            return ranges.contains { $0.contains(scalar.value) } != isNegated ? scalar.length : nil
        }
    }

    private static func firstScalar(of bytes: ArraySlice<UInt8>) -> (value: UInt32, length: Int) {
        guard let first = bytes.first else { return (replacement, 0) }
        if first < 0x80 { return (UInt32(first), 1) }
        var decoder = UTF8()
        var iterator = bytes.prefix(4).makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return (replacement, 1) }
        return (scalar.value, UTF8.width(scalar))
    }
}
