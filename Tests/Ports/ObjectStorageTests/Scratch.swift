import Bytes
import Foundation
import Glibc
import HostSystem
import ObjectStorage
import Outcome
import Spawning

/// A directory below the system's temporary one that goes away with its owner.
final class Scratch: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "holdfast-test-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { Scratch.shell("umount -l '\(path)/mnt' 2>/dev/null; rm -rf '\(path)'") }

    /// A store in the directory `repo`, which nothing created yet.
    func store(hooks: SystemHooks? = nil) -> LocalStorage {
        LocalStorage(ByteString(path + "/repo"), entropy: SeededBytes(11), hooks: hooks)
    }

    /// The same with layout and config.
    func preparedStore(hooks: SystemHooks? = nil) async throws -> LocalStorage {
        let plain = store()
        try await plain.prepare()
        try await plain.put(.config, Block(Array("config".utf8)))
        return hooks == nil ? plain : store(hooks: hooks)
    }

    /// A store whose layout has no two-digit directories yet, for tests that make hundreds.
    func smallStore(hooks: SystemHooks? = nil) async throws -> LocalStorage {
        for kind in ObjectKind.listed {
            let folder = "\(path)/repo/\(kind.directoryName)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        try await store().put(.config, Block(Array("config".utf8)))
        return store(hooks: hooks)
    }

    /// Everything below the directory: paths with sizes, without the store's own directories.
    func files(below folder: String = "repo") -> [String] {
        let root = path + "/" + folder
        let all = FileManager.default.enumerator(atPath: root)?.allObjects.compactMap { $0 as? String } ?? []
        return all.filter { ((try? status(at: ByteString(root + "/" + $0)))?.kind ?? .unknown) != .directory }.sorted()
    }

    func content(_ name: String) -> [UInt8]? {
        FileManager.default.contents(atPath: "\(path)/\(name)").map { Array($0) }
    }

    func permissions(_ name: String) throws -> UInt32 { try status(at: ByteString("\(path)/\(name)")).permissions }

    @discardableResult
    static func shell(_ line: String) -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", line]
        guard (try? process.start()) != nil else { return -1 }
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Mounts a new ext4 of 32 MiB at `mnt`, from the image `disk`; false, and says so, when this user or machine
    /// cannot.
    func mountDisk(for identifier: String) -> Bool {
        let commands = [
            "cd '\(path)'", "truncate -s 32M disk", "mkfs.ext4 -q -m0 disk", "mkdir -p mnt", "mount -o loop disk mnt",
        ]
        let isMounted = Scratch.shell(commands.joined(separator: " && ") + " 2>/dev/null") == 0
        if !isMounted { print("SKIP \(identifier) loop mounts of ext4 need root, mkfs.ext4 and loop devices") }
        return isMounted
    }

    /// Mounts a tmpfs at `mnt`; false, and says so, when this user or machine cannot.
    func mountMemory(_ options: String, for identifier: String) -> Bool {
        let isMounted =
            Scratch.shell("mkdir -p '\(path)/mnt' && mount -t tmpfs -o \(options) tmpfs '\(path)/mnt' 2>/dev/null") == 0
        if !isMounted { print("SKIP \(identifier) mounting needs root") }
        return isMounted
    }
}

/// Random bytes that repeat with the seed.
struct SeededBytes: EntropySource {
    let seed: UInt64

    init(_ seed: UInt64) { self.seed = seed }

    /// Names of temporary files only need to differ within one test, so a counter of the process is mixed in.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        var state = seed &+ UInt64(counter.next())
        for index in buffer.indices {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            buffer[index] = UInt8(truncatingIfNeeded: state >> 56)
        }
    }
}

private let counter = Counter()

final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var value = 0

    func next() -> Int {
        lock.lock()
        defer { lock.unlock() }
        value += 1
        return value
    }
}

/// A name that repeats with the number; stores do not check it against the content.
func name(_ kind: ObjectKind, _ number: UInt64) -> ObjectName {
    let word = number &* 0x9e37_79b9_7f4a_7c15
    return ObjectName(kind, Digest(a: word, b: number, c: ~word, d: 1))
}

func block(_ text: String) -> Block { Block(Array(text.utf8)) }

/// The code a call failed with; nil when it succeeded.
func code(_ body: () async throws -> Void) async -> StorageCode? {
    do {
        try await body()
        return nil
    } catch let failure as StorageFailure {
        return failure.code
    } catch {
        return .unknown
    }
}

/// The failure a call ended with; nil when it succeeded or failed otherwise.
func failure(_ body: () async throws -> Void) async -> StorageFailure? {
    do {
        try await body()
        return nil
    } catch {
        return error as? StorageFailure
    }
}
