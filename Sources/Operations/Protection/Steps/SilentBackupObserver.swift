package import Bytes
package import ResticRepository

/// Hears nothing.
package struct SilentBackupObserver: BackupObserver {
    package init() {}

    package var wantsItems: Bool { false }
    package func completed(
        _ action: ItemAction,
        path: ByteString,
        isDirectory: Bool,
        statistics: ItemStatistics,
        seconds: Double
    ) {}
    package func failed(path: ByteString, during: BackupPhase, error: any Error) {}
    package func excluded(path: ByteString) {}
    package func scanned(files: UInt64, directories: UInt64, bytes: UInt64, seconds: Double) {}
}
