import Glibc
import Synchronization

/// The system calls that tests can fail, by what they do rather than by kernel name.
package enum SystemCall: String, Sendable, Hashable, CaseIterable {
    case open, create, read, write, allocate, sync, syncDirectory, close, rename, link, remove
    case createDirectory, createSymbolicLink, createNode, status, readLink, list, setMetadata, attributes

    /// Calls that are made again when a signal interrupted them.
    var isRepeated: Bool {
        switch self {
        case .open, .create, .read, .write, .allocate, .sync, .syncDirectory, .status, .list: true
        case .close, .rename, .link, .remove, .createDirectory, .createSymbolicLink, .createNode, .readLink,
            .setMetadata,
            .attributes:
            false
        }
    }
}

/// What becomes of one call.
package enum SystemVerdict: Sendable, Hashable {
    case proceed
    /// The call is not made and fails with this errno.
    case fail(Int32)
    /// The call is made, and its success is reported as this errno.
    case failAfter(Int32)
    /// A read or a write moves at most so many bytes; other calls proceed.
    case shorten(Int)
}

/// The injection point of fail-at-call-N (fault-plan 2.3): sees every call made through the descriptors and
/// directories that carry it.
///
/// One per store instance, inherited by what is opened through it; nil in production, where it costs one comparison a
/// call.
package final class SystemHooks: Sendable {
    private struct State {
        var calls: [SystemCall] = []
        var countOf: [SystemCall: Int] = [:]
    }

    private let state = Mutex(State())
    private let decide: @Sendable (SystemCall, _ indexOfCall: Int, _ indexOverall: Int) -> SystemVerdict

    /// `decide` gets the call, its number among calls of that sort and among all, both counted from 0.
    package init(_ decide: @escaping @Sendable (SystemCall, _ indexOfCall: Int, _ indexOverall: Int) -> SystemVerdict) {
        self.decide = decide
    }

    /// Fails the calls `indices` of one sort with `code`; everything else proceeds.
    package static func failing(_ call: SystemCall, at indices: Set<Int>, with code: Int32) -> SystemHooks {
        SystemHooks { candidate, index, _ in candidate == call && indices.contains(index) ? .fail(code) : .proceed }
    }

    /// Every call so far, in order.
    package var record: [SystemCall] { state.withLock { $0.calls } }

    /// An interruption counts as one call and is followed by the next, as in the loops around the kernel.
    func verdict(_ call: SystemCall) -> SystemVerdict {
        while true {
            let verdict = decideOnce(call)
            if call.isRepeated, verdict == .fail(EINTR) { continue }
            return verdict
        }
    }

    private func decideOnce(_ call: SystemCall) -> SystemVerdict {
        let (ofCall, overall) = state.withLock { state in
            let ofCall = state.countOf[call, default: 0]
            state.countOf[call] = ofCall + 1
            state.calls.append(call)
            return (ofCall, state.calls.count - 1)
        }
        return decide(call, ofCall, overall)
    }
}

extension Optional<SystemHooks> {
    /// Makes the call unless the hooks say otherwise.
    @inline(__always)
    func around<R>(_ call: SystemCall, _ name: StaticString, _ body: () throws(Errno) -> R) throws(Errno) -> R {
        guard let hooks = self else { return try body() }
        switch hooks.verdict(call) {
        case .proceed, .shorten: return try body()
        case .fail(let code): throw Errno(code, in: name)
        case .failAfter(let code):
            _ = try body()
            throw Errno(code, in: name)
        }
    }

    /// As `around` for a transfer of `count` bytes; `body` gets how many of them to move.
    @inline(__always)
    func around(
        _ call: SystemCall,
        _ name: StaticString,
        count: Int,
        _ body: (Int) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        guard let hooks = self else { return try body(count) }
        switch hooks.verdict(call) {
        case .proceed: return try body(count)
        case .shorten(let limit): return try body(Swift.min(count, Swift.max(limit, 1)))
        case .fail(let code): throw Errno(code, in: name)
        case .failAfter(let code):
            _ = try body(count)
            throw Errno(code, in: name)
        }
    }
}
