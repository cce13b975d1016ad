/// A small table that drops what was not asked for the longest.
struct LeastRecentlyUsed<Key: Hashable, Value> {
    private struct Slot {
        var value: Value
        var used: UInt64
    }

    private var slots: [Key: Slot] = [:]
    private var clock: UInt64 = 0
    private let limit: Int

    init(limit: Int) {
        precondition(limit > 0)
        self.limit = limit
    }

    var count: Int { slots.count }

    /// The value, which counts as used now.
    subscript(key: Key) -> Value? {
        mutating get {
            clock += 1
            guard let index = slots.index(forKey: key) else { return nil }
            slots.values[index].used = clock
            return slots.values[index].value
        }
    }

    /// Cost: a scan of at most `limit` slots when something has to go.
    mutating func insert(_ value: Value, for key: Key) {
        clock += 1
        if slots[key] == nil, slots.count >= limit, let oldest = slots.min(by: { $0.value.used < $1.value.used }) {
            slots[oldest.key] = nil
        }
        slots[key] = Slot(value: value, used: clock)
    }

    mutating func remove(_ key: Key) { slots[key] = nil }

    mutating func removeAll(where isGone: (Key) -> Bool) {
        for key in slots.keys.filter(isGone) { slots[key] = nil }
    }
}
