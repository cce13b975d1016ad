package import Bytes

/// Something without worth that lies where copies lie, so that destroying it can be tried.
package struct Canary: Sendable, Hashable {
    package var kind: ObjectKind
    /// Where it lies below the repository: stock tools pass over names of this form.
    package var name: String
    /// Digits beyond guessing, so that no two trials meet.
    package init(_ kind: ObjectKind, entropy: some EntropySource) {
        self.kind = kind
        let digits = entropy.bytes(8).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }
        name = (kind == .config ? "" : kind.directoryName + "/") + "holdfast-canary-" + digits.joined()
    }

    /// One that is named as every object is: after its content.
    init(_ object: ObjectName) {
        kind = object.kind
        name = object.kind.directoryName + "/" + object.fileName
    }
}

/// A way to get rid of a copy.
package enum DestructionAttempt: String, Sendable, Hashable, CaseIterable {
    case shorten = "shorten its lock"
    case shortenBypassing = "shorten its lock by bypass"
    case remove = "delete it by version id"
    case removeBypassing = "delete it by bypass"
    case hide = "hide it by a delete marker"
    case removePlainly = "delete it"
    case replace = "put other bytes in its place"
    case removeAnother = "delete one that is not there"
}

/// What came of one attempt.
package enum AttemptOutcome: Sendable, Hashable {
    /// As it must be, with what the server said.
    case withstood(String)
    /// The copy could be destroyed, or was.
    case gaveWay(String)
    /// Neither can be said.
    case unclear(String)

    package var text: String {
        switch self {
        case .withstood(let text), .gaveWay(let text), .unclear(let text): text
        }
    }

    package var isWithstood: Bool { if case .withstood = self { true } else { false } }
}

/// All attempts on one canary.
package struct CanaryTrial: Sendable, Hashable {
    package var canary: Canary
    /// Until when the server says that it is locked; nil: not at all.
    package var lockedUntil: Timestamp?
    /// Locks are what this store has against destruction.
    package var hasLocks = true
    package var attempts: [(attempt: DestructionAttempt, outcome: AttemptOutcome)] = []

    package var isProven: Bool {
        (lockedUntil != nil || !hasLocks) && !attempts.isEmpty && attempts.allSatisfy(\.outcome.isWithstood)
    }

    package static func == (left: CanaryTrial, right: CanaryTrial) -> Bool {
        left.canary == right.canary && left.lockedUntil == right.lockedUntil
            && left.attempts.elementsEqual(right.attempts) { $0 == $1 }
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(canary) }
}
