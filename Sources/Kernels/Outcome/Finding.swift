/// One piece of damage or doubt that a check observed; checks report all of them and throw only when they cannot look.
package struct Finding: Sendable, Hashable {
    /// How bad it is.
    package enum Severity: String, Sendable, Hashable {
        /// Worth knowing; nothing is lost (an orphaned pack, a duplicate index entry).
        case hint
        /// Nothing explains it, and nothing is proven: somebody has to look.
        case warning
        /// Data or metadata cannot be trusted.
        case damage
    }

    package var severity: Severity
    /// Stable code, `pack-missing`.
    package var code: String
    /// The thing concerned: `pack 3f9a1c77…`.
    package var object: String
    package var what: String
    /// What the operator does next; may be empty.
    package var next: String

    package init(_ severity: Severity, _ code: String, object: String, what: String, next: String = "") {
        self.severity = severity
        self.code = code
        self.object = object
        self.what = what
        self.next = next
    }
}
