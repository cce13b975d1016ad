import Bytes

/// A pattern that Go's `filepath.Match` would refuse.
package struct BadPattern: Error {}

/// Go's `filepath.Match` over bytes: `*`, `?`, classes and backslashes within one path component.
///
/// Errors: `BadPattern` for an open class or a lone backslash. The whole pattern is always checked.
package func goMatch(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) throws(BadPattern) -> Bool {
    let tokens = try parseTokens(pattern)
    var position = name.startIndex
    var token = 0
    var resume: (token: Int, position: Int)?
    while token < tokens.count || position < name.endIndex {
        if token < tokens.count {
            if case .anyRun = tokens[token] {
                resume = (token, position)
                token += 1
                continue
            }
            if let length = tokens[token].matchLength(name[position...]) {
                position += length
                token += 1
                continue
            }
        }
        guard let back = resume, back.position < name.endIndex, name[back.position] != 0x2f else { return false }
        resume = (back.token, back.position + 1)
        position = back.position + 1
        token = back.token + 1
    }
    return true
}

/// True when Go's `filepath.Match` accepts the pattern.
package func isValidGoPattern(_ pattern: ArraySlice<UInt8>) -> Bool {
    do {
        _ = try parseTokens(pattern)
        return true
    } catch {
        return false
    }
}

private enum Token {
    case anyRun
    case anyOne
    case literal(UInt8)
    case oneOf(ranges: [ClosedRange<UInt32>], isNegated: Bool)

    /// Bytes that the token takes from the start, nil when it does not match.
    func matchLength(_ name: ArraySlice<UInt8>) -> Int? {
        guard let first = name.first else { return nil }
        switch self {
        case .anyRun: return nil
        case .literal(let byte): return first == byte ? 1 : nil
        case .anyOne: return first == 0x2f ? nil : decodeScalar(name).length
        case .oneOf(let ranges, let isNegated):
            let scalar = decodeScalar(name)
            let isIn = ranges.contains { $0.contains(scalar.value) }
            return isIn != isNegated ? scalar.length : nil
        }
    }
}

private func parseTokens(_ pattern: ArraySlice<UInt8>) throws(BadPattern) -> [Token] {
    var tokens: [Token] = []
    var rest = pattern
    while let byte = rest.popFirst() {
        switch byte {
        case 0x2a: tokens.append(.anyRun)
        case 0x3f: tokens.append(.anyOne)
        case 0x5b: tokens.append(try parseClass(&rest))
        case 0x5c:
            guard let escaped = rest.popFirst() else { throw BadPattern() }
            tokens.append(.literal(escaped))
        default: tokens.append(.literal(byte))
        }
    }
    return tokens
}

private func parseClass(_ rest: inout ArraySlice<UInt8>) throws(BadPattern) -> Token {
    var isNegated = false
    if rest.first == 0x5e {
        isNegated = true
        rest.removeFirst()
    }
    var ranges: [ClosedRange<UInt32>] = []
    while true {
        if rest.first == 0x5d, !ranges.isEmpty {
            rest.removeFirst()
            return .oneOf(ranges: ranges, isNegated: isNegated)
        }
        let low = try classScalar(&rest)
        var high = low
        if rest.first == 0x2d {
            rest.removeFirst()
            high = try classScalar(&rest)
        }
        // An empty range matches nothing, but is no error; an impossible scalar stands for it.
        ranges.append(low <= high ? low...high : UInt32.max...UInt32.max)
    }
}

private func classScalar(_ rest: inout ArraySlice<UInt8>) throws(BadPattern) -> UInt32 {
    guard let first = rest.first, first != 0x2d, first != 0x5d else { throw BadPattern() }
    if first == 0x5c {
        rest.removeFirst()
        guard !rest.isEmpty else { throw BadPattern() }
    }
    let scalar = decodeScalar(rest)
    if scalar.value == 0xfffd, scalar.length == 1 { throw BadPattern() }
    rest = rest.dropFirst(scalar.length)
    guard !rest.isEmpty else { throw BadPattern() }
    return scalar.value
}

/// The first scalar; a byte that starts no valid sequence counts alone as U+FFFD.
private func decodeScalar(_ bytes: ArraySlice<UInt8>) -> (value: UInt32, length: Int) {
    guard let first = bytes.first else { return (0xfffd, 0) }
    if first < 0x80 { return (UInt32(first), 1) }
    var decoder = UTF8()
    var iterator = bytes.prefix(4).makeIterator()
    guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return (0xfffd, 1) }
    return (scalar.value, UTF8.width(scalar))
}
