package import Bytes
import HTTPTransport
import Outcome
import Sealing

/// Tries to destroy a canary with the credentials in hand, as somebody would who has taken this machine.
extension S3Storage {
    /// Puts the canary as every object of its kind is put, and tries all that would destroy it; what withstands stays until its lock ends.
    ///
    /// What the server answers is not believed: after each attempt the version is looked at again. `now` is when the lock is counted
    /// from. Errors: those of the store; then nothing is proven.
    package func trial(of canary: Canary, content: Block, now: Timestamp) async throws -> CanaryTrial {
        var trial = CanaryTrial(canary: canary)
        let base = settings.location.prefix.isEmpty ? "" : settings.location.prefix + "/"
        let key = base + canary.name
        let errand = RemoteErrand("try to destroy", "\(canary.name) in \(location)", host: host)
        var put = S3Ask(method: .put, key: key, body: content)
        put.headers = newObjectHeaders(canary.kind) + contentSum(content)
        let version = try await client.send(put, errand).header("x-amz-version-id") ?? ""
        guard !version.isEmpty, version != "null" else {
            let what = "the bucket keeps no versions: what is overwritten or deleted is gone"
            trial.attempts = [(.remove, .gaveWay(what))]
            _ = try? await client.send(S3Ask(method: .delete, key: key), errand)
            return trial
        }
        let lock = try await self.lock(of: key, version: version, errand)
        trial.lockedUntil = lock?.end
        let victim = Victim(key: key, version: version, content: content, lock: lock, errand: errand)
        if let lock {
            let sooner = Timestamp(seconds: now.seconds + max(60, (lock.end.seconds - now.seconds) / 2))
            for isBypassing in [false, true] {
                let ask = retention(key, lock.mode, sooner, version: version, isBypassing: isBypassing)
                let attempt: DestructionAttempt = isBypassing ? .shortenBypassing : .shorten
                trial.attempts.append((attempt, try await outcome(of: ask, on: victim)))
            }
        }
        for isBypassing in [false, true] {
            var ask = S3Ask(
                method: .delete,
                key: key,
                query: [("versionId", version)],
                accepts: S3Storage.refusals
            )
            if isBypassing { ask.headers.append(S3Storage.bypass) }
            let attempt: DestructionAttempt = isBypassing ? .removeBypassing : .remove
            trial.attempts.append((attempt, try await outcome(of: ask, on: victim)))
        }
        trial.attempts.append((.hide, try await hiding(victim)))
        return trial
    }

    private func contentSum(_ content: Block) -> [HTTPHeader] {
        content.withBytes { md5($0) }.map { [HTTPHeader("Content-MD5", Base64.encode($0))] } ?? []
    }

    /// One version of a canary, as it was put.
    private struct Victim {
        let key: String
        let version: String
        let content: Block
        let lock: (mode: ObjectLock.Mode, end: Timestamp)?
        let errand: RemoteErrand
    }

    private func outcome(of ask: S3Ask, on victim: Victim) async throws -> AttemptOutcome {
        let receipt = try await client.send(ask, victim.errand)
        let said = words(receipt)
        if let harm = try await harm(to: victim) { return .gaveWay("\(said): \(harm)") }
        if receipt.isGood { return .gaveWay("\(said): the server says that it did it") }
        let code = S3Refusal(receipt.body)?.code ?? ""
        return S3Storage.refusalCodes.contains(code) ? .withstood(said) : .unclear(said)
    }

    /// What a delete without a version does, and whether the copy can be had back; a service may refuse it.
    private func hiding(_ victim: Victim) async throws -> AttemptOutcome {
        let ask = S3Ask(method: .delete, key: victim.key, accepts: S3Storage.refusals)
        let said = words(try await client.send(ask, victim.errand))
        return try await harm(to: victim).map { .gaveWay("\(said): \($0)") }
            ?? .withstood("\(said); read behind it, whole")
    }

    /// What the version has lost; nil when it is as it was put.
    private func harm(to victim: Victim) async throws -> String? {
        var ask = S3Ask(method: .get, key: victim.key, query: [("versionId", victim.version)], accepts: [404, 405])
        ask.answerBytesMax = victim.content.count + 1
        let receipt = try await client.send(ask, victim.errand)
        guard receipt.isGood else { return "it is gone" }
        guard receipt.body.bytes == victim.content.bytes else { return "its bytes are others" }
        guard let before = victim.lock else { return nil }
        let lock = try await self.lock(of: victim.key, version: victim.version, victim.errand)
        guard let lock else { return "its lock is gone" }
        if lock.end < before.end { return "its lock ends sooner" }
        return lock.mode == before.mode ? nil : "its lock is of another kind"
    }

    /// What services call it when a lock or a right stands against a request.
    private static let refusalCodes: Set<String> = [
        "AccessDenied", "AccessForbidden", "Forbidden", "ObjectLocked", "InvalidRequest", "MethodNotAllowed",
        "InvalidRetentionPeriod", "InvalidObjectState",
    ]

    private func words(_ receipt: HTTPReceipt) -> String {
        let code = S3Refusal(receipt.body)?.code ?? ""
        return code.isEmpty ? "HTTP \(receipt.status)" : "HTTP \(receipt.status), \(code)"
    }
}
