package import Bytes

/// What came of trying to destroy copies on a medium with the credentials that runs hold.
package struct DestructionProof: Sendable, Hashable {
    package var tried: Timestamp
    /// Everything that was tried was refused.
    package var isProven: Bool
    /// What was not, or could not be told, in words; empty when nothing.
    package var what: String
    /// Against what it was tried: with another bucket, key or lock nothing is proven.
    package var subject: String

    package init(tried: Timestamp, isProven: Bool, what: String, subject: String) {
        self.tried = tried
        self.isProven = isProven
        self.what = what
        self.subject = subject
    }

    /// Rights of keys and rules of buckets are changed by hand: what was proven so long ago is tried again.
    package static let validSeconds: Int64 = 90 * 86_400
}

/// Why copies on a medium do not count as immutable.
package enum MutabilityConcern: Sendable, Hashable {
    /// Nothing stands against their destruction.
    case unlocked
    case neverTried
    /// The bucket, the key or the lock are others since.
    case changed
    case tooLongAgo(Duration)
    case failed(String)
}

extension Medium {
    /// What a proof is about: where it is, who writes there, what stands against destruction.
    package var guardSubject: String {
        let writer = credentials?.text ?? "nobody"
        switch location {
        case .s3(let bucket):
            let lock = bucket.lock.map { "\(bucket.lockMode.rawValue) \(lengthText($0))" } ?? "none"
            return "\(text), \(writer), lock \(lock)"
        case .rest(let server): return "\(text), \(writer), \(server.isAppendOnly ? "append-only" : "open")"
        case .folder, .sftp: return ""
        }
    }

    /// Something is declared to stand against the destruction of its copies.
    package var isGuarded: Bool { lock != nil || isAppendOnly }

    /// Why its copies do not count as immutable; nil when they do.
    package func mutability(_ proof: DestructionProof?, now: Timestamp) -> MutabilityConcern? {
        guard isGuarded else { return .unlocked }
        guard let proof else { return .neverTried }
        guard proof.subject == guardSubject else { return .changed }
        guard proof.isProven else { return .failed(proof.what) }
        let age = now.length(since: proof.tried)
        return age > .seconds(DestructionProof.validSeconds) ? .tooLongAgo(age) : nil
    }

    /// How often locks are extended: so often that at least three quarters of them are left, and every 30 days.
    package var lockInterval: Duration? { lock.map { min($0 / 4, .seconds(30 * 86_400)) } }
}
