/// A kernel that does not compute what it must: the build or the machine is broken, and nothing may be written.
package struct SelfTestFailure: Error, Hashable, CustomStringConvertible {
    /// The kernel concerned: `SHA-256`.
    package var kernel: String
    /// What it gave and what was expected.
    package var what: String

    package init(kernel: String, what: String) {
        self.kernel = kernel
        self.what = what
    }

    package var description: String { "self-test of \(kernel) failed: \(what)" }
}
