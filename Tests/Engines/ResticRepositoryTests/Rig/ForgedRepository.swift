import Bytes
import Chunking
import Foundation
import ObjectStorage
import Outcome
import ResticFormat
import Sealing
import Synchronization

import ResticRepository

/// One entry of a snapshot that a test makes up, and what a right restore makes of it.
struct ForgedEntry: Sendable {
    enum Kind: Sendable {
        /// The parts become one blob each.
        case file([[UInt8]])
        case directory
        case symlink(String)
        case fifo
        /// A further name of the file at that path.
        case link(String)
    }

    var path: String
    var kind: Kind
    var mode: UInt32 = 0o644
    var modified = Timestamp(seconds: 1_500_000_000, nanoseconds: 123_456_789)
    var attributes: [String: [UInt8]] = [:]

    static func file(_ path: String, _ parts: [UInt8]..., mode: UInt32 = 0o644) -> ForgedEntry {
        ForgedEntry(path: path, kind: .file(parts), mode: mode)
    }

    static func directory(_ path: String, mode: UInt32 = 0o755) -> ForgedEntry {
        ForgedEntry(path: path, kind: .directory, mode: mode)
    }

    static func symlink(_ path: String, _ target: String) -> ForgedEntry {
        ForgedEntry(path: path, kind: .symlink(target), mode: 0o777)
    }
}

/// A repository in memory for restores, made blob by blob, whose trees may say anything.
///
/// The only place of these tests that makes nodes and trees.
struct ForgedRepository: Sendable {
    let store: MemoryStorage

    init(version: Int = 2) async throws {
        store = MemoryStorage()
        _ = try await Repository.create(
            store: store,
            version: version,
            password: Secret(Array(SmallRepository.password.utf8)),
            polynomial: .init(hex: "3da3358b4dc173"),
            scrypt: .cheapForTests,
            environment: SmallRepository.environment(seed: 3)
        )
    }

    /// Opens it with the index loaded, from `store` or from another one around it.
    func open(_ other: (any ObjectStorage)? = nil) async throws -> Repository {
        let repository = try await Repository.open(
            store: other ?? store,
            password: Secret(Array(SmallRepository.password.utf8)),
            environment: SmallRepository.environment(seed: 99)
        )
        try await repository.loadIndex()
        return repository
    }

    /// Stores what the closure makes, in packs and an index of its own.
    func forge<Result: Sendable>(_ body: (Forge) async throws -> Result) async throws -> Result {
        let repository = try await open()
        let worker = repository.makeWorker()
        return try await repository.withBlobWriter { try await body(Forge(writer: $0, worker: worker)) }
    }

    /// Writes the snapshot file for a tree.
    func saveSnapshot(_ tree: BlobID) async throws -> SnapshotID {
        try await open().saveSnapshot(
            SnapshotDocument(time: ZonedTime(Timestamp(seconds: 1_770_000_000)), tree: tree, paths: ["/"])
        )
    }

    /// Stores the entries as a snapshot's tree; contents are spread over `packs` packs.
    func save(_ entries: [ForgedEntry], packs: Int = 1) async throws -> BlobID {
        for group in 0..<packs where packs > 1 {
            _ = try await forge { forge in
                var count = 0
                for case .file(let parts) in entries.map(\.kind) {
                    for part in parts {
                        count += 1
                        if count % packs == group { _ = try await forge.data(part) }
                    }
                }
            }
        }
        return try await forge { try await $0.tree(entries, below: "") }
    }
}

/// Stores blobs, and trees of nodes that no backup would write.
struct Forge {
    let writer: BlobWriter
    let worker: BlobWorker

    func data(_ bytes: [UInt8]) async throws -> BlobID { try await writer.save(.data, bytes, worker: worker) }

    func tree(_ nodes: [Node]) async throws -> BlobID { try await writer.saveTree(nodes, worker: worker) }

    /// A file of these blobs.
    func file(_ name: ByteString, _ parts: [UInt8]...) async throws -> Node {
        var node = Node(name: name, type: .file)
        node.content = []
        for part in parts {
            node.content?.append(try await data(part))
            node.size += UInt64(part.count)
        }
        return described(node)
    }

    func directory(_ name: ByteString, _ nodes: [Node]) async throws -> Node {
        described(.directory(name, try await tree(nodes)), mode: 0o755)
    }

    func symlink(_ name: ByteString, _ target: ByteString) -> Node {
        var node = Node(name: name, type: .symlink)
        node.linkTarget = target
        return described(node, mode: 0o777)
    }

