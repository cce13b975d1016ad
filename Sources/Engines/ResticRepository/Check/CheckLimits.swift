/// Bounds of a check, with unit and reason (L5).
package enum CheckLimits {
    /// Packs that a worker reads in step, and bytes of each in memory at a time; a longer blob comes whole.
    ///
    /// The hashes of four packs and of a blob or more of each fill eight lanes. With four workers a check stays below 80 MiB.
    package static let packsInStep = 4
    package static let spanBytes: UInt64 = 1536 << 10
    /// Workers that read packs or trees at the same time; each holds a span and an opened blob.
    package static let workersMax = 4
    /// Whole reads of a pack before it is called damaged: a flip on the way strikes each time anew (D-10, D-11).
    package static let packAttempts = 3
    /// Findings kept in the result; the observer hears of all, and all are counted.
    package static let findingsKept = 10_000
    /// Copies of blobs known to be lost that are traced back to files.
    package static let lostCopiesTraced = 200_000
    /// Paths named for each affected snapshot.
    package static let affectedPathsNamed = 1_000
    /// Trees with damage below them that are opened once more for a further path or snapshot that leads to them (I-09).
    package static let affectedTreesReopened = 50_000
    /// Largest header of a pack with its length field, restic's bound, in bytes.
    package static let packHeaderBytesMax: UInt64 = (16 << 20) + 4
    /// Largest number of groups that `--read-data-subset=n/t` makes: the first byte of a pack's name decides.
    package static let subsetGroupsMax = 256
}
