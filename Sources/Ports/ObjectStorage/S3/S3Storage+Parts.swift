import Bytes
import HTTPTransport
import Outcome
import Sealing

/// Storing large objects in parts.
///
/// The object appears with the last request alone. What was begun and fails is taken back, so that nobody pays for parts that lie about.
extension S3Storage {
    func putInParts(_ name: ObjectName, _ bytes: Block) async throws {
        let errand = errand("write", name)
        if try await head(name, "write") != nil { return try await confirmSame(name, bytes) }
        let upload = try await begin(name, errand)
        do {
            var tags: [String] = []
            var start = 0
            while start < bytes.count {
                let part = start..<min(start + settings.partBytes, bytes.count)
                tags.append(try await send(part, number: tags.count + 1, of: bytes, name, upload, errand))
                start = part.upperBound
            }
            try await complete(name, upload, tags, errand)
        } catch {
            await abandon(name, upload, errand)
            throw error
        }
    }

    private func begin(_ name: ObjectName, _ errand: RemoteErrand) async throws -> String {
        var ask = S3Ask(method: .post, key: key(name), query: [("uploads", "")])
        ask.headers = newObjectHeaders(name.kind)
        ask.body = Block(capacity: 0)
        let receipt = try await client.send(ask, errand)
        guard let upload = S3Word.find("UploadId", in: receipt.body), !upload.isEmpty else {
            throw errand.failure(
                .answer,
                "\(host) gives an upload in parts no name",
                next: "use packs below \(settings.multipartBytesMin >> 20) MiB",
                because: RemoteAnswer(receipt)
            )
        }
        return upload
    }

    private func send(
        _ part: Range<Int>,
        number: Int,
        of bytes: Block,
        _ name: ObjectName,
        _ upload: String,
        _ errand: RemoteErrand
    ) async throws -> String {
        var ask = S3Ask(method: .put, key: key(name), body: bytes, part: part)
        ask.query = [("partNumber", "\(number)"), ("uploadId", upload)]
        let sum = bytes.withBytes { md5(UnsafeRawBufferPointer(rebasing: $0[part])) }
        if let sum { ask.headers.append(HTTPHeader("Content-MD5", Base64.encode(sum))) }
        let receipt = try await client.send(ask, errand)
        guard let tag = receipt.header("etag"), !tag.isEmpty else {
            throw errand.failure(
                .answer,
                "\(host) gives part \(number) no tag",
                next: "try again",
                because: RemoteAnswer(receipt)
            )
        }
        return tag
    }

    /// A failure can come with status 200, in the body (E-21).
    private func complete(_ name: ObjectName, _ upload: String, _ tags: [String], _ errand: RemoteErrand) async throws {
        let parts = tags.enumerated().map { number, tag in
            "<Part><PartNumber>\(number + 1)</PartNumber><ETag>\(tag.filter { $0 != "<" && $0 != "&" })</ETag></Part>"
        }
        var ask = S3Ask(method: .post, key: key(name), query: [("uploadId", upload)])
        ask.headers = [HTTPHeader("Content-Type", "application/xml")]
        ask.body = Block(
            Array("<CompleteMultipartUpload>\(parts.joined())</CompleteMultipartUpload>".utf8)
        )
        let receipt = try await client.send(ask, errand)
        guard S3Word.find("ETag", in: receipt.body) == nil else { return }
        let refusal = S3Refusal(receipt.body)
        throw errand.failure(
            .busy,
            "\(host) did not put the parts together (\(refusal?.code ?? "no word of why"))",
            next: "try again later; what was stored already is not stored twice",
            because: RemoteAnswer(receipt, code: refusal?.code ?? "")
        )
    }

    /// Takes back what was sent, also for a task that was cancelled; what stays is removed by the bucket's own rules.
    private func abandon(_ name: ObjectName, _ upload: String, _ errand: RemoteErrand) async {
        let ask = S3Ask(method: .delete, key: key(name), query: [("uploadId", upload)], accepts: [404])
        let client = client
        _ = try? await pastCancellation(graceSeconds: RemoteStorage.graceSeconds) { try await client.send(ask, errand) }
    }
}