    /// A file of that many names.
    func linked(_ node: Node, inode: UInt64, links: UInt64 = 2) -> Node {
        var node = node
        node.inode = inode
        node.links = links
        node.deviceID = 3
        return node
    }

    /// The node with owner, mode and times that every user can set.
    func described(_ node: Node, mode: UInt32 = 0o644) -> Node {
        var node = node
        node.mode = GoMode.from(unix: mode)
        node.uid = geteuid()
        node.gid = getegid()
        node.mtime = ZonedTime(Timestamp(seconds: 1_500_000_000, nanoseconds: 123_456_789))
        node.atime = node.mtime
        return node
    }

    func tree(_ entries: [ForgedEntry], below parent: String) async throws -> BlobID {
        var nodes: [Node] = []
        let children = entries.filter {
            $0.path.hasPrefix(parent + "/") && !$0.path.dropFirst(parent.count + 1).contains("/")
        }
        for entry in children { nodes.append(try await node(entry, of: entries)) }
        return try await tree(nodes.sorted { $0.name < $1.name })
    }

    private func node(_ entry: ForgedEntry, of entries: [ForgedEntry]) async throws -> Node {
        let name = ByteString(String(entry.path.split(separator: "/").last ?? ""))
        var node: Node
        switch entry.kind {
        case .file(let parts): node = try await file(name, parts)
        case .directory: node = .directory(name, try await tree(entries, below: entry.path))
        case .symlink(let target): node = symlink(name, ByteString(target))
        case .fifo: node = Node(name: name, type: .fifo)
        case .link(let path):
            guard let first = entries.first(where: { $0.path == path }) else { throw CocoaError(.fileNoSuchFile) }
            node = try await self.node(first, of: entries)
            node.name = name
        }
        node = described(node, mode: entry.mode)
        node.mtime = ZonedTime(entry.modified)
        node.atime = node.mtime
        node.extendedAttributes = entry.attributes.sorted { $0.key < $1.key }.map {
            ExtendedAttribute(name: ByteString($0.key), value: $0.value)
        }
        let twins = entries.filter { if case .link(let path) = $0.kind { path == entry.path } else { false } }
        let number = entries.firstIndex { $0.path == entry.path } ?? 0
        if !twins.isEmpty { node = linked(node, inode: UInt64(1000 + number)) }
        return node
    }

    private func file(_ name: ByteString, _ parts: [[UInt8]]) async throws -> Node {
        var node = Node(name: name, type: .file)
        node.content = []
        for part in parts {
            node.content?.append(try await data(part))
            node.size += UInt64(part.count)
        }
        return node
    }
}

/// What a restore told.
final class RestoreLog: RestoreObserver {
    struct Item: Sendable, Hashable {
        var action: RestoreAction
        var path: String
        var size: UInt64
    }

    private let items = Mutex<[Item]>([])
    private let problems = Mutex<[(path: String, text: String)]>([])

    var completed: [Item] { items.withLock { $0 } }
    var failures: [(path: String, text: String)] { problems.withLock { $0 } }
    var failedPaths: Set<String> { Set(failures.map(\.path)) }

    func completed(_ action: RestoreAction, path: ByteString, size: UInt64) {
        items.withLock { $0.append(Item(action: action, path: path.display, size: size)) }
    }

    func failed(path: ByteString, error: any Error) {
        problems.withLock { $0.append((path.display, "\(error)")) }
    }

    func warned(_ message: String) {}
}

/// How one restore ended.
struct RestoreOutcome {
    var result: RestoreResult?
    var error: (any Error)?
    var log: RestoreLog

    /// What the command line would call success.
    var isSuccess: Bool { error == nil && log.failures.isEmpty && result?.progress.errors == 0 }

    var text: String { "\(error.map { "\($0)" } ?? "no error") \(log.failures)" }
}

extension ForgedRepository {
    /// Opens the repository and restores the tree, as a run of the program does.
    func restore(
        _ tree: BlobID,
        to target: String,
        from other: (any ObjectStorage)? = nil,
        _ change: (inout RestoreRequest) -> Void = { _ in }
    ) async -> RestoreOutcome {
        let log = RestoreLog()
        var request = RestoreRequest(tree: tree, target: ByteString(target))
        change(&request)
        do {
            let repository = try await open(other)
            let result = try await ResticRepository.restore(request, from: repository, observer: log)
            return RestoreOutcome(result: result, log: log)
        } catch {
            return RestoreOutcome(error: error, log: log)
        }
    }
}
