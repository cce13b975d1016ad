package import Bytes
import HTTPTransport
import Outcome
import Sealing

/// Tries to destroy what lies on a server that only takes new objects, as somebody would who has taken this machine.
extension RESTStorage {
    /// Of which one that is not there is deleted: a canary of its kind would be taken for what it is not.
    private static let absentKinds: [ObjectKind] = [.index, .snapshot, .key]

    /// Puts a pack that no index names, tries to replace and to delete it, and to delete objects that are not there.
    ///
    /// What the server answers is not believed: after each attempt the pack is read again. The same content is always the same canary, and
    /// stays; stock tools call it unreferenced, and a prune with other rights takes it away. The config is not touched: nobody could bring it
    /// back. Errors: those of the store; then nothing is proven.
    package func trial(content: Block, entropy: some EntropySource) async throws -> [CanaryTrial] {
        let name = ObjectName(.pack, content.withBytes { sha256($0) })
        try await put(name, content)
        var trial = CanaryTrial(canary: Canary(name))
        trial.hasLocks = false
        let canary = errand("try to destroy", name)
        // In this order: a server that lets both happen is left as it was.
        let other = Block(content.bytes.reversed())
        trial.attempts.append((.replace, try await outcome(.post, name, other, content, canary)))
        trial.attempts.append((.removePlainly, try await outcome(.delete, name, nil, content, canary)))
        var trials = [trial]
        for kind in Self.absentKinds {
            let absent = ObjectName(kind, sha256(entropy.bytes(32)))
            var trial = CanaryTrial(canary: Canary(absent))
            trial.hasLocks = false
            let receipt = try await ask(.delete, absent, nil, errand("try to destroy", absent))
            let said = "HTTP \(receipt.status)"
            let outcome: AttemptOutcome =
                Self.refusals.contains(receipt.status)
                ? .withstood(said)
                : receipt.status == 404 ? .gaveWay("\(said): one that is there would be gone") : unclear(receipt)
            trial.attempts = [(.removeAnother, outcome)]
            trials.append(trial)
        }
        return trials
    }

    private static let refusals: Set<Int> = [401, 403, 405, 409]

    private func unclear(_ receipt: HTTPReceipt) -> AttemptOutcome {
        receipt.isGood ? .gaveWay("HTTP \(receipt.status)") : .unclear("HTTP \(receipt.status)")
    }

    private func outcome(
        _ method: HTTPMethod,
        _ name: ObjectName,
        _ body: Block?,
        _ content: Block,
        _ errand: RemoteErrand
    ) async throws -> AttemptOutcome {
        let receipt = try await ask(method, name, body, errand)
        let said = "HTTP \(receipt.status)"
        let isWhole: Bool
        do { isWhole = try await get(name).bytes == content.bytes } catch let failure as StorageFailure
            where [.notFound, .tooShort].contains(failure.code)
        { isWhole = false }
        guard isWhole else { return .gaveWay("\(said): it is gone, or its bytes are others") }
        if Self.refusals.contains(receipt.status) { return .withstood(said) }
        return receipt.isGood ? .gaveWay("\(said): the server says that it did it") : .unclear(said)
    }

    private func ask(
        _ method: HTTPMethod,
        _ name: ObjectName,
        _ body: Block?,
        _ errand: RemoteErrand
    ) async throws -> HTTPReceipt {
        let header = HTTPHeader("Content-Type", "application/octet-stream")
        let all = Set(200...499)
        return try await send(
            method,
            path(name),
            errand,
            headers: body == nil ? [] : [header],
            body: body,
            accepts: all
        )
    }
}
