/// A set of small numbers, one bit each: the entries of the index that were seen.
///
/// A million blobs take 125 KB.
struct EntrySet: Sendable {
    private var words: [UInt64]

    init(count: Int) { words = [UInt64](repeating: 0, count: (count + 63) / 64) }

    func contains(_ number: Int) -> Bool { words[number >> 6] & (1 << UInt64(number & 63)) != 0 }

    /// True when it was not there before.
    mutating func insert(_ number: Int) -> Bool {
        let bit: UInt64 = 1 << UInt64(number & 63)
        guard words[number >> 6] & bit == 0 else { return false }
        words[number >> 6] |= bit
        return true
    }

    mutating func remove(_ number: Int) { words[number >> 6] &= ~(1 << UInt64(number & 63)) }

    /// The members of both sets, which are of one size.
    func union(_ other: EntrySet) -> EntrySet {
        var result = self
        for number in words.indices { result.words[number] |= other.words[number] }
        return result
    }

    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    /// The smallest member from `start` on.
    func next(from start: Int) -> Int? {
        var word = start >> 6
        guard word < words.count else { return nil }
        var bits = words[word] & (~0 << UInt64(start & 63))
        while bits == 0 {
            word += 1
            guard word < words.count else { return nil }
            bits = words[word]
        }
        return word << 6 + bits.trailingZeroBitCount
    }
}
