package import Bytes
import HostSystem
package import Outcome
package import Strategy
import Synchronization

/// That the sealed copy stood in for the vault.
package struct SealedUse: Sendable, Hashable {
    package var reference: SecretReference
    /// When the vault gave it.
    package var fetched: Timestamp
    /// What was said of it then.
    package var findings: [Finding]

    /// Nil for a secret that came from elsewhere.
    package init?(_ found: ResolvedSecret) {
        guard case .cache(let fetched) = found.source else { return nil }
        reference = found.reference
        self.fetched = fetched
        findings = found.findings
    }
}

/// The secrets of one vault account, for one run: one login at most, its refusal remembered, its sealed copy kept and used.
///
/// 1. Attended runs ask the vault, and take the sealed copy when nobody answers. Unattended runs take the sealed copy alone: what opens the vault does not
///    lie on a machine that runs at night.
/// 2. A refusal is no outage: the sealed copy does not hide a wrong password, a changed item or a server that is not believed. What is no
///    vault at all, such as a proxy's page, is an outage.
/// 3. What was refused is known by a keyed digest, never itself: the same is not tried again, another one is tried at once. So a daemon
///    needs no restart when the password is corrected.
/// 4. A secret of the sealed copy counts for a declared time and not longer, so that one that nobody renews does not go unnoticed for years.
/// 5. What was read is held for the run, as secrets that are wiped with it.
package final class VaultSecrets: Sendable {
    /// Who is asked.
    package enum Mode: Sendable, Hashable {
        /// The vault; the sealed copy when it does not answer.
        case vaultFirst
        /// The sealed copy alone.
        case cacheOnly
    }

    /// Asks a person for the master password; the text says for which.
    package typealias Question = @Sendable (String) async throws -> Secret

    package let account: VaultAccount
    private let ask: Question?
    private let mode: Mode
    private let cache: SealedCache?
    private let resolver: SecretResolver
    private let time: any TimeSource
    private let entropy: any EntropySource
    private let answerSeconds: Int
    /// How old a secret of the sealed copy may be.
    private let sealedSeconds: Int64

    private struct Known {
        var contents: VaultContents?
        /// Why the vault was not read, and when, in nanoseconds of a clock that never steps.
        var failure: (SecretFailure, at: UInt64)?
        /// What it refused, by its digest.
        var refused: (digest: Digest, failure: SecretFailure)?
        var cached: Result<SealedCache.Contents?, SecretFailure>?
    }

    /// What this machine must not keep.
    private let unsealed: Set<SecretReference>
    private let known = Mutex(Known())
    /// Of this object alone: no digest made with it means anything elsewhere.
    private let digestKey: Secret
    /// One at a time: the second waits for the first one's login instead of making another.
    private let turn = ByteBudget(1)

    /// `resolver` reads what opens the account, and knows no vault; `ask` is there when a person is; `unsealed` never enters the sealed copy.
    package init(
        _ account: VaultAccount,
        mode: Mode,
        cache: SealedCache?,
        resolver: SecretResolver = SecretResolver(),
        ask: Question? = nil,
        time: any TimeSource = SystemTime(),
        entropy: any EntropySource = SystemEntropy(),
        answerSeconds: Int = SecretLimits.answerSeconds,
        sealedFor: Duration = VaultDeclaration.usualSealedFor,
        unsealed: Set<SecretReference> = []
    ) {
        self.account = account
        self.mode = mode
        self.cache = cache
        self.resolver = resolver
        self.ask = ask
        self.time = time
        self.entropy = entropy
        digestKey = Secret(entropy.bytes(32))
        self.answerSeconds = answerSeconds
        sealedSeconds = sealedFor.components.seconds
        self.unsealed = unsealed
    }

    // MARK: reading

    /// The secret in that place of the vault.
    package func resolve(_ place: SecretReference.VaultField) async throws -> ResolvedSecret {
        let reference = SecretReference.vault(place)
        return try await turn.holding(1) {
            switch mode {
            case .cacheOnly: return try await cached(reference, because: nil)
            case .vaultFirst:
                do {
                    let secret = try await contents().secret(place, for: reference)
                    let finding = await remember([reference: secret])
                    let findings = finding.map { [$0] } ?? []
                    return ResolvedSecret(reference, secret, from: .vault, at: time.now(), findings: findings)
                } catch let failure as SecretFailure where failure.code.isOutage && cache != nil {
                    return try await cached(reference, because: failure)
                }
            }
        }
    }

    private func contents() async throws -> VaultContents {
        let before = known.withLock { $0 }
        if let contents = before.contents { return contents }
        if let (failure, moment) = before.failure, lasts(failure, since: moment) { throw failure }
        do {
            let contents = try await withSession { try await $0.sync() }
            known.withLock { $0.contents = contents }
            return contents
        } catch let failure as SecretFailure {
            let now = time.monotonicNanoseconds()
            known.withLock { $0.failure = (failure, now) }
            throw failure
        }
    }

    /// Whether to ask again is of no use yet; a login that was refused is judged by what would log in now.
    private func lasts(_ failure: SecretFailure, since moment: UInt64) -> Bool {
        // Nobody is asked to type twice.
        if account.password == nil { return true }
        if failure.code == .unreadable || known.withLock({ $0.refused != nil }) { return false }
        return time.monotonicNanoseconds() &- moment < UInt64(SecretLimits.outageSeconds) * 1_000_000_000
    }

    private func withSession<R: Sendable>(_ body: (VaultSession) async throws -> R) async throws -> R {
        let credentials = try await VaultCredentials(of: account, resolver, ask: ask)
        let digest = credentials.digest(key: digestKey)
        if let refused = known.withLock({ $0.refused }), refused.digest == digest { throw refused.failure }
        // A damaged sealed copy remembers no derivation; the bounds hold all the same.
        let before = try? await sealed()?.kdf
        return try await VaultConnection.with(account, answerSeconds: answerSeconds) { connection in
            let login = VaultLogin(connection: connection, credentials: credentials, known: before, time: time)
            let session: VaultSession
            do { session = try await VaultSession(login) } catch let failure as SecretFailure
                where failure.code == .vaultRefused
            {
                known.withLock { $0.refused = (digest, failure) }
                throw failure
            }
            known.withLock { $0.refused = nil }
            derivation.withLock { $0 = session.kdf }
            return try await body(session)
        }
    }

    /// What the vault asked for in this run.
    private let derivation = Mutex<VaultKDF?>(nil)

    // MARK: sealed copy

    private static let foreign = "is the copy of another vault or account"
    private var origin: String { "\(account.address) \(account.email)" }

    private func sealed() async throws -> SealedCache.Contents? {
        guard let cache else { return nil }
        if let cached = known.withLock({ $0.cached }) { return try cached.get() }
        do {
            let contents = try await cache.read()
            guard contents == nil || contents?.origin == origin else {
                throw cache.failure(
                    Self.foreign,
                    next: "give each account a file of its own"
                )
            }
            known.withLock { $0.cached = .success(contents) }
            return contents
        } catch let failure as SecretFailure {
            known.withLock { $0.cached = .failure(failure) }
            throw failure
        }
    }

    private func cached(_ reference: SecretReference, because outage: SecretFailure?) async throws -> ResolvedSecret {
        guard let cache else {
            throw outage
                ?? SecretFailure(
                    .cache,
                    reference,
                    "the vault is not asked at night, and there is no sealed copy",
                    next: "name a sealed copy for the vault, and fill it: `holdfast secret fetch`"
                )
        }
        let entry: SealedCache.Contents.Entry?
        do {
            entry = try await sealed()?.entries[reference.text]
        } catch var failure as SecretFailure {
            failure.cause = outage
            throw failure
        }
        guard let entry else {
            var failure = SecretFailure(
                .cache,
                reference,
                (outage.map { "\($0.object) \($0.what), and " } ?? "")
                    + "the sealed copy \(cache.path) does not hold it",
                next: "run `holdfast secret fetch` while the vault answers"
            )
            failure.cause = outage
            throw failure
        }
        let now = time.now()
        let age = age(fetched: entry.fetched, now)
        guard age <= sealedSeconds else { throw tooOld(reference, entry.fetched, age, outage) }
        return ResolvedSecret(
            reference,
            entry.secret,
            from: .cache(fetched: entry.fetched),
            at: now,
            findings: finding(fetched: entry.fetched, reference, outage, now).map { [$0] } ?? []
        )
    }

    private func age(fetched: Timestamp, _ now: Timestamp) -> Int64 { max(0, now.seconds - fetched.seconds) }

    private func tooOld(
        _ reference: SecretReference,
        _ fetched: Timestamp,
        _ age: Int64,
        _ outage: SecretFailure?
    ) -> SecretFailure {
        var failure = SecretFailure(
            .cache,
            reference,
            (outage.map { "\($0.object) \($0.what), and " } ?? "")
                + "the sealed copy of \(VaultWriting.stamp(fetched)) is \(ageText(.seconds(age))) old, and counts for \(lengthText(.seconds(sealedSeconds)))",
            next: "run `holdfast secret fetch` while the vault answers; vault.sealed-for says how long it counts"
        )
        failure.state = "nothing was changed; the copy is kept, and counts again where vault.sealed-for is longer"
        failure.cause = outage
        return failure
    }

    /// Amber when the vault should have answered, or when the copy is old; nothing when a fresh copy is what was meant to be used.
    private func finding(
        fetched: Timestamp,
        _ reference: SecretReference,
        _ outage: SecretFailure?,
        _ now: Timestamp
    ) -> Finding? {
        let age = age(fetched: fetched, now)
        let said = "the sealed copy of \(VaultWriting.stamp(fetched)) was used, \(ageText(.seconds(age))) old"
        if let outage {
            let what = "\(outage.object) \(outage.what); \(said)"
            return Finding(.warning, "secret-from-cache", object: reference.text, what: what, next: outage.next)
        }
        guard age > min(Int64(SecretLimits.cacheDays) * 86_400, sealedSeconds / 3) else { return nil }
        let what = "\(said); it counts for \(lengthText(.seconds(sealedSeconds)))"
        return Finding(.warning, "secret-old", object: reference.text, what: what, next: "run `holdfast secret fetch`")
    }

    /// What should be known of sealed copies that were used: that the vault does not answer, or that they are old.
    ///
    /// Where the vault was not asked it is asked now whether it answers at all, without any account. Cost: then one question, at most
    /// `SecretLimits.answerSeconds`.
    package func findings(of used: [SealedUse]) async -> [Finding] {
        guard mode == .cacheOnly, !used.isEmpty, let outage = await outage() else { return used.flatMap(\.findings) }
        let now = time.now()
        return used.compactMap { finding(fetched: $0.fetched, $0.reference, outage, now) }
    }

    /// Why the vault does not answer; nil when anything does.
    private func outage() async -> SecretFailure? {
        do {
            return try await VaultConnection.with(account, answerSeconds: answerSeconds) { connection in
                let request = VaultRequest(path: "/alive", operation: "look whether it answers:")
                return try await connection.send(request).isPage ? connection.absent(request) : nil
            }
        } catch let failure as SecretFailure where failure.code.isOutage {
            return failure
        } catch {
            return nil
        }
    }

    /// Adds to the sealed copy; that it cannot be written is told and spoils nothing.
    ///
    /// A copy that is refused is set aside, not overwritten: under its old key it may still open.
    private func remember(_ secrets: [SecretReference: Secret]) async -> Finding? {
        let secrets = secrets.filter { !unsealed.contains($0.key) }
        guard let cache, !secrets.isEmpty else { return nil }
        var contents = SealedCache.Contents(origin: origin)
        var finding: Finding?
        do {
            do {
                if let before = try await sealed() { contents = before }
            } catch let failure as SecretFailure where failure.what != Self.foreign {
                let name = try cache.setAside()
                let what = "\(failure.what); a new one takes its place, and the old one is \(name)"
                finding = Finding(
                    .warning,
                    "secret-copy-replaced",
                    object: cache.path,
                    what: what,
                    next: "run `holdfast secret fetch`"
                )
            }
            contents.kdf = derivation.withLock { $0 } ?? contents.kdf
            for (reference, secret) in secrets {
                contents.entries[reference.text] = SealedCache.Contents.Entry(secret: secret, fetched: time.now())
            }
            try await cache.write(contents)
            known.withLock { $0.cached = .success(contents) }
            return finding
        } catch {
            let what = (error as? SecretFailure)?.what ?? "cannot be written"
            let next = "mend it before the next night"
            return Finding(.warning, "secret-not-sealed", object: cache.path, what: what, next: next)
        }
    }

    // MARK: writing

    /// The names of all items that the account sees, by their ids; the vault itself is asked.
    package func itemNames() async throws -> [String: String] {
        try await turn.holding(1) {
            let items = try await contents().items
            return Dictionary(items.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// Adds an item, proves it by reading it back, and returns the reference to its password.
    ///
    /// Done again with the same operation it finds the item and adds nothing.
    package func add(_ item: NewVaultItem) async throws -> SecretReference {
        try await turn.holding(1) {
            let place = try await withSession { session in
                try await VaultWriting(session: session, time: time, entropy: entropy).add(item)
            }
            known.withLock { $0.contents = nil }
            let reference = SecretReference.vault(place)
            _ = await remember([reference: item.password])
            return reference
        }
    }

    /// Puts a new password in front of an item's old one, which its history keeps, and proves it by reading it back.
    package func replacePassword(of place: SecretReference.VaultField, with password: Secret) async throws {
        try await turn.holding(1) {
            try await withSession { session in
                try await VaultWriting(session: session, time: time, entropy: entropy)
                    .replacePassword(of: place, with: password)
            }
            known.withLock { $0.contents = nil }
            _ = await remember([.vault(place): password])
        }
    }
}
