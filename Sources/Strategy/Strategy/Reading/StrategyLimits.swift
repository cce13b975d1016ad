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
    /// Files that one declaration includes.
    package static let includes = 64
    /// Problems reported at once.
    package static let problems = 50
    /// Bytes; the largest time zone file of 2025 has 3.6 KiB.
    package static let zoneFileBytes = 64 << 10
    /// Transitions of one time zone file; the longest of 2025 has 236, other readers stop at 2,000.
    package static let zoneTransitions = 2000
    /// Bytes of all abbreviations of one time zone file; the most of 2025 are 43.
    package static let zoneNameBytes = 512
    /// Bytes of a schedule's text; the longest useful one has about fifty.
    package static let scheduleBytes = 512
    /// Bytes of a reference to a secret; the longest is a command with its arguments.
    package static let secretReferenceBytes = 4096
    /// Messages on one channel within an hour; what comes beyond is told together.
    package static let messagesAnHour = 6
    /// Troubles that a channel was told of and that last, some 200 bytes each; of more, it hears again.
    package static let rememberedTroubles = 4096
    /// Bytes of an address of the web.
    package static let addressBytes = 2048
    /// Entries in one list of a schedule: every minute by itself fits.
    package static let scheduleListEntries = 64
    /// Runs whose length is remembered for each workload: a fortnight of nights.
    package static let rememberedRuns = 14
    /// Damaged packs whose names are remembered for each repository; more of them are one finding all the same.
    package static let rememberedPacks = 256
}
