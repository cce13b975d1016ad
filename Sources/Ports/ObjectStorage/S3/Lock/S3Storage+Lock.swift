package import Bytes
import HTTPTransport
import Outcome
import Sealing

/// The lock of objects that are there.
extension S3Storage {
    /// Moves the end of an object's lock; a later end that it has already stays (R-02).
    ///
    /// Errors: `E-PERM` also for a bucket without Object Lock.
    package func extendLock(_ name: ObjectName, until end: Timestamp) async throws {
        guard let lock = settings.lock else { throw unlockable(name) }
        let receipt = try await client.send(retention(key(name), lock.mode, end), errand("lock", name))
        guard !receipt.isGood else { return }
        let refusal = S3Refusal(receipt.body)
        let held = try await self.lock(of: key(name), version: nil, errand("lock", name))
        if let held, held.mode == lock.mode, held.end >= end { return }
        throw errand("lock", name).failure(
            receipt.status == 403 ? .permission : .unsupported,
            "its lock cannot be made longer (HTTP \(receipt.status), \(refusal?.code ?? "no word of why"))",
            state: held.map { "it is locked until \(S3Moment.text($0.end))" } ?? "it is not locked",
            next: "allow the key s3:PutObjectRetention, in a bucket that was made with Object Lock",
            because: RemoteAnswer(receipt, code: refusal?.code ?? "")
        )
    }

    /// Until when nobody may destroy an object; nil when it is not locked, or not there.
    package func lockEnd(of name: ObjectName) async throws -> Timestamp? {
        try await lock(of: key(name), version: nil, errand("look up", name))?.end
    }

    private func unlockable(_ name: ObjectName) -> StorageFailure {
        errand("lock", name).failure(.unsupported, "no lock is declared for this bucket", next: "declare one")
    }

    /// The request that sets a lock; every refusal is an answer.
    func retention(
        _ key: String,
        _ mode: ObjectLock.Mode,
        _ end: Timestamp,
        version: String? = nil,
        isBypassing: Bool = false
    ) -> S3Ask {
        let text = """
            <Retention xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Mode>\(mode.rawValue)</Mode>\
            <RetainUntilDate>\(S3Moment.text(end))</RetainUntilDate></Retention>
            """
        var ask = S3Ask(method: .put, key: key, query: [("retention", "")], accepts: S3Storage.refusals)
        if let version { ask.query.append(("versionId", version)) }
        ask.body = Block(Array(text.utf8))
        if let sum = ask.body?.withBytes({ md5($0) }) {
            ask.headers.append(HTTPHeader("Content-MD5", Base64.encode(sum)))
        }
        if isBypassing { ask.headers.append(S3Storage.bypass) }
        return ask
    }

    static let bypass = HTTPHeader("x-amz-bypass-governance-retention", "true")
    /// Statuses with which a service says that it will not.
    static let refusals: Set<Int> = [400, 403, 404, 405, 409, 412, 501]

    /// The lock of an object, or of one version of it; nil when it has none, or is not there.
    func lock(of key: String, version: String?, _ errand: RemoteErrand) async throws -> (
        mode: ObjectLock.Mode, end: Timestamp
    )? {
        var ask = S3Ask(method: .head, key: key, accepts: [404, 405])
        if let version { ask.query = [("versionId", version)] }
        let receipt = try await client.send(ask, errand)
        guard receipt.isGood, let mode = receipt.header("x-amz-object-lock-mode").flatMap(ObjectLock.Mode.init),
            let end = receipt.header("x-amz-object-lock-retain-until-date").flatMap({ S3Moment.read($0) })
        else { return nil }
        return (mode, end)
    }
}
