import Bytes

/// One component of a pattern: `*`, `?`, classes and escapes, as Go's `filepath.Match` reads them.
struct GlobPattern: Sendable, Hashable {
    private enum Token: Sendable, Hashable {
        case scalar(UInt32)
        case anyOne
        case anyRun
        case oneOf([ClosedRange<UInt32>], isNegated: Bool)
    }

    private let tokens: [Token]

    /// Nil when the pattern is malformed: an open class, an empty range, a lonely backslash.
    init?(_ text: ArraySlice<UInt8>) {
        var scalars = GlobText(text)
        var tokens: [Token] = []
        while let scalar = scalars.next() {
            switch scalar {
            case 0x2a: if tokens.last != .anyRun { tokens.append(.anyRun) }
            case 0x3f: tokens.append(.anyOne)
            case 0x5b:
                guard let token = Self.readClass(&scalars) else { return nil }
                tokens.append(token)
            case 0x5c:
                guard let escaped = scalars.next() else { return nil }
                tokens.append(.scalar(escaped))
            default: tokens.append(.scalar(scalar))
            }
        }
        self.tokens = tokens
    }

    private static func readClass(_ scalars: inout GlobText) -> Token? {
        var ranges: [ClosedRange<UInt32>] = []
        let isNegated = scalars.peek() == 0x5e
        if isNegated { _ = scalars.next() }
        while true {
            if scalars.peek() == 0x5d, !ranges.isEmpty {
                _ = scalars.next()
                return .oneOf(ranges, isNegated: isNegated)
            }
            guard let low = readClassMember(&scalars) else { return nil }
            var high = low
            if scalars.peek() == 0x2d {
                _ = scalars.next()
                guard let upper = readClassMember(&scalars) else { return nil }
                high = upper
            }
            // An upside-down range matches nothing, and is no error in Go.
            ranges.append(low <= high ? low...high : UInt32.max...UInt32.max)
        }
    }

    private static func readClassMember(_ scalars: inout GlobText) -> UInt32? {
        guard let scalar = scalars.next(), scalar != 0x2d, scalar != 0x5d else { return nil }
        if scalar == 0x5c { return scalars.next() }
        return scalar
    }

    /// Linear in pattern times text: only the last `*` is ever retried (I-10).
    func matches(_ component: ArraySlice<UInt8>) -> Bool {
        var text = GlobText(component)
        var position = 0
        var retry: (token: Int, text: GlobText)?
        while true {
            if position < tokens.count, tokens[position] == .anyRun {
                retry = (position + 1, text)
                position += 1
                continue
            }
            if position == tokens.count, text.isAtEnd { return true }
            var rest = text
            if position < tokens.count, let scalar = rest.next(), Self.matches(tokens[position], scalar) {
                text = rest
                position += 1
                continue
            }
            guard var again = retry, again.text.next() != nil else { return false }
            retry = again
            position = again.token
            text = again.text
        }
    }

    private static func matches(_ token: Token, _ scalar: UInt32) -> Bool {
        switch token {
        case .scalar(let wanted): wanted == scalar
        case .anyOne, .anyRun: scalar != 0x2f
        case .oneOf(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
        }
    }
}

/// Bytes read as Unicode scalars; each byte of invalid UTF-8 stands for itself, beyond the range of scalars.
private struct GlobText {
    private let bytes: ArraySlice<UInt8>
    private var index: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    var isAtEnd: Bool { index == bytes.endIndex }

    func peek() -> UInt32? {
        var copy = self
        return copy.next()
    }

    mutating func next() -> UInt32? {
        guard index < bytes.endIndex else { return nil }
        let first = bytes[index]
        if first < 0x80 {
            index += 1
            return UInt32(first)
        }
        var decoder = UTF8()
        var iterator = bytes[index...].prefix(4).makeIterator()
        if case .scalarValue(let scalar) = decoder.decode(&iterator) {
            index += UTF8.width(scalar)
            return scalar.value
        }
        index += 1
        return 0x11_0000 + UInt32(first)
    }
}
