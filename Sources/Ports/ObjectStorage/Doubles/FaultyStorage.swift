package import Bytes
import HostSystem
import Synchronization

/// A store that lies, fails, waits and dies by a script, around a store that does not (fault-plan rig 8).
///
/// Deterministic: rules are tried in order, and what chance decides follows from `seed`, the object and how often
/// that object was asked for, so the order in which tasks run changes nothing. Every call is counted and recorded.
package final class FaultyStorage: ObjectStorage {
    private struct State {
        var rules: [StorageRule]
        var matches: [Int]
        var calls: [StorageCall] = []
        var asked: [ObjectName?: UInt64] = [:]
        var listings: [ObjectKind: ObjectListing] = [:]
        var isDead = false
    }

    private let inner: any ObjectStorage
    private let seed: UInt64
    private let time: any TimeSource
    package let isLocalDisk: Bool
    private let state: Mutex<State>

    /// `isLocalDisk` says where it seems to lie; without, it lies where `inner` does by then.
    package init(
        wrapping inner: any ObjectStorage,
        rules: [StorageRule] = [],
        seed: UInt64 = 1,
        time: any TimeSource = SystemTime(),
        isLocalDisk: Bool? = nil
    ) {
        self.isLocalDisk = isLocalDisk ?? inner.isLocalDisk
        self.inner = inner
        self.seed = seed
        self.time = time
        state = Mutex(State(rules: rules, matches: rules.map { _ in 0 }))
    }

    package var location: String { inner.location }
    package var connections: Int { inner.connections }
    package var listedPerRequest: Int? { inner.listedPerRequest }

    /// Every call so far, in the order in which they began.
    package var calls: [StorageCall] { state.withLock { $0.calls } }

    /// How often an operation was called.
    package func count(_ operation: StorageOperation, _ kind: ObjectKind? = nil) -> Int {
        calls.count { $0.operation == operation && (kind == nil || $0.kind == kind) }
    }

    /// Replaces the rules and starts their counts anew; a dead store lives again.
    package func setRules(_ rules: [StorageRule]) {
        state.withLock { state in
            state.rules = rules
            state.matches = rules.map { _ in 0 }
            state.isDead = false
        }
    }

    /// Forgets the calls so far, so that `overall` counts from here.
    package func forgetCalls() {
        state.withLock { state in
            state.calls = []
            state.asked = [:]
        }
    }

    // MARK: The store

    package func prepare() async throws { try await plain(.prepare) { try await inner.prepare() } }

    package func exists() async throws -> Bool { try await plain(.exists) { try await inner.exists() } }

    package func checkIdentity() async throws { try await plain(.checkIdentity) { try await inner.checkIdentity() } }

    package func size(_ name: ObjectName) async throws -> UInt64 {
        try await plain(.size, name.kind, name) { try await inner.size(name) }
    }

    package func remove(_ name: ObjectName) async throws {
        try await plain(.remove, name.kind, name) { try await inner.remove(name) }
    }

    package func put(_ name: ObjectName, _ bytes: Block) async throws {
        let call = begin(.put, name.kind, name)
        switch call.fault {
        case .ghostPut: return
        case .truncatePut(let count):
            let kept = bytes.withBytes { Block(copying: UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
            try await inner.put(name, kept)
        default:
            try await perform(call) { try await inner.put(name, bytes) }
        }
    }

    package func replaceConfig(_ bytes: Block) async throws {
        let call = begin(.put, .config, .config)
        switch call.fault {
        case .ghostPut: return
        case .truncatePut(let count):
            try await inner.replaceConfig(
                bytes.withBytes { Block(copying: UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
            )
        default: try await perform(call) { try await inner.replaceConfig(bytes) }
        }
    }

    package func get(_ name: ObjectName, range: Range<UInt64>?) async throws -> Block {
        let call = begin(.get, name.kind, name, range)
        let block = try await perform(call) { try await inner.get(name, range: range) }
        switch call.fault {
        case .flipBit: return flipped(block, call)
        case .zeros: return Block([UInt8](repeating: 0, count: block.count))
        case .misdirect: return try await other(than: block, call)
        case .shortRead(let count):
            return block.withBytes { Block(copying: UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
        default: return block
        }
    }

    package func listing(_ kind: ObjectKind) async throws -> ObjectListing {
        let call = begin(.list, kind)
        let before = state.withLock { $0.listings[kind] }
        let now = try await perform(call) { try await inner.listing(kind) }
        state.withLock { $0.listings[kind] = now }
        return call.fault == .staleList ? before ?? ObjectListing() : now
    }

    // MARK: Faults

    private func plain<R>(
        _ operation: StorageOperation,
        _ kind: ObjectKind? = nil,
        _ name: ObjectName? = nil,
        _ body: () async throws -> R
    ) async throws -> R {
        try await perform(begin(operation, kind, name), body)
    }

    /// Records the call and decides what strikes it.
    private func begin(
        _ operation: StorageOperation,
        _ kind: ObjectKind? = nil,
        _ name: ObjectName? = nil,
        _ range: Range<UInt64>? = nil
    ) -> StorageCall {
        state.withLock { state in
            var call = StorageCall(
                number: state.calls.count,
                operation: operation,
                kind: kind,
                name: name,
                range: range
            )
            let turn = state.asked[name, default: 0]
            state.asked[name] = turn + 1
            call.fault = state.isDead ? .fail(.diskGone) : decide(call, turn, &state)
            if call.fault == .crashBefore || call.fault == .crashAfter { state.isDead = true }
            state.calls.append(call)
            return call
        }
    }

    private func decide(_ call: StorageCall, _ turn: UInt64, _ state: inout State) -> StorageFault? {
        var decision: StorageFault?
        for (index, rule) in state.rules.enumerated() where rule.matches(call) {
            let match = state.matches[index]
            state.matches[index] += 1
            if decision == nil, strikes(rule, UInt64(index), match, turn, call) { decision = rule.fault }
        }
        return decision
    }

    private func strikes(
        _ rule: StorageRule,
        _ index: UInt64,
        _ match: Int,
        _ turn: UInt64,
        _ call: StorageCall
    ) -> Bool {
        switch rule.moment {
        case .always: return true
        case .calls(let numbers): return numbers.contains(match)
        case .from(let first): return match >= first
        case .overall(let number): return call.number == number
        case .probability(let chance):
            let digest = call.name?.digest ?? .zero
            let number = mixed(seed, index, digest.a, digest.d, call.range?.lowerBound ?? 0, turn)
            return Double(number >> 11) / Double(1 << 53) < chance
        }
    }

    /// Makes the call under the faults that strike before and after it; those of the bytes are the caller's.
    private func perform<R>(_ call: StorageCall, _ body: () async throws -> R) async throws -> R {
        switch call.fault {
        case .fail(let code): throw failure(code, call)
        case .crashBefore: throw failure(.diskGone, call)
        case .failAfter(let code):
            _ = try await body()
            throw failure(code, call)
        case .crashAfter:
            _ = try await body()
            throw failure(.diskGone, call)
        case .delay(let nanoseconds):
            try await time.sleep(nanoseconds: nanoseconds)
            return try await body()
        case .hang:
            while true { try await Task.sleep(nanoseconds: 3_600_000_000_000) }
        case nil, .ghostPut, .truncatePut, .flipBit, .zeros, .misdirect, .shortRead, .staleList:
            return try await body()
        }
    }

    private func flipped(_ block: Block, _ call: StorageCall) -> Block {
        var bytes = block.bytes
        guard !bytes.isEmpty else { return block }
        let number = mixed(seed, UInt64(call.number), call.name?.digest.a ?? 0, UInt64(bytes.count))
        bytes[Int(number % UInt64(bytes.count))] ^= 1 << UInt8((number >> 32) & 7)
        return Block(bytes)
    }

    private func other(than block: Block, _ call: StorageCall) async throws -> Block {
        guard let name = call.name else { return block }
        let others = try await inner.list(name.kind).filter {
            $0.digest != name.digest && $0.size >= UInt64(block.count)
        }
        guard let other = others.min(by: { $0.digest < $1.digest }) else { return flipped(block, call) }
        return try await inner.get(ObjectName(name.kind, other.digest), range: 0..<UInt64(block.count))
    }

    private func failure(_ code: StorageCode, _ call: StorageCall) -> StorageFailure {
        StorageFailure(
            code,
            call.operation.rawValue,
            "\(call.name?.short ?? call.kind?.rawValue ?? "repository") in \(location)",
            "injected at call \(call.number)",
            state: "a test made this failure",
            next: "nothing: this store fails on purpose"
        )
    }
}
