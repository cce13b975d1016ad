package import Bytes
import HostSystem
package import ObjectStorage
import Synchronization

/// Copies of a repository's metadata on this machine, in the places where restic looks for them (spec 15).
///
/// ```
/// <base>/CACHEDIR.TAG
/// <base>/<config id>/version                     "1"
/// <base>/<config id>/{data,index,snapshots}/ab/abcd…   byte-identical copies, sealed as in the repository
/// ```
/// 1. The repository is the truth (L8). What comes from here is verified by the caller like what comes from the store;
///    a copy that proves wrong is forgotten, and when its successor is wrong as well, it is passed over for the rest of
///    the run.
/// 2. No failure here fails a run (C-05): after the first failed write nothing more is written, and the operator is
///    told once.
/// 3. Files appear by rename, so several processes, restic among them, may share one cache. They are not synced: what a
///    crash leaves half written is found by rule 1.
///
/// A repository on a disk of this machine has its directory here, as programs expect, and no copies in it: the originals are as near,
/// and each copy would be written for nothing (`keepsCopies`).
///
/// Cost: reading trees out of cached packs takes one system call for 128 KiB, not three for each directory: open files
/// and windows of them are kept (`CachedFiles`, `PackWindows`). Isolation: any task.
package final class MetadataCache: Sendable {
    private struct State {
        /// Copies that were wrong once; the next failure puts them into `bypassed`.
        var forgotten: Set<ObjectName> = []
        var bypassed: Set<ObjectName> = []
        var isWriting = true
    }

    /// Largest copy that is read whole, in bytes.
    private static let wholeBytesMax: UInt64 = 512 << 20

    private let root: Directory
    private let folders: CacheFolders
    private let entropy: any EntropySource
    private let warn: @Sendable (String) -> Void
    /// False when nothing is read from here nor written.
    package let keepsCopies: Bool
    private let files = CachedFiles()
    private let windows = PackWindows()
    private let state = Mutex(State())

    /// The path of this repository's directory, for messages.
    package let path: ByteString

    /// Opens, and where needed creates, the cache of one repository below `base`; its time of last use becomes now.
    ///
    /// Nil when that is not possible: the run goes on without a cache, and `warn` has said why.
    package init?(
        base: ByteString,
        repositoryID: Digest,
        environment: RepositoryEnvironment,
        keepsCopies: Bool = true,
        warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        path = ByteString(base.bytes + [UInt8(ascii: "/")] + Array(repositoryID.hex.utf8))
        do throws(CacheFailure) {
            root = try CacheLayout.open(base: base, name: repositoryID.hex, entropy: environment.entropy)
            folders = try CacheFolders(root: root)
        } catch {
            warn("unable to open cache: \(path.display): \(error.text)")
            return nil
        }
        entropy = environment.entropy
        self.warn = warn
        self.keepsCopies = keepsCopies
        let now = environment.time.now()
        try? root.descriptor.setTimes(accessed: now, modified: now)
    }

    // MARK: Reading

    /// The copy of the whole object, unverified, or nil.
    package func load(_ kind: ObjectKind, _ id: Digest) -> Block? {
        guard let file = open(kind, id), let size = try? file.status().size, size <= Self.wholeBytesMax else {
            return nil
        }
        let block = Block(capacity: Int(size))
        do {
            try block.fill { room throws(Errno) in try file.readFully(into: room) }
        } catch {
            return nil
        }
        return block.count == Int(size) ? block : nil
    }

    /// Those bytes of the copy, unverified, or nil when there is no copy or it is too short.
    package func load(_ kind: ObjectKind, _ id: Digest, range: Range<UInt64>) async -> Block? {
        let name = ObjectName(kind, id)
        guard range.upperBound <= UInt64(Int32.max), let file = files.file(name, open: { open(kind, id) }) else {
            return nil
        }
        return try? await windows.read(
            name,
            range,
            size: { try file.status().size },
            fetch: { range in
                let block = Block(capacity: range.count)
                try block.fill { room throws(Errno) in try file.read(into: room, at: range.lowerBound) }
                guard block.count == range.count else { throw CopyTooShort() }
                return block
            }
        )
    }

    private func open(_ kind: ObjectKind, _ id: Digest) -> FileDescriptor? {
        guard keepsCopies, let folder = folders[kind], !isBypassed(kind, id) else { return nil }
        return try? folder.openFileBeneath(CacheLayout.path(id))
    }

    private func isBypassed(_ kind: ObjectKind, _ id: Digest) -> Bool {
        state.withLock { !$0.bypassed.isEmpty && $0.bypassed.contains(ObjectName(kind, id)) }
    }

    /// Whether it is worth fetching that pack whole in order to keep it: not after keeping it failed.
    package func wantsPack(_ id: Digest) -> Bool {
        keepsCopies && state.withLock { $0.isWriting && !$0.bypassed.contains(ObjectName(.pack, id)) }
    }

    // MARK: Writing

    /// Keeps a copy; never fails (rule 2).
    package func store(_ kind: ObjectKind, _ id: Digest, _ block: Block) {
        guard keepsCopies, let folder = folders[kind], !isBypassed(kind, id), state.withLock({ $0.isWriting }) else {
            return
        }
        do throws(Errno) {
            try CacheLayout.write(block, id, in: folder, entropy: entropy)
        } catch {
            let isFirst = state.withLock { state in
                defer { state.isWriting = false }
                return state.isWriting
            }
            if isFirst { warn("unable to write to the cache \(path.display): \(error); going on without caching more") }
        }
    }

    /// Drops a copy that proved wrong.
    ///
    /// Only once in a run; after that the object is not looked for here any more.
    package func forget(_ kind: ObjectKind, _ id: Digest) {
        let name = ObjectName(kind, id)
        drop(name)
        let isFirst = state.withLock { state in
            if state.forgotten.insert(name).inserted { return true }
            state.bypassed.insert(name)
            return false
        }
        if isFirst { remove(kind, id) }
    }

    /// Drops the copies of all objects of that kind that are not in `valid`, since the repository has them no more.
    package func keepOnly(_ kind: ObjectKind, _ valid: Set<Digest>) {
        guard keepsCopies, let folder = folders[kind] else { return }
        for id in CacheLayout.contents(of: folder) where !valid.contains(id) {
            drop(ObjectName(kind, id))
            remove(kind, id)
        }
    }

    private func remove(_ kind: ObjectKind, _ id: Digest) {
        guard let folder = folders[kind], let part = try? folder.openDirectory(CacheLayout.prefix(id)) else { return }
        try? part.remove(ByteString(id.hex))
    }

    private func drop(_ name: ObjectName) {
        files.drop(name)
        windows.drop(name)
    }
}

/// A copy ends before what was asked for.
private struct CopyTooShort: Error {}
