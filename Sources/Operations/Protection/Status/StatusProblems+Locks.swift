import Bytes
import Strategy

/// What is said of copies that could be destroyed with what this machine holds.
extension StatusProblems {
    mutating func judge(_ concern: MutabilityConcern, of medium: String) {
        let tryIt = "holdfast verify immutability \(medium)"
        switch concern {
        case .unlocked:
            let next = "give it a lock, or hold a copy out of reach: docs/manual/immutable.md"
            add(
                .amber,
                .destroyable,
                medium,
                "immutable: no, who takes this machine can delete the copies there, too",
                next
            )
        case .neverTried:
            add(.amber, .destroyable, medium, "immutable: no, it was never tried to delete a copy there", tryIt)
        case .changed:
            add(
                .amber,
                .destroyable,
                medium,
                "immutable: no, its bucket, key or lock is another since that was tried",
                tryIt
            )
        case .tooLongAgo(let age):
            add(.amber, .destroyable, medium, "immutable: no, that was last tried \(ageText(age)) ago", tryIt)
        case .failed(let what):
            let next = "mend its locks, or what its credentials may do: docs/manual/immutable.md; then: \(tryIt)"
            add(
                .wrong,
                .destroyable,
                medium,
                "immutable: no, a copy there can be destroyed with what this machine holds: \(what)",
                next
            )
        }
    }

    /// Locks that nobody makes longer end.
    mutating func judgeLocks(_ repository: LabStatus.RepositoryState, _ status: LabStatus) {
        guard let length = repository.store.medium.lock, let interval = repository.store.medium.lockInterval,
            let locked = repository.history?.locked
        else { return }
        let age = status.now.length(since: locked)
        guard age > interval * 2 else { return }
        let left = ageText(max(length - age, .zero))
        let what = "its locks were last made longer \(ageText(age)) ago: the first end in \(left)"
        add(age > length - interval ? .wrong : .amber, .unextended, repository.store.name, what, "holdfast run --all")
    }
}

extension Medium {
    /// Destroying a copy there was tried and refused, lately.
    func isProvenImmutable(_ ledger: Ledger, now: Timestamp) -> Bool {
        isGuarded && mutability(ledger.immutability[name], now: now) == nil
    }
}

extension Lab {
    /// Why media that are out of the house, or are guarded, do not count as immutable.
    func mutability(_ ledger: Ledger, now: Timestamp) -> [String: MutabilityConcern] {
        var concerns: [String: MutabilityConcern] = [:]
        for medium in media where medium.isRemote && (medium.kind == .offsite || medium.isGuarded) {
            concerns[medium.name] = medium.mutability(ledger.immutability[medium.name], now: now)
        }
        return concerns
    }
}
