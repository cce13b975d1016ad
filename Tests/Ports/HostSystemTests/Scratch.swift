import Bytes
import Foundation
import HostSystem
import Spawning

/// A directory below the system's temporary one that goes away with its owner.
final class Scratch: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "holdfast-test-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { _ = try? Scratch.shell("rm -rf '\(path)'") }

    var bytes: ByteString { ByteString(path) }

    func open(hooks: SystemHooks? = nil) throws -> Directory { try Directory.open(bytes, hooks: hooks) }

    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

    func content(_ name: String) -> [UInt8]? {
        FileManager.default.contents(atPath: "\(path)/\(name)").map { Array($0) }
    }

    func write(_ name: String, _ text: String) {
        _ = FileManager.default.createFile(atPath: "\(path)/\(name)", contents: Data(text.utf8))
    }

    @discardableResult
    static func shell(_ line: String) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", line]
        try process.start()
        process.waitUntilExit()
        return process.terminationStatus
    }
}

/// Says in the log that a case cannot run here; silence would count as passed.
func skip(_ identifier: String, _ reason: String) { print("SKIP \(identifier) \(reason)") }

/// Whether the machine lets this user do it; other failures are thrown.
func isAllowed(_ body: () throws(Errno) -> Void) throws(Errno) -> Bool {
    do throws(Errno) {
        try body()
        return true
    } catch  where error.kind == .unsupported || error.kind == .permission {
        return false
    }
}

/// Random bytes that repeat with the seed.
final class SeededBytes: EntropySource {
    private let state: Locked<UInt64>

    init(_ seed: UInt64) { state = Locked(seed) }

    func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        state.with { state in
            for index in buffer.indices {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                buffer[index] = UInt8(truncatingIfNeeded: state >> 56)
            }
        }
    }
}

/// A value behind a lock that escaping closures can share.
final class Locked<Value>: @unchecked Sendable {
    private var value: Value
    private let lock = NSLock()

    init(_ value: Value) { self.value = value }

    func with<R>(_ body: (inout Value) -> R) -> R {
        lock.lock()
        defer { lock.unlock() }
        return body(&value)
    }

    var current: Value { with { $0 } }
}
