/// Why a text is no schedule, and where.
package struct ScheduleError: Error, Sendable, Hashable, CustomStringConvertible {
    /// For programs; people read the description.
    package enum Kind: Sendable, Hashable, CaseIterable {
        /// Something else is expected there.
        case unexpected
        /// A number or a range that its field does not have.
        case outOfRange
        /// A text or list longer than `StrategyLimits` allows.
        case tooLong
        /// Well written, but no day from 1970 to 2199 matches.
        case never
        /// Understood, and not offered.
        case unsupported
    }

    package var kind: Kind
    /// Bytes from the start of the text, from 1; one more than its length where something is missing at the end.
    package var column: Int
    package var what: String
    /// What is expected there.
    package var next: String

    package init(_ kind: Kind, column: Int, what: String, next: String) {
        self.kind = kind
        self.column = column
        self.what = what
        self.next = next
    }

    /// One line for people.
    package var description: String { "column \(column): \(what); \(next)" }
}
