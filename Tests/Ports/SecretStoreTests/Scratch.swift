import Bytes
import Foundation
import HostSystem
import Outcome
import SecretStore
import Synchronization
import Testing

/// A directory below the system's temporary one that goes away with its owner.
final class Scratch: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "holdfast-test-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path.
    @discardableResult
    func write(_ name: String, _ text: String, mode: Int = 0o600) -> String {
        let file = "\(path)/\(name)"
        _ = FileManager.default.createFile(
            atPath: file,
            contents: Data(text.utf8),
            attributes: [.posixPermissions: mode]
        )
        return file
    }
}

extension Secret {
    /// The bytes as text, for comparisons in tests alone.
    var revealed: String { withBytes { String(decoding: $0, as: UTF8.self) } }
}

/// A clock that stands until it is moved.
final class StillTime: TimeSource {
    private let seconds: Mutex<Int64>

    init(_ seconds: Int64 = 1_790_000_000) { self.seconds = Mutex(seconds) }

    func advance(_ by: Int64) { seconds.withLock { $0 += by } }
    func now() -> Timestamp { Timestamp(seconds: seconds.withLock { $0 }) }
    func monotonicNanoseconds() -> UInt64 { UInt64(seconds.withLock { $0 }) * 1_000_000_000 }
    func localOffsetSeconds(at moment: Timestamp) -> Int32 { 0 }
    func sleep(nanoseconds: UInt64) async throws {}
}

/// The failure that `body` ends with.
func failure(_ body: () async throws -> Void) async -> SecretFailure? {
    do {
        try await body()
        return nil
    } catch let failure as SecretFailure {
        return failure
    } catch {
        Issue.record("another error: \(error)")
        return nil
    }
}

/// All that a failure says, with what caused it.
func words(_ failure: SecretFailure?) -> String {
    guard let failure else { return "" }
    let cause = failure.cause.map { "\($0)" } ?? ""
    return
        "\(failure.codeName) \(failure.operation) \(failure.object) \(failure.what) \(failure.state) \(failure.next) \(cause)"
}
