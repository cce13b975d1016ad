package import Bytes
import HTTPTransport
import HostSystem
import Outcome
import Synchronization

/// A store behind a network: so many requests at a time, and each again while that can help.
///
/// The one place that tries again, for every remote store. 1. Locks do not stand in line: one that waits behind packs would go stale.
/// 2. Nobody holds a connection while waiting for the next try. 3. A removal that finds nothing, and a config that finds itself, after a
/// failed try of its own is done (E-20).
package final class RemoteStorage: ObjectStorage {
    /// Hears of a try that failed and will be repeated: of what, why, and in how many seconds.
    package typealias Report = @Sendable (_ what: String, _ failure: StorageFailure, _ waitSeconds: Double) -> Void

    private let inner: any ObjectStorage
    private let policy: RetryPolicy
    private let time: any TimeSource
    private let entropy: any EntropySource
    private let report: Report
    /// Counts requests, not bytes.
    private let budget: ByteBudget
    private let hasAnswered = Mutex(false)

    package init(
        _ inner: any ObjectStorage,
        policy: RetryPolicy = RetryPolicy(),
        time: any TimeSource = SystemTime(),
        entropy: any EntropySource = SystemEntropy(),
        report: @escaping Report = { _, _, _ in }
    ) {
        self.inner = inner
        self.policy = policy
        self.time = time
        self.entropy = entropy
        self.report = report
        budget = ByteBudget(max(1, inner.connections))
    }

    package var location: String { inner.location }
    package var connections: Int { inner.connections }
    package var listedPerRequest: Int? { inner.listedPerRequest }

    package func prepare() async throws { try await repeating("Create") { _ in try await inner.prepare() } }

    package func exists() async throws -> Bool { try await repeating("Stat(config)") { _ in try await inner.exists() } }

    package func absence() async -> String? { await inner.absence() }

    package func checkIdentity() async throws { try await inner.checkIdentity() }

    package func put(_ name: ObjectName, _ bytes: Block) async throws {
        try await repeating("Save", name) { tries in
            do {
                try await inner.put(name, bytes)
            } catch let failure as StorageFailure where failure.code == .exists && name == .config && tries > 0 {
                // The try before may have done it, and its answer was lost; a config of others has other bytes.
                guard try await inner.get(.config).bytes == bytes.bytes else { throw failure }
            }
        }
    }

    package func replaceConfig(_ bytes: Block) async throws {
        try await repeating("Save", .config) { _ in try await inner.replaceConfig(bytes) }
    }

    package func get(_ name: ObjectName, range: Range<UInt64>?) async throws -> Block {
        try await repeating("Load", name) { _ in try await inner.get(name, range: range) }
    }

    package func size(_ name: ObjectName) async throws -> UInt64 {
        try await repeating("Stat", name) { _ in try await inner.size(name) }
    }

    package func listing(_ kind: ObjectKind) async throws -> ObjectListing {
        try await repeating("List(\(kind.rawValue))") { _ in try await inner.listing(kind) }
    }

    package func extendLock(_ name: ObjectName, until end: Timestamp) async throws {
        try await repeating("Lock", name) { _ in try await inner.extendLock(name, until: end) }
    }

    /// A lock is taken away by a cancelled task, too, within a grace.
    package func remove(_ name: ObjectName) async throws {
        guard name.kind == .lock else { return try await removeNow(name) }
        try await pastCancellation(graceSeconds: Self.graceSeconds) { [self] in try await removeNow(name) }
    }

    /// For what a cancelled task gives back; nobody who pressed Ctrl-C waits longer.
    static let graceSeconds = 5

    private func removeNow(_ name: ObjectName) async throws {
        try await repeating("Remove", name) { tries in
            do {
                try await inner.remove(name)
            } catch let failure as StorageFailure where failure.code == .notFound && tries > 0 {
                // The try before did it, and its answer was lost.
            }
        }
    }

    // MARK: Again

    /// Makes a request until it succeeds, cannot succeed, or the policy gives it up; `body` is told how many tries were made before.
    private func repeating<R>(
        _ call: String,
        _ name: ObjectName? = nil,
        _ body: (_ triesBefore: Int) async throws -> R
    ) async throws -> R {
        let start = time.monotonicNanoseconds()
        var firstFailure: UInt64?
        var tries = 0
        while true {
            do {
                let result = try await inTurn(name) { try await body(tries) }
                hasAnswered.withLock { $0 = true }
                return result
            } catch let failure as StorageFailure {
                tries += 1
                let answer = failure.cause as? RemoteAnswer
                let hasAnswered = hasAnswered.withLock { hasAnswered in
                    if answer != nil { hasAnswered = true }
                    return hasAnswered
                }
                let now = time.monotonicNanoseconds()
                let elapsed = Double(now &- start) / 1e9
                let failing = Double(now &- (firstFailure ?? now)) / 1e9
                firstFailure = firstFailure ?? now
                let attempt = RetryPolicy.Attempt(
                    tries: tries,
                    elapsedSeconds: elapsed,
                    failingSeconds: failing,
                    code: failure.code,
                    hasAnswered: hasAnswered,
                    askedWaitSeconds: answer?.retryAfterSeconds
                )
                guard let wait = policy.wait(after: attempt, chance: chance()) else {
                    throw tries == 1 ? failure : failure.givenUp(tries: tries, seconds: elapsed)
                }
                if attempt.isStaleConnection { continue }
                report(name.map { "\(call)(\($0.path))" } ?? call, failure, wait)
                try await time.sleep(nanoseconds: UInt64(wait * 1e9))
            }
        }
    }

    private func inTurn<R>(_ name: ObjectName?, _ body: () async throws -> R) async throws -> R {
        try Task.checkCancellation()
        if name?.kind == .lock { return try await body() }
        return try await budget.holding(1, body)
    }

    private func chance() -> Double {
        entropy.bytes(4).reduce(0) { ($0 + Double($1)) / 256 }
    }
}

extension StorageFailure {
    fileprivate func givenUp(tries: Int, seconds: Double) -> StorageFailure {
        var failure = self
        failure.what += "; given up after \(tries) tries in \(Int(seconds.rounded())) s"
        return failure
    }
}
