package import Bytes

/// A file of `keys/`: how a password becomes a key, and the master key sealed under it.
///
/// Plain JSON, not sealed as a whole.
package struct KeyFile: Sendable, Hashable {
    /// The only derivation there is.
    package static let supportedKDF: ByteString = "scrypt"

    /// When it was made, in the zone of the maker.
    package var created: ZonedTime
    /// Who made it; for people only.
    package var username: ByteString
    /// Where it was made; for people only.
    package var hostname: ByteString
    /// Must be `supportedKDF`; the caller refuses others.
    package var kdf: ByteString
    /// scrypt's cost N.
    ///
    /// Not bounded here beyond 63 bits: the derivation bounds it before it allocates (D-13).
    package var n: Int
    /// scrypt's block size r.
    package var r: Int
    /// scrypt's parallelism p.
    package var p: Int
    /// 64 random bytes.
    package var salt: [UInt8]
    /// The sealed `MasterKeyDocument`: IV, ciphertext, MAC.
    package var data: [UInt8]

    /// Takes the values as they are.
    package init(
        created: ZonedTime,
        username: ByteString,
        hostname: ByteString,
        kdf: ByteString = KeyFile.supportedKDF,
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

    /// Reads the stored bytes; refuses fields given twice, negative numbers, and a file without derivation, salt or data.
    package init(decoding bytes: [UInt8]) throws(FormatError) {
        self = try decodeDocument(bytes, limit: FormatLimits.smallDocumentBytesMax) { reader throws(FormatError) in
            var key = KeyFile(
                created: RFC3339.zeroTime,
                username: "",
                hostname: "",
                kdf: "",
                n: 0,
                r: 0,
                p: 0,
                salt: [],
                data: []
            )
            var fields = try ObjectFields(Self.names, refusesDuplicates: true, reader: &reader)
            while let field = try fields.next(&reader) {
                if try reader.skipNull() { continue }
                try key.read(field, &reader)
            }
            for index in 3..<Self.names.count { try fields.require(index, in: reader) }
            return key
        }
    }

    private mutating func read(_ field: Int, _ reader: inout GoJSONReader) throws(FormatError) {
        let most = UInt64(Int.max)
        switch field {
        case 0: created = try reader.time()
        case 1: username = try reader.text()
        case 2: hostname = try reader.text()
        case 3: kdf = try reader.text()
        case 4: n = Int(try reader.unsigned(max: most))
        case 5: r = Int(try reader.unsigned(max: most))
        case 6: p = Int(try reader.unsigned(max: most))
        case 7: salt = try reader.base64()
        default: data = try reader.base64()
        }
    }

    /// The bytes to store, as restic writes them.
    package func encode() -> [UInt8] {
        var writer = GoJSONWriter(capacity: 600)
        writer.beginObject()
        writer.key("created")
        writer.time(created)
        writer.key("username")
        writer.string(username)
        writer.key("hostname")
        writer.string(hostname)
        writer.key("kdf")
        writer.string(kdf)
        writer.key("N")
        writer.integer(n)
        writer.key("r")
        writer.integer(r)
        writer.key("p")
        writer.integer(p)
        writer.key("salt")
        writer.base64(salt)
        writer.key("data")
        writer.base64(data)
        writer.endObject()
        return writer.bytes
    }

    private static let names: [StaticString] = [
        "created", "username", "hostname", "kdf", "N", "r", "p", "salt", "data",
    ]
}
