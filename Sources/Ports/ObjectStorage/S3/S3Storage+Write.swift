package import Bytes
import HTTPTransport
import Outcome
import Sealing
import Synchronization

/// Storing objects.
extension S3Storage {
    package func put(_ name: ObjectName, _ bytes: Block) async throws {
        // The config has no name of its content, and no second one may take its place: never trust to a condition alone.
        if name.kind == .config || looksFirst.withLock({ $0 }), try await head(name, "write") != nil {
            return try await confirmSame(name, bytes)
        }
        if bytes.count >= settings.multipartBytesMin { return try await putInParts(name, bytes) }
        let isConditional = !looksFirst.withLock { $0 }
        let sum = bytes.withBytes { md5($0) }
        let receipt = try await send(name, bytes, sum, isConditional: isConditional, accepts: [412, 501])
        switch receipt.status {
        case 412: try await confirmSame(name, bytes)
        case 501 where isConditional:
            looksFirst.withLock { $0 = true }
            try await put(name, bytes)
        case 501:
            let trouble = S3Trouble(settings, errand("write", name), region: client.region, now: Timestamp(seconds: 0))
            throw trouble.failure(receipt, S3Refusal(receipt.body))
        default: try await confirmTag(receipt, name, bytes, sum)
        }
    }

    package func replaceConfig(_ bytes: Block) async throws {
        guard try await head(.config, "replace") != nil else { throw notFound("replace", .config) }
        let sum = bytes.withBytes { md5($0) }
        let receipt = try await send(.config, bytes, sum, isConditional: false, accepts: [])
        try await confirmTag(receipt, .config, bytes, sum)
    }

    private func send(
        _ name: ObjectName,
        _ bytes: Block,
        _ sum: [UInt8]?,
        isConditional: Bool,
        accepts: Set<Int>
    ) async throws -> HTTPReceipt {
        var ask = S3Ask(method: .put, key: key(name), body: bytes, accepts: accepts)
        ask.headers = newObjectHeaders(name.kind)
        if let sum { ask.headers.append(HTTPHeader("Content-MD5", Base64.encode(sum))) }
        if isConditional { ask.headers.append(HTTPHeader("If-None-Match", "*")) }
        return try await client.send(ask, errand("write", name))
    }

    func newObjectHeaders(_ kind: ObjectKind) -> [HTTPHeader] {
        var headers = [HTTPHeader("Content-Type", "application/octet-stream")]
        if let storageClass = settings.storageClass(of: kind) {
            headers.append(HTTPHeader("x-amz-storage-class", storageClass))
        }
        if kind != .lock, let lock = settings.lock { headers += lock.headers(from: client.now()) }
        return headers
    }

    /// A tag that looks like an MD5 and is not ours means other bytes, or encryption by the server; which one is found out by reading (E-04).
    private func confirmTag(
        _ receipt: HTTPReceipt,
        _ name: ObjectName,
        _ bytes: Block,
        _ sum: [UInt8]?
    ) async throws {
        guard let tag = S3Tag(receipt.header("etag") ?? "").md5, tag != sum else { return }
        let encryption = receipt.header("x-amz-server-side-encryption") ?? ""
        let hasForeignKey = receipt.header("x-amz-server-side-encryption-customer-algorithm") != nil
        guard !encryption.hasPrefix("aws:kms"), !hasForeignKey else { return }
        let stored = try await get(name, range: nil)
        guard !isSame(stored, bytes) else { return }
        try? await remove(name)
        throw errand("write", name).failure(
            .transfer,
            "\(host) took it and kept other bytes",
            state: "what it kept was taken away again",
            next: "distrust this store: run `check --read-data`",
            because: RemoteAnswer(receipt)
        )
    }

    /// An object of that name is there: success when it has our bytes.
    func confirmSame(_ name: ObjectName, _ bytes: Block) async throws {
        guard name.kind != .config else {
            throw errand("create", name).failure(
                .exists,
                "there is a config already",
                state: "nothing was changed",
                next: "open this repository with its password, or choose an empty place"
            )
        }
        // Gone again meanwhile: the next try puts it.
        guard let head = try await head(name, "compare") else {
            throw errand("write", name).failure(
                .busy,
                "was there and is gone again",
                next: "try again",
                because: RemoteAnswer(status: 412)
            )
        }
        var isSame = false
        if head.size == UInt64(bytes.count) {
            let sum = S3Tag(head.tag).md5
            isSame = sum != nil && sum == bytes.withBytes { md5($0) }
            if !isSame { isSame = self.isSame(try await get(name, range: nil), bytes) }
        }
        guard !isSame else { return }
        throw errand("write", name).failure(
            .exists,
            "an object of this name with different content is there",
            state: "the existing object was not changed",
            next: "run check --read-data: the existing object is damaged; move it away, then back up again"
        )
    }

    private func isSame(_ left: Block, _ right: Block) -> Bool {
        left.count == right.count
            && left.withBytes { left in right.withBytes { right in left.elementsEqual(right) } }
    }
}

/// The tag of an object: the MD5 of what was put in one piece and lies as it was put.
struct S3Tag {
    /// Its sixteen bytes; nil for tags of other kinds.
    var md5: [UInt8]?

    init(_ text: String) {
        let digits = text.filter { $0 != "\"" }
        md5 = digits.utf8.count == 32 ? Hex.decode(Array(digits.utf8)) : nil
    }
}
