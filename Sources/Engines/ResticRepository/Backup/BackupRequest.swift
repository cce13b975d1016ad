package import Bytes
package import HostSystem
package import ResticFormat
package import Synchronization

/// Where the bytes of a stdin backup come from.
package struct StreamSource: Sendable {
    /// Path of the file inside the snapshot, `/dir/dump.sql`.
    package var path: ByteString
    /// Reads the next bytes into the buffer; 0 at the end.
    ///
    /// Throws when the producer failed.
    package var read: @Sendable (UnsafeMutableRawBufferPointer) async throws -> Int
    /// Called once at the end; throws when the producer ended badly, so that no snapshot is made of half a dump (G-14).
    package var finish: @Sendable () async throws -> Void

    package init(
        path: ByteString,
        read: @escaping @Sendable (UnsafeMutableRawBufferPointer) async throws -> Int,
        finish: @escaping @Sendable () async throws -> Void
    ) {
        self.path = path
        self.read = read
        self.finish = finish
    }
}

/// One backup, as asked for.
package struct BackupRequest: Sendable {
    /// Paths as the user gave them, absolute or relative to `workingDirectory`.
    package var targets: [ByteString]
    package var workingDirectory: ByteString
    /// Set for a backup of a stream; then `targets` is empty.
    package var stream: StreamSource?
    package var parent: Snapshot?
    package var filter = SourceFilter()
    /// Exclude patterns as they are recorded in the snapshot.
    package var recordedExcludes: [ByteString] = []
    package var tags: [ByteString] = []
    /// Beside `tags`, when an item could not be saved, or not completely.
    package var tagsWhenIncomplete: [ByteString] = []
    package var hostName: ByteString
    package var time: ZonedTime
    package var ignoreCtime = false
    package var ignoreInode = false
    package var withAtime = false
    /// Files read at the same time, at least 1.
    package var readConcurrency = 2
    package var skipIfUnchanged = false
    package var programVersion: String
    /// Walk the source once more, beside the backup, for the totals of the progress display.
    package var scan = false
    /// Sees, and may fail, the system calls on the source; for tests.
    package var systemHooks: SystemHooks?

    package init(
        targets: [ByteString],
        workingDirectory: ByteString,
        hostName: ByteString,
        time: ZonedTime,
        programVersion: String
    ) {
        self.targets = targets
        self.workingDirectory = workingDirectory
        self.hostName = hostName
        self.time = time
        self.programVersion = programVersion
    }
}

/// What a backup did.
package struct BackupResult: Sendable {
    /// Nil when it was a dry run or nothing had changed and that was asked to be skipped.
    package var snapshot: SnapshotID?
    package var tree: BlobID
    package var summary: SnapshotSummary
    /// Items that could not be saved, or not completely.
    package var errorCount: UInt64
    /// Seconds from start to end.
    package var duration: Double
}

/// What happened to one file or directory.
package enum ItemAction: String, Sendable, Hashable {
    case new, unchanged, modified
}

/// Bytes and blobs that one item added.
package struct ItemStatistics: Sendable, Hashable {
    package var dataBlobs: UInt64 = 0
    package var dataSize: UInt64 = 0
    package var dataSizeInRepository: UInt64 = 0
    package var treeBlobs: UInt64 = 0
    package var treeSize: UInt64 = 0
    package var treeSizeInRepository: UInt64 = 0

    package init() {}

    mutating func add(_ other: ItemStatistics) {
        dataBlobs += other.dataBlobs
        dataSize += other.dataSize
        dataSizeInRepository += other.dataSizeInRepository
        treeBlobs += other.treeBlobs
        treeSize += other.treeSize
        treeSizeInRepository += other.treeSizeInRepository
    }
}

/// Which part of a backup met an error.
package enum BackupPhase: String, Sendable, Hashable {
    case archival, scan
}

/// Hears of each item; called from any task, and must return quickly.
package protocol BackupObserver: Sendable {
    /// True when `completed` is wanted for every item (it costs a path each).
    var wantsItems: Bool { get }
    func completed(
        _ action: ItemAction,
        path: ByteString,
        isDirectory: Bool,
        statistics: ItemStatistics,
        seconds: Double
    )
    /// An item that was left out or is incomplete; the backup goes on.
    func failed(path: ByteString, during: BackupPhase, error: any Error)
    func excluded(path: ByteString)
    func scanned(files: UInt64, directories: UInt64, bytes: UInt64, seconds: Double)
}

/// Progress of a running backup, polled by whoever shows it.
package final class BackupCounters: Sendable {
    package let filesDone = Atomic<UInt64>(0)
    package let bytesDone = Atomic<UInt64>(0)
    package let totalFiles = Atomic<UInt64>(0)
    package let totalBytes = Atomic<UInt64>(0)
    package let errors = Atomic<UInt64>(0)
    /// True when the totals are final.
    package let isScanned = Atomic<Bool>(false)
    private let current = Mutex<[ByteString]>([])

    package init() {}

    /// Paths of the files being read now.
    package var currentFiles: [ByteString] { current.withLock { $0 } }

    func started(_ path: ByteString) { current.withLock { $0.append(path) } }

    func ended(_ path: ByteString) {
        current.withLock { files in
            if let position = files.firstIndex(of: path) { files.remove(at: position) }
        }
    }
}
