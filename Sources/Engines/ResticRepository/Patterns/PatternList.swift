package import Bytes

/// Include or exclude patterns in restic's language (spec 17.4).
///
/// A pattern without a leading slash matches at any depth; `**` stands for any number of components; a pattern that matches a
/// directory matches all below it; `!` takes back what earlier patterns matched.
package struct PatternList: Sendable {
    private struct Pattern: Sendable {
        var parts: [Part]
        var isNegated: Bool
        var isAbsolute: Bool
        /// How many `**` there are.
        var depthCount: Int
    }

    private enum Part: Sendable {
        case literal(ArraySlice<UInt8>)
        case glob(GlobPattern)
        case anyDepth
    }

    private let patterns: [Pattern]
    private let ignoringCase: Bool
    private let hasNegated: Bool

    /// Empty patterns are passed over; malformed ones match nothing (check with `firstMalformed`).
    package init(_ texts: [ByteString], ignoringCase: Bool = false) {
        self.ignoringCase = ignoringCase
        patterns = texts.filter { !$0.bytes.isEmpty }.compactMap {
            Self.parse(ignoringCase ? Self.lowercased($0.bytes) : $0.bytes)
        }
        hasNegated = patterns.contains(where: \.isNegated)
    }

    package var isEmpty: Bool { patterns.isEmpty }

    /// The patterns that restic would refuse.
    package static func malformed(_ texts: [ByteString]) -> [ByteString] {
        texts.filter { !$0.bytes.isEmpty && parse($0.bytes) == nil }
    }

    private static func parse(_ text: [UInt8]) -> Pattern? {
        let isNegated = text.first == UInt8(ascii: "!")
        let path = SourcePath.clean(ByteString(Array(text.dropFirst(isNegated ? 1 : 0))))
        let isAbsolute = SourcePath.isAbsolute(path)
        var parts: [Part] = []
        for component in split(path.bytes) {
            if component.elementsEqual("**".utf8) {
                parts.append(.anyDepth)
            } else if component.contains(where: { "\\[]*?".utf8.contains($0) }) {
                guard let glob = GlobPattern(component) else { return nil }
                parts.append(.glob(glob))
            } else {
                parts.append(.literal(component))
            }
        }
        let depthCount = parts.count { if case .anyDepth = $0 { true } else { false } }
        return Pattern(parts: parts, isNegated: isNegated, isAbsolute: isAbsolute, depthCount: depthCount)
    }

    private static func split(_ path: [UInt8]) -> [ArraySlice<UInt8>] { path.split(separator: UInt8(ascii: "/")) }

    private static func lowercased(_ bytes: [UInt8]) -> [UInt8] {
        if bytes.allSatisfy({ $0 < 0x80 }) { return bytes.map { (65...90).contains($0) ? $0 + 32 : $0 } }
        var lower: [UInt8] = []
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            let mapping = scalar.properties.lowercaseMapping
            lower.append(
                contentsOf: mapping.unicodeScalars.count == 1 ? Array(mapping.utf8) : Array(String(scalar).utf8)
            )
        }
        return lower
    }

    // MARK: asking

    /// True when the path is matched, by the last pattern that has a say.
    package func matches(_ path: ByteString) -> Bool { evaluate(path, wantsChildren: false).matched }

    /// Whether the path is matched, and whether something below it may be.
    package func evaluate(_ path: ByteString) -> (matched: Bool, childMayMatch: Bool) {
        evaluate(path, wantsChildren: true)
    }

    private func evaluate(_ path: ByteString, wantsChildren: Bool) -> (matched: Bool, childMayMatch: Bool) {
        let bytes = ignoringCase ? Self.lowercased(path.bytes) : path.bytes
        let components = Self.split(bytes)
        let isAbsolute = bytes.first == UInt8(ascii: "/")
        var matched = false
        var childMayMatch = false
        for pattern in patterns {
            let hit = Self.match(pattern, components, isAbsolute: isAbsolute)
            let below = wantsChildren ? Self.mayMatchBelow(pattern, components, isAbsolute: isAbsolute) : true
            if pattern.isNegated {
                matched = matched && !hit
                childMayMatch = childMayMatch && !hit
            } else {
                matched = matched || hit
                childMayMatch = childMayMatch || below
                if matched, childMayMatch, !hasNegated { break }
            }
        }
        return (matched, childMayMatch)
    }

    /// All the ways at once: the set of components that the parts so far may have consumed.
    private static func match(_ pattern: Pattern, _ components: [ArraySlice<UInt8>], isAbsolute: Bool) -> Bool {
        if pattern.isAbsolute, !isAbsolute { return false }
        if pattern.depthCount > 1 { return matchCounted(pattern, components, isAbsolute: isAbsolute) }
        var reachable = [Bool](repeating: !pattern.isAbsolute, count: components.count + 1)
        reachable[0] = true
        var consumed = pattern.isAbsolute
        for part in pattern.parts {
            if case .anyDepth = part {
                if let first = reachable.firstIndex(of: true) {
                    for position in first..<reachable.count { reachable[position] = true }
                }
                continue
            }
            consumed = true
            for position in stride(from: components.count - 1, through: 0, by: -1) {
                reachable[position + 1] = reachable[position] && matches(part, components[position])
            }
            reachable[0] = false
        }
        if !consumed { return !components.isEmpty && !pattern.parts.isEmpty }
        return reachable.contains(true)
    }

    /// With several `**`, restic counts each that it has not come to as one component, although in the end it may stand for none:
    /// `/a/**/b/**` matches `/a/b/c` and not `/a/b` itself.
    ///
    /// So of the components that no other part needs, the first `**` can have all but one for each `**` behind it, and so on.
    private static func matchCounted(
        _ pattern: Pattern,
        _ components: [ArraySlice<UInt8>],
        isAbsolute: Bool
    ) -> Bool {
        // For a pattern that may begin anywhere restic counts the root as a component, too.
        let count = components.count + (isAbsolute && !pattern.isAbsolute ? 1 : 0)
        let spare = count - (pattern.parts.count - pattern.depthCount)
        guard !components.isEmpty, spare >= pattern.depthCount - 1 else { return false }
        return (0...(pattern.isAbsolute ? 0 : components.count)).contains { offset in
            var reachable = [Bool](repeating: false, count: components.count + 1)
            reachable[offset] = true
            var (needed, depthsLeft) = (0, pattern.depthCount)
            for part in pattern.parts {
                if case .anyDepth = part {
                    depthsLeft -= 1
                    let last = min(components.count, offset + needed + spare - depthsLeft)
                    guard let first = reachable.firstIndex(of: true), first <= last else { return false }
                    for position in reachable.indices { reachable[position] = (first...last).contains(position) }
                    continue
                }
                needed += 1
                for position in stride(from: components.count - 1, through: 0, by: -1) {
                    reachable[position + 1] = reachable[position] && matches(part, components[position])
                }
                reachable[0] = false
            }
            return reachable.contains(true) && !(needed == 0 && reachable.lastIndex(of: true) == offset)
        }
    }

    /// An absolute pattern leads below the path when the path matches its beginning, up to the first `**`.
    private static func mayMatchBelow(_ pattern: Pattern, _ components: [ArraySlice<UInt8>], isAbsolute: Bool) -> Bool {
        guard pattern.isAbsolute else { return true }
        guard isAbsolute else { return false }
        for (position, part) in pattern.parts.enumerated() {
            guard position < components.count else { return true }
            if case .anyDepth = part { return true }
            if !matches(part, components[position]) { return false }
        }
        return true
    }

    private static func matches(_ part: Part, _ component: ArraySlice<UInt8>) -> Bool {
        switch part {
        case .literal(let text): text.elementsEqual(component)
        case .glob(let glob): glob.matches(component)
        case .anyDepth: true
        }
    }
}
