import Bytes
import Console
import Outcome
import ResticRepository
import Synchronization

/// Collects what a backup could not read; at most 1,000 of them are kept, all are counted.
final class UnreadableSources: BackupObserver {
    private let items = Mutex<[String]>([])

    var wantsItems: Bool { false }

    /// Path and reason of each, for people.
    var list: [String] { items.withLock { $0 } }

    func completed(
        _ action: ItemAction,
        path: ByteString,
        isDirectory: Bool,
        statistics: ItemStatistics,
        seconds: Double
    ) {}

    func failed(path: ByteString, during: BackupPhase, error: any Error) {
        guard during == .archival else { return }
        items.withLock { items in
            if items.count < 1000 { items.append("\(path.display): \(reason(error))") }
        }
    }

    func excluded(path: ByteString) {}
    func scanned(files: UInt64, directories: UInt64, bytes: UInt64, seconds: Double) {}
}

/// The reason of a failure in one line.
func reason(_ error: any Error) -> String {
    if let failure = error as? any ReportableFailure {
        return escapedControl(failure.cause.map { "\(failure.what): \($0)" } ?? failure.what)
    }
    return escapedControl("\(error)")
}
