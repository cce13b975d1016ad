import Bytes
import Journal
package import ObjectStorage
import Outcome
import ResticRepository
import Sealing
package import Strategy

/// Tries to destroy what lies on a medium with the very credentials that runs hold, on canaries beside its objects.
///
/// Nothing of a repository is touched. What withstands stays until its lock ends; stock tools pass over it by its name.
package struct ImmutabilityTrial: Sendable {
    private let environment: ProtectionEnvironment

    package init(_ environment: ProtectionEnvironment) { self.environment = environment }

    /// The kinds whose loss would be the loss of a copy.
    private static let kinds: [ObjectKind] = [.pack, .index, .snapshot, .key, .config]

    /// Tries, remembers it in the ledger and the journal, and returns what it came to; `show` hears of each canary.
    ///
    /// Errors: `E-UNKNOWN` for the name, `E-UNSUPPORTED` for media without locks, those of the store: then nothing is concluded.
    package func run(
        _ name: String,
        show: (_ repository: String, _ trial: CanaryTrial) -> Void
    ) async throws -> DestructionProof {
        let medium = try environment.medium(named: name, operation: "verify immutability of")
        let stores = environment.stores.filter { $0.medium.name == name }
        guard medium.canBeTried, !stores.isEmpty else { throw unsupported(medium, hasStores: !stores.isEmpty) }
        let file = LedgerFile(environment)
        _ = await file.loadOrRecover()
        var weaknesses: [String] = []
        var count = 0
        for store in stores {
            for trial in try await trials(in: store, { show(store.name, $0) }) {
                weaknesses += weakness(of: trial).map { "\(store.name), \(trial.canary.kind.rawValue): \($0)" }
                count += 1
            }
        }
        let proof = DestructionProof(
            tried: environment.now,
            isProven: weaknesses.isEmpty,
            what: weaknesses.first ?? "",
            subject: medium.guardSubject
        )
        await file.update { $0.immutability[name] = proof }
        var record = EvidenceRecord(
            id: RunJournal.newID(environment.repository.entropy),
            kind: "immutability",
            medium: name,
            when: proof.tried,
            outcome: proof.isProven ? .passed : .failed
        )
        record.detail = "{\"canaries\":\(count)}"
        await environment.journal?.record([.evidence(record)])
        return proof
    }

    private func trials(in store: LabStore, _ show: (CanaryTrial) -> Void) async throws -> [CanaryTrial] {
        var trials: [CanaryTrial] = []
        let entropy = environment.repository.entropy
        if case .rest = store.medium.location {
            let content = Block(Array("holdfast canary of \(store.name): stands for a copy, and may be deleted\n".utf8))
            trials = try await store.serverStorage().trial(content: content, entropy: entropy)
            trials.forEach(show)
            return trials
        }
        let bucket = try await store.bucketStorage()
        for kind in Self.kinds {
            try Task.checkCancellation()
            let canary = Canary(kind, entropy: entropy)
            let trial = try await bucket.trial(of: canary, content: content(), now: environment.now)
            show(trial)
            trials.append(trial)
        }
        return trials
    }

    private func weakness(of trial: CanaryTrial) -> [String] {
        let weak = trial.attempts.filter { !$0.outcome.isWithstood }.map {
            "\($0.attempt.rawValue): \($0.outcome.text)"
        }
        return weak.isEmpty && trial.hasLocks && trial.lockedUntil == nil ? ["it was stored without a lock"] : weak
    }

    /// Nobody can mistake it for a part of a backup, and no two are the same.
    private func content() -> Block {
        Block(
            Array("holdfast canary: stands for a copy, and may be deleted\n".utf8)
                + environment.repository.entropy.bytes(16)
        )
    }

    private func unsupported(_ medium: Medium, hasStores: Bool) -> ProtectionFailure {
        ProtectionFailure(
            .unknown,
            operation: "verify immutability of",
            object: "\(medium.name) (\(medium.text))",
            what: hasStores
                ? "is no bucket and no REST server: nothing there stands against destruction" : "holds no repository",
            state: "nothing was tried",
            next: hasStores ? "name a medium with s3 or rest" : "declare a repository on it"
        )
    }
}

extension Medium {
    /// There can be something against destruction there, and a way to try it.
    fileprivate var canBeTried: Bool {
        switch location {
        case .s3, .rest: true
        case .folder, .sftp: false
        }
    }
}
