/// Every bound of the journal, with unit and reason (L5).
package enum JournalLimits {
    /// Longest wait, in milliseconds, for another process that holds the database or the folder; a backup waits this
    /// long once.
    package static let busyMilliseconds = 5_000
    /// The wait, in milliseconds, while the last attempt failed: a backup of many steps must not pay the long one for
    /// each.
    package static let busyTroubledMilliseconds = 100
    /// Pause between two looks at a lock of the folder, in milliseconds.
    package static let lockPollMilliseconds = 20
    /// Nanoseconds between two attempts to open a journal that could not be opened, since each may read all of it.
    package static let reopenNanoseconds: UInt64 = 60_000_000_000
    /// Bytes of the emergency file; more than ten thousand steps, and few enough to read whole.
    package static let pendingBytesMax = 4 << 20
    /// Bytes that the emergency file holds reserved, so that a full disk still takes the result of a run (C-04).
    package static let pendingReserveBytes = 256 << 10
    /// Entries kept in memory when neither database nor emergency file takes them; the oldest go first.
    package static let heldEntriesMax = 4_096
    /// Bytes of an identifier, a key or a kind; ours have under fifty.
    package static let identifierBytesMax = 512
    /// Bytes of a name or a sentence: the longest path of Linux.
    package static let textBytesMax = 4_096
    /// Bytes of the JSON detail of evidence, or of the body of a message: a screen full of findings.
    package static let detailBytesMax = 64 << 10
    /// Rows that one question returns at most.
    package static let rowsReadMax = 10_000
    /// Rows of one table that `forget` leaves, newest first: some twenty-seven years of ten steps a day.
    package static let rowsKeptMax = 100_000
    /// Files of one sort that stay beside the journal (damaged ones, copies from before a migration), newest first.
    package static let asideFilesMax = 5
    /// Seconds after which a run of a process that cannot be seen from here (another container) counts as interrupted.
    package static let unseenRunSeconds: Int64 = 7 * 86_400
    /// Highest schema number that another version of the program can have written; above it the number is damage.
    package static let schemaVersionMax = 9_999
    /// Oldest SQLite that has all that the schema uses (STRICT tables), as the library counts: 3.37.0.
    package static let libraryVersionMin: Int64 = 3_037_000
}
