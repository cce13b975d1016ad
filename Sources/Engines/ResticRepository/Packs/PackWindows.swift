package import Bytes
package import ObjectStorage
import Synchronization

/// Pieces of packs that were read lately, out of a store on this machine or out of the cache.
///
/// A walk over a snapshot asks for thousands of trees, each some hundred bytes, from a few packs. A window of 128 KiB around the
/// wanted bytes answers a hundred of such questions with one request. Bounds: 32 windows (4 MiB), the least recently used goes first.
/// What comes from here is as unproven as what it was read from. Isolation: any task; nothing is read while the mutex is held.
package final class PackWindows: Sendable {
    package static let windowBytes: UInt64 = 128 << 10
    static let windowsMax = 32
    static let packsMax = 256

    private struct Key: Hashable {
        var name: ObjectName
        var number: UInt64
    }

    private struct State {
        var windows = LeastRecentlyUsed<Key, Block>(limit: PackWindows.windowsMax)
        var sizes = LeastRecentlyUsed<ObjectName, UInt64>(limit: PackWindows.packsMax)
    }

    private let state = Mutex(State())

    package init() {}

    /// Those bytes of the pack.
    ///
    /// `size` tells how long the pack is, `fetch` reads a range of it. Long ranges are read directly and not kept. Errors: of both;
    /// `fetch` refuses what lies beyond the end.
    package func read(
        _ name: ObjectName,
        _ range: Range<UInt64>,
        size: () async throws -> UInt64,
        fetch: (Range<UInt64>) async throws -> Block
    ) async throws -> Block {
        guard UInt64(range.count) <= Self.windowBytes else { return try await fetch(range) }
        let number = range.lowerBound / Self.windowBytes
        let start = number * Self.windowBytes
        let key = Key(name: name, number: number)
        var window = state.withLock { $0.windows[key] }
        if window.map({ start + UInt64($0.count) < range.upperBound }) ?? true {
            let end = min(try await known(size, of: name), max(start + Self.windowBytes, range.upperBound))
            guard range.upperBound <= end else { return try await fetch(range) }
            let fetched = try await fetch(start..<end)
            guard UInt64(fetched.count) == end - start else { return try await fetch(range) }
            state.withLock { $0.windows.insert(fetched, for: key) }
            window = fetched
        }
        guard let window else { return try await fetch(range) }
        return window.withBytes { bytes in
            Block(copying: bytes.part(from: Int(range.lowerBound - start), count: range.count))
        }
    }

    /// As above, out of a store.
    package func read(_ name: ObjectName, _ range: Range<UInt64>, from store: any ObjectStorage) async throws -> Block {
        try await read(
            name,
            range,
            size: { try await store.size(name) },
            fetch: { try await store.get(name, range: $0) }
        )
    }

    private func known(_ size: () async throws -> UInt64, of name: ObjectName) async throws -> UInt64 {
        if let known = state.withLock({ $0.sizes[name] }) { return known }
        let size = try await size()
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
