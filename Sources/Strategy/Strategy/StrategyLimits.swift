/// Bounds on the declaration file, one named constant each (L5).
///
/// A file within them is read in milliseconds and a few megabytes.
package enum StrategyLimits {
    /// Bytes; the full example of the design is 3 KiB.
    package static let fileBytes = 1 << 20
    /// Levels of brackets, or columns of indentation and dashes before the first word of a line: they bound how deep
    /// the YAML reader recurses.
    package static let flowDepth = 32
    package static let indentColumns = 128
    /// Entries in one mapping or list.
    package static let entries = 4096
    /// Problems reported at once.
    package static let problems = 50
}
