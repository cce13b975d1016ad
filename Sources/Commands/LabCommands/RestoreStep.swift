import Bytes
import ResticRepository

/// Files and bytes that a restore wrote.
struct RestoredAmount: Sendable {
    var files: UInt64
    var bytes: UInt64
}

/// Restores a whole snapshot into an empty folder.
func restoreWhole(_ snapshot: Snapshot, from repository: Repository, to target: ByteString) async throws
    -> RestoredAmount
{
    RestoredAmount(files: 0, bytes: 0)
}
