import Bytes
import ResticRepository

/// Files and bytes that a restore wrote.
struct RestoredAmount: Sendable {
    var files: UInt64
    var bytes: UInt64
}
