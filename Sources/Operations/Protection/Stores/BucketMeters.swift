import Bytes
import ObjectStorage
import Strategy
import Synchronization

/// What this process moved to and from each bucket, by the names of media.
final class BucketMeters: Sendable {
    private let meters = Mutex<[String: S3Meter]>([:])

    /// The one of that medium.
    subscript(medium: String) -> S3Meter {
        meters.withLock { meters in
            if let known = meters[medium] { return known }
            let meter = S3Meter()
            meters[medium] = meter
            return meter
        }
    }

    /// What was counted since it was last taken, by the names of media.
    func take() -> [String: Traffic] {
        meters.withLock { $0 }.mapValues { Traffic($0.take()) }.filter { $0.value != Traffic() }
    }

    /// Bytes that came from that medium and are in no ledger yet.
    func downloadedBytes(from medium: String) -> UInt64 { self[medium].current.downloadedBytes }
}

extension Traffic {
    fileprivate init(_ counts: S3Meter.Counts) {
        self.init()
        uploadedBytes = counts.uploadedBytes
        downloadedBytes = counts.downloadedBytes
        writes = counts.writes
        reads = counts.reads
    }
}

extension LedgerFile {
    /// Notes what was moved since it was last noted.
    func note(_ meters: BucketMeters, now: Timestamp) async {
        let moved = meters.take()
        guard !moved.isEmpty else { return }
        await update { ledger in
            for (medium, traffic) in moved { ledger.traffic[medium, default: BucketTraffic()].add(traffic, at: now) }
        }
    }
}
