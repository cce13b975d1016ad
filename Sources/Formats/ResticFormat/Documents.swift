package import Bytes

func decode<Value>(
    _ bytes: [UInt8],
    _ body: (inout JSONReader) throws(FormatError) -> Value
) throws(FormatError) -> Value {
    var outcome: Result<Value, FormatError>?
    bytes.withUnsafeBytes { raw in
        var reader = JSONReader(raw)
        do throws(FormatError) {
            let value = try body(&reader)
            try reader.end()
            outcome = .success(value)
        } catch {
            outcome = .failure(error)
        }
    }
    guard let outcome else { throw .syntax("empty", at: 0) }
    return try outcome.get()
}

/// The `config` file: format version, identity and chunker polynomial of a repository (spec 2.4).
package struct RepositoryConfig: Sendable, Hashable {
    package var version: Int
    package var id: Digest
    package var polynomial: UInt64

    package init(version: Int, id: Digest, polynomial: UInt64) {
        self.version = version
        self.id = id
        self.polynomial = polynomial
    }

    package func encode() -> [UInt8] {
        Array(
            "{\"version\":\(version),\"id\":\"\(id.hex)\",\"chunker_polynomial\":\"\(String(polynomial, radix: 16))\"}"
                .utf8
        )
    }

    package init(decoding bytes: [UInt8]) throws(FormatError) {
        var version: UInt64?
        var id: Digest?
        var polynomial: UInt64?
        try decode(bytes) { (reader) throws(FormatError) in
            try reader.object { (reader, key) throws(FormatError) in
                if matches(key, "version") {
                    version = try reader.unsigned()
                } else if matches(key, "id") {
                    id = try digest(&reader)
                } else if matches(key, "chunker_polynomial") {
                    let text = String(decoding: try reader.string(), as: UTF8.self)
                    guard !text.hasPrefix("+"), let value = UInt64(text, radix: 16) else {
                        throw .field("the chunker polynomial is not hexadecimal")
                    }
                    polynomial = value
                } else {
                    try reader.skip()
                }
            }
        }
        guard let version, let id, let polynomial else { throw .field("a field is missing") }
        guard version == 1 || version == 2 else { throw .field("repository version \(version) is not supported") }
        self.init(version: Int(version), id: id, polynomial: polynomial)
    }
}

/// A key file: the master key, sealed under a password (spec 2.3).
package struct KeyFile: Sendable, Hashable {
    package var created: ZonedTime
    package var username: ByteString
    package var hostname: ByteString
    package var kdf: String
    package var n: Int
    package var r: Int
    package var p: Int
    package var salt: [UInt8]
    package var data: [UInt8]

    package init(
        created: ZonedTime,
        username: ByteString,
        hostname: ByteString,
        kdf: String,
        n: Int,
        r: Int,
        p: Int,
        salt: [UInt8],
        data: [UInt8]
    ) {
        self.created = created
        self.username = username
        self.hostname = hostname
        self.kdf = kdf
        self.n = n
        self.r = r
        self.p = p
        self.salt = salt
        self.data = data
    }

    package func encode() -> [UInt8] {
        var writer = ObjectWriter()
        writer.time("created", created)
        writer.text("username", username)
        writer.text("hostname", hostname)
        writer.text("kdf", ByteString(kdf))
        writer.number("N", UInt64(n))
        writer.number("r", UInt64(r))
        writer.number("p", UInt64(p))
        writer.base64("salt", salt)
        writer.base64("data", data)
        return writer.finish()
    }

    package init(decoding bytes: [UInt8]) throws(FormatError) {
        var file = KeyFile(
            created: ZonedTime(Timestamp(seconds: 0)),
            username: "",
            hostname: "",
            kdf: "",
            n: 0,
            r: 0,
            p: 0,
            salt: [],
            data: []
        )
        try decode(bytes) { (reader) throws(FormatError) in
            try reader.object { (reader, key) throws(FormatError) in
                if matches(key, "created") {
                    file.created = try time(&reader)
                } else if matches(key, "username") {
                    file.username = ByteString(try reader.string())
                } else if matches(key, "hostname") {
                    file.hostname = ByteString(try reader.string())
                } else if matches(key, "kdf") {
                    file.kdf = String(decoding: try reader.string(), as: UTF8.self)
                } else if matches(key, "n") {
                    file.n = try small(&reader)
                } else if matches(key, "r") {
                    file.r = try small(&reader)
                } else if matches(key, "p") {
                    file.p = try small(&reader)
                } else if matches(key, "salt") {
                    file.salt = try base64(&reader) ?? []
                } else if matches(key, "data") {
                    file.data = try base64(&reader) ?? []
                } else {
                    try reader.skip()
                }
            }
        }
        self = file
    }
}

