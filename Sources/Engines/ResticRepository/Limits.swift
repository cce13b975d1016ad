/// Every bound of the engine, with unit and reason (L5).
package enum Limits {
    /// Blobs collected before an index file is written; restic's number, so that its index files and ours look alike.
    package static let indexFlushBlobs = 50_000
    /// Bytes that an index document has for a blob, about; room is made by it.
    package static let indexBytesPerBlob = 140
    /// Seconds after which collected blobs are written even when few, so that a crash loses little indexed work.
    package static let indexFlushSeconds: UInt64 = 600
    /// Largest data blob accepted from a repository; restic's chunker stops at 8 MiB, other chunkers may go further.
    package static let dataBlobBytesMax = 64 << 20
    /// Largest tree blob accepted (about 1.5 million entries of one directory).
    package static let treeBlobBytesMax = 768 << 20
    /// Largest unpacked file after decompression (an index of 10 million blobs would be 2 GB; restic splits at 50,000).
    package static let unpackedBytesMax = 512 << 20
    /// Smallest and largest target size of a pack, in bytes.
    package static let packSizeMin = 4 << 20
    package static let packSizeMax = 128 << 20
    package static let packSizeDefault = 16 << 20
    /// Entries of one pack, which ends before its size does when its blobs are tiny.
    ///
    /// What is made of them at a time (header, index, and both read back) costs some 600 bytes each. It also keeps the header far
    /// below restic's 16 MiB.
    package static let packEntriesMax = 100_000
    /// Keys tried before giving up, as in restic: each costs a whole scrypt.
    package static let keysTriedMax = 20
    /// Plaintext bytes of blobs that are hashed side by side, and how many; a blob that is larger is alone.
    ///
    /// Eight chunks fill the lanes, and have 12 MiB; 6 MiB give most of the gain, since open packs ride along, at half the memory.
    package static let batchBytes = 6 << 20
    package static let batchBlobs = 64
    /// Plaintext bytes of blobs that are sealed and verified together; each costs its bytes twice in scratch memory.
    package static let sealBatchBytes = 4 << 20
    /// Gap, in bytes, up to which two wanted ranges of a pack are fetched as one.
    package static let readGapBytes: UInt64 = 1 << 20
    /// Longest range fetched at once from a pack.
    package static let readSpanBytes: UInt64 = 32 << 20
    /// Age after which a lock is stale.
    package static let lockStaleSeconds: Int64 = 1_800
    /// Pause between writing a lock and looking again for others.
    package static let lockSettleNanoseconds: UInt64 = 200_000_000
    /// Bytes of snapshots' documents that are read in that pause at most.
    package static let earlySnapshotBytes = 16 << 20
    /// Interval of lock refreshes.
    package static let lockRefreshNanoseconds: UInt64 = 300_000_000_000
    /// Longest time since the last good refresh after which nothing is committed any more.
    package static let lockTrustSeconds: UInt64 = 1_350
    /// Removals between two looks at our lock, so that few go after it was lost.
    package static let removalsPerLockCheck = 256
    /// Attempts to read a lock file that is being replaced.
    package static let lockReadAttempts = 4
    /// Open packs of one type: two, chosen at random for each blob, hide chunk sizes from an observer of pack sizes.
    package static let openPacksPerType = 2
    /// Finished packs that may wait for an uploader: none but those in the hands of the tasks that finished them.
    package static let packsWaitingMax = 0
    /// Trees of one directory that are opened together before they are asked for, the bytes of their documents, the levels of a walk
    /// that do so, and the subdirectories of one level that are expected.
    package static let treesAheadMax = 8
    package static let treesAheadBytes = 512 << 10
    package static let treesAheadLevels = 64
    /// Documents that go together to a walk which another task opens trees for: their bytes, and how many.
    package static let streamedGroupBytes = 1 << 20
    package static let streamedGroupTrees = 256
    package static let subtreesExpected = 65_536
    /// Depth at which a walk over trees stops: ten times what a file system of today holds in practice.
    package static let walkDepthMax = 200_000
    /// Entries after which a walk stops; a snapshot of a billion files is not one of this program's.
    package static let walkEntriesMax = 1_000_000_000
    /// Directories with a tree that was met before, after which a restore counts all paths before it goes on.
    package static let repeatedTreesMax = 100_000
    /// Directories of a restore target held open at a time.
    package static let targetDirectoriesOpen = 24
    /// Files of a restore held open at a time.
    package static let targetFilesOpen = 24
    /// Blobs from which on a restore asks the disk to begin with them at once.
    package static let writeSoonBytes = 512 << 10
    /// Bytes that reading ahead in one file may hold; the whole program stays below 80 MiB with it.
    package static let readAheadBytes = 36 << 20
    /// Plaintext bytes of a file that are loaded and opened together; three stretches are under way.
    package static let stretchBytes = 6 << 20
    /// Small packs from which on a prune packs them together.
    package static let smallPacksWorthRepacking = 10
    /// Packs' worth of blobs, and time, after which a copy makes its snapshots true.
    package static let copyPacksPerCommit = 100
    package static let copyCommitNanoseconds: UInt64 = 60_000_000_000
    /// Bytes of extended attributes and other records before one tar entry; readers refuse more, so do Go's.
    package static let tarRecordBytesMax = 1 << 20
    /// Targets of a backup whose file systems are remembered from its start.
    package static let targetsWatched = 1_000
    /// Names of removed objects of a kind that the high-water record keeps; a store set back further than that is noticed by what is
    /// gone.
    package static let removedNamesKept = 10_000
    /// Groups whose newest snapshot it keeps.
    package static let savedGroupsKept = 1_000
    /// Largest high-water record that is read, in bytes: some 800,000 names.
    package static let highWaterBytesMax = 64 << 20
    /// How often, and after what pauses, its lock is asked for: a second in all, then this run leaves it alone.
    package static let highWaterLockTries = 100
    package static let highWaterLockPauseNanoseconds: UInt64 = 10_000_000
}
