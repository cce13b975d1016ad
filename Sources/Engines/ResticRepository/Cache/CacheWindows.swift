import Bytes
import HostSystem
import ObjectStorage
import Synchronization

/// Pieces of cached files that were read lately, and the files themselves held open.
///
/// A walk over a snapshot asks for thousands of trees, each some hundred bytes, from a few packs. A window of 256 KiB
/// around the wanted bytes answers hundreds of such questions with one `pread`. Bounds: 64 windows (16 MiB) and 32 open
/// files, the least recently used go first. Isolation: any task; nothing is read while the mutex is held.
package final class CacheWindows: Sendable {
    package static let windowBytes = 256 << 10
    package static let windowsMax = 64
    package static let filesMax = 32

    private struct Key: Hashable {
        var name: ObjectName
        var number: Int
    }

    private struct State {
        var windows = LeastRecentlyUsed<Key, Block>(limit: CacheWindows.windowsMax)
        var files = LeastRecentlyUsed<ObjectName, FileDescriptor>(limit: CacheWindows.filesMax)
    }

    private let state = Mutex(State())

    /// Those bytes, or nil when the file is not there or shorter.
    ///
    /// Long ranges are read directly and not kept.
    func read(_ name: ObjectName, _ range: Range<Int>, open: () -> FileDescriptor?) -> Block? {
        let output = Block(capacity: range.count)
        if range.count > 2 * Self.windowBytes {
            guard let file = file(name, open) else { return nil }
            try? output.fill { room throws(Errno) in try file.read(into: room, at: UInt64(range.lowerBound)) }
            return output.count == range.count ? output : nil
        }
        var position = range.lowerBound
        while position < range.upperBound {
            let number = position / Self.windowBytes
            guard let window = window(name, number, open) else { return nil }
            let first = position - number * Self.windowBytes
            let end = min(range.upperBound - number * Self.windowBytes, window.count)
            guard first < end else { return nil }
            window.withBytes { output.append(UnsafeRawBufferPointer(rebasing: $0[first..<end])) }
            position += end - first
        }
        return output
    }

    private func window(_ name: ObjectName, _ number: Int, _ open: () -> FileDescriptor?) -> Block? {
        let key = Key(name: name, number: number)
        if let known = state.withLock({ $0.windows[key] }) { return known }
        guard let file = file(name, open) else { return nil }
        let window = Block(capacity: Self.windowBytes)
        do throws(Errno) {
            try window.fill { room throws(Errno) in try file.read(into: room, at: UInt64(number * Self.windowBytes)) }
        } catch {
            return nil
        }
        state.withLock { $0.windows.insert(window, for: key) }
        return window
    }

    private func file(_ name: ObjectName, _ open: () -> FileDescriptor?) -> FileDescriptor? {
        if let known = state.withLock({ $0.files[name] }) { return known }
        guard let file = open() else { return nil }
        state.withLock { $0.files.insert(file, for: name) }
        return file
    }

    /// Forgets everything about one file.
    func drop(_ name: ObjectName) {
        state.withLock { state in
            state.files.remove(name)
            state.windows.removeAll { $0.name == name }
        }
    }
}
