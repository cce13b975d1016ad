/// The calls of a store.
package enum StorageOperation: String, Sendable, Hashable, CaseIterable {
    case prepare, exists, put, get, size, list, remove, checkIdentity
}

/// What a faulty store does instead of what it was asked (fault-plan groups B, D, E).
package enum StorageFault: Sendable, Hashable {
    /// Fails; nothing happened.
    case fail(StorageCode)
    /// Does it, then reports a failure: the answer was lost.
    case failAfter(StorageCode)
    /// `put` reports success and stores nothing.
    case ghostPut
    /// `put` stores the first bytes only and reports success.
    case truncatePut(toBytes: Int)
    /// `get` returns the right bytes with one bit flipped; which one follows from the seed.
    case flipBit
    /// `get` returns zeros (B-13).
    case zeros
    /// `get` returns the bytes of another object of the same kind and at least that size; flips a bit when there is
    /// none (B-13).
    case misdirect
    /// `get` returns fewer bytes than asked for, without a failure.
    case shortRead(toBytes: Int)
    /// `list` answers as it did the time before; the first time it is empty.
    case staleList
    case delay(nanoseconds: UInt64)
    /// Never answers; ends only when the task is cancelled.
    case hang
    /// The process dies here: this call does nothing, and every later call of any kind fails, too.
    case crashBefore
    /// The process dies after the effect of this call.
    case crashAfter
}

/// When a fault strikes: the first rule that matches a call decides.
package struct StorageRule: Sendable, Hashable {
    /// When the fault strikes.
    package enum Moment: Sendable, Hashable {
        case always
        /// The matching calls with these numbers, counted from 0 for each rule.
        case calls(Set<Int>)
        /// Every matching call from this number on.
        case from(Int)
        /// Each matching call with this probability, decided by the seed, the object and how often it was asked for
        /// before.
        case probability(Double)
        /// The call with this number among all calls of the store, whatever it is; the backbone of fail-at-call-N.
        case overall(Int)
    }

    package var operation: StorageOperation?
    package var kind: ObjectKind?
    package var name: ObjectName?
    package var moment: Moment
    package var fault: StorageFault

    /// Nil matches every operation, kind and name; a rule with a kind or name does not match calls without one.
    package init(
        _ fault: StorageFault,
        on operation: StorageOperation? = nil,
        kind: ObjectKind? = nil,
        name: ObjectName? = nil,
        when moment: Moment = .always
    ) {
        self.fault = fault
        self.operation = operation
        self.kind = kind
        self.name = name
        self.moment = moment
    }

    func matches(_ call: StorageCall) -> Bool {
        if let operation, operation != call.operation { return false }
        if let kind, kind != call.kind { return false }
        if let name, name != call.name { return false }
        return true
    }
}

/// One call as it was recorded.
package struct StorageCall: Sendable, Hashable {
    /// Number among all calls, from 0.
    package var number: Int
    package var operation: StorageOperation
    package var kind: ObjectKind?
    package var name: ObjectName?
    package var range: Range<UInt64>?
    /// What struck it, nil when it went through.
    package var fault: StorageFault?
}

/// A number that depends on its inputs alone: the same for every run, whatever the order of tasks.
func mixed(_ values: UInt64...) -> UInt64 {
    var state: UInt64 = 0x9e37_79b9_7f4a_7c15
    for value in values {
        state = (state ^ value) &+ 0x9e37_79b9_7f4a_7c15
        state = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        state = (state ^ (state >> 27)) &* 0x94d0_49bb_1331_11eb
        state ^= state >> 31
    }
    return state
}
