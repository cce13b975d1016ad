package import Bytes
package import ObjectStorage
import Synchronization

/// Pieces of tree packs that were read lately from a store on a disk of this machine, where no copies are cached.
///
/// A walk over a snapshot asks for thousands of trees, each some hundred bytes, from a few packs. A window of 128 KiB around the
/// wanted bytes answers a hundred of such questions with one request. Bounds: 32 windows (4 MiB), the least recently used goes first.
/// What comes from here is as unproven as what comes from the store. Isolation: any task.
package final class TreeWindows: Sendable {
    static let windowBytes: UInt64 = 128 << 10
    static let windowsMax = 32
    static let packsMax = 256

    private struct Key: Hashable {
        var name: ObjectName
        var number: UInt64
    }

    private struct State {
        var windows = LeastRecentlyUsed<Key, Block>(limit: TreeWindows.windowsMax)
        var sizes = LeastRecentlyUsed<ObjectName, UInt64>(limit: TreeWindows.packsMax)
    }

    private let state = Mutex(State())

    package init() {}

    /// Those bytes of the pack.
    ///
    /// Errors: of the store, `tooShort` when the pack ends before them.
    package func read(_ name: ObjectName, _ range: Range<UInt64>, from store: any ObjectStorage) async throws -> Block {
        guard UInt64(range.count) <= Self.windowBytes else { return try await store.get(name, range: range) }
        let number = range.lowerBound / Self.windowBytes
        let start = number * Self.windowBytes
        let key = Key(name: name, number: number)
        var window = state.withLock { $0.windows[key] }
        if window.map({ start + UInt64($0.count) < range.upperBound }) ?? true {
            let end = min(try await size(name, store), max(start + Self.windowBytes, range.upperBound))
            guard range.upperBound <= end else { return try await store.get(name, range: range) }
            let fetched = try await store.get(name, range: start..<end)
            guard UInt64(fetched.count) == end - start else { return try await store.get(name, range: range) }
            state.withLock { $0.windows.insert(fetched, for: key) }
            window = fetched
        }
        guard let window else { return try await store.get(name, range: range) }
        return window.withBytes { bytes in
            Block(copying: bytes.part(from: Int(range.lowerBound - start), count: range.count))
        }
    }

    private func size(_ name: ObjectName, _ store: any ObjectStorage) async throws -> UInt64 {
        if let known = state.withLock({ $0.sizes[name] }) { return known }
        let size = try await store.size(name)
        state.withLock { $0.sizes.insert(size, for: name) }
        return size
    }

    /// Forgets everything about one pack, so that it is read again.
    package func drop(_ name: ObjectName) {
        state.withLock { state in
            state.sizes.remove(name)
            state.windows.removeAll { $0.name == name }
        }
    }
}
