import Bytes
import ResticRepository

/// Hears nothing.
struct SilentBackupObserver: BackupObserver {
    var wantsItems: Bool { false }
    func completed(
        _ action: ItemAction,
        path: ByteString,
        isDirectory: Bool,
        statistics: ItemStatistics,
        seconds: Double
    ) {}
    func failed(path: ByteString, during: BackupPhase, error: any Error) {}
    func excluded(path: ByteString) {}
    func scanned(files: UInt64, directories: UInt64, bytes: UInt64, seconds: Double) {}
}
