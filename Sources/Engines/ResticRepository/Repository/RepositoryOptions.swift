package import Bytes
package import Compression
package import HostSystem
import ResticFormat

/// What the engine takes from outside: time, chance, threads, and who we are (L6).
package struct RepositoryEnvironment: Sendable {
    package var time: any TimeSource
    package var entropy: any EntropySource
    package var pool: WorkerPool
    package var hostName: ByteString
    package var userName: ByteString
    package var userID: UInt32
    package var groupID: UInt32
    package var processID: Int32
    /// Whether a process of this host is alive.
    package var isAlive: @Sendable (Int32) -> Bool
    /// What tells that process from every other; nil when there is none, or nothing is known.
    package var processMark: @Sendable (Int32) -> ProcessMark?
    /// Locks that this process could not give back.
    package var leftLocks: LeftLocks

    package init(
        time: any TimeSource,
        entropy: any EntropySource,
        pool: WorkerPool,
        hostName: ByteString,
        userName: ByteString,
        userID: UInt32,
        groupID: UInt32,
        processID: Int32,
        isAlive: @escaping @Sendable (Int32) -> Bool,
        processMark: @escaping @Sendable (Int32) -> ProcessMark? = { _ in nil },
        leftLocks: LeftLocks = LeftLocks()
    ) {
        self.time = time
        self.entropy = entropy
        self.pool = pool
        self.hostName = hostName
        self.userName = userName
        self.userID = userID
        self.groupID = groupID
        self.processID = processID
        self.isAlive = isAlive
        self.processMark = processMark
        self.leftLocks = leftLocks
    }

    /// The present moment with the local zone's offset.
    package func zonedNow() -> ZonedTime { zoned(time.now()) }

    /// That moment with the local zone's offset then.
    package func zoned(_ moment: Timestamp) -> ZonedTime {
        ZonedTime(moment, offsetSeconds: time.localOffsetSeconds(at: moment))
    }

    /// A file's time in the local zone, brought into the years 0...9999 as restic does, so that tree IDs agree (F-08).
    package func zonedFileTime(_ moment: Timestamp) -> ZonedTime {
        RFC3339.clamped(moment) { time.localOffsetSeconds(at: $0) }
    }
}

/// Where a blob's bytes are on their way into the store.
package enum BlobStage: Sendable, Hashable, CaseIterable {
    /// The plaintext, after its hash was taken.
    case hashed
    /// What the compressor returned.
    case compressed
    /// What the cipher returned.
    case sealed
    /// Sealed bytes that were opened again and found right.
    case verified
    /// The bytes of a finished pack, about to be sent.
    case packed
}

/// How a repository is used in one run.
package struct RepositoryOptions: Sendable {
    package var compression: CompressionMode = .auto
    /// Bytes of blobs after which a pack is closed, 4 MiB…128 MiB.
    package var packSizeBytes = Limits.packSizeDefault
    /// Open, unpack and hash each sealed blob before it counts.
    package var extraVerify = true
    /// Spoils bytes as bad memory or a bad processor would, for tests of D-08 and D-09; nil otherwise, which costs one comparison
    /// a blob.
    package var spoil: (@Sendable (BlobStage, UnsafeMutableRawBufferPointer) -> Void)?
    /// Nothing reaches the store.
    package var isDryRun = false
    /// Where copies of metadata live on this machine; nil for none.
    package var cacheDirectory: ByteString?
    /// Where this machine remembers what it saw in repositories, usually beside the copies; nil when it does not.
    package var recordDirectory: ByteString?
    /// Hears what does not fail the run but should be known, such as a cache that cannot be used; on any task.
    package var warn: @Sendable (String) -> Void = { _ in }

    package init() {}
}