private func small(_ reader: inout JSONReader) throws(FormatError) -> Int {
    guard let value = Int(exactly: try reader.signed()), value >= 0 else { throw .field("a number is out of range") }
    return value
}

/// What a key file's sealed data holds: the two halves of the MAC key and the encryption key.
package struct MasterKeyDocument: Sendable {
    package var k: [UInt8]
    package var r: [UInt8]
    package var encrypt: [UInt8]

    package init(k: [UInt8], r: [UInt8], encrypt: [UInt8]) {
        self.k = k
        self.r = r
        self.encrypt = encrypt
    }

    package func encode() -> [UInt8] {
        var mac = ObjectWriter()
        mac.base64("k", k)
        mac.base64("r", r)
        var writer = ObjectWriter()
        writer.raw("mac", mac.finish())
        writer.base64("encrypt", encrypt)
        return writer.finish()
    }

    package init(decoding bytes: [UInt8]) throws(FormatError) {
        var document = MasterKeyDocument(k: [], r: [], encrypt: [])
        try decode(bytes) { (reader) throws(FormatError) in
            try reader.object { (reader, key) throws(FormatError) in
                if matches(key, "mac") {
                    try reader.object { (reader, key) throws(FormatError) in
                        if matches(key, "k") {
                            document.k = try base64(&reader) ?? []
                        } else if matches(key, "r") {
                            document.r = try base64(&reader) ?? []
                        } else {
                            try reader.skip()
                        }
                    }
                } else if matches(key, "encrypt") {
                    document.encrypt = try base64(&reader) ?? []
                } else {
                    try reader.skip()
                }
            }
        }
        self = document
    }
}

/// A lock file (spec 9).
package struct LockDocument: Sendable, Hashable {
    package var time: ZonedTime
    package var exclusive: Bool
    package var hostname: ByteString
    package var username: ByteString
    package var pid: Int
    package var uid: UInt32
    package var gid: UInt32

    package init(
        time: ZonedTime,
        exclusive: Bool,
        hostname: ByteString,
        username: ByteString,
        pid: Int,
        uid: UInt32,
        gid: UInt32
    ) {
        self.time = time
        self.exclusive = exclusive
        self.hostname = hostname
        self.username = username
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }

    package func encode() -> [UInt8] {
        var writer = ObjectWriter()
        writer.time("time", time)
        writer.raw("exclusive", Array((exclusive ? "true" : "false").utf8))
        writer.text("hostname", hostname)
        writer.text("username", username)
        writer.raw("pid", Array("\(pid)".utf8))
        writer.number("uid", UInt64(uid), omitZero: true)
        writer.number("gid", UInt64(gid), omitZero: true)
        return writer.finish()
    }

    package init(decoding bytes: [UInt8]) throws(FormatError) {
        var lock = LockDocument(
            time: ZonedTime(Timestamp(seconds: 0)),
            exclusive: false,
            hostname: "",
            username: "",
            pid: 0,
            uid: 0,
            gid: 0
        )
        try decode(bytes) { (reader) throws(FormatError) in
            try reader.object { (reader, key) throws(FormatError) in
                if matches(key, "time") {
                    lock.time = try ResticFormat.time(&reader)
                } else if matches(key, "exclusive") {
                    lock.exclusive = try reader.boolean()
                } else if matches(key, "hostname") {
                    lock.hostname = ByteString(try reader.string())
                } else if matches(key, "username") {
                    lock.username = ByteString(try reader.string())
                } else if matches(key, "pid") {
                    lock.pid = Int(try reader.signed())
                } else if matches(key, "uid") {
                    lock.uid = try reader.uint32()
                } else if matches(key, "gid") {
                    lock.gid = try reader.uint32()
                } else {
                    try reader.skip()
                }
            }
        }
        self = lock
    }
}
