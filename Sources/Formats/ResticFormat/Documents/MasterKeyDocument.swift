/// What a key file seals: the keys of the repository.
///
/// Never printed; the caller wipes the bytes that it hands in or takes out.
///
/// Plaintext: `{"mac":{"k":"<16 bytes>","r":"<16 bytes>"},"encrypt":"<32 bytes>"}`, 128 bytes.
package struct MasterKeyDocument: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// AES-128 key of the MAC, 16 bytes.
    package var k: [UInt8]
    /// Poly1305 key of the MAC as stored, not clamped, 16 bytes.
    package var r: [UInt8]
    /// AES-256 key, 32 bytes.
    package var encrypt: [UInt8]

    /// Takes the three keys as they are.
    package init(k: [UInt8], r: [UInt8], encrypt: [UInt8]) {
        self.k = k
        self.r = r
        self.encrypt = encrypt
    }

    /// Reads the plaintext; refuses other lengths than 16, 16 and 32 bytes, and fields given twice.
    package init(decoding bytes: [UInt8]) throws(FormatError) {
        self = try decodeDocument(bytes, limit: FormatLimits.smallDocumentBytesMax) { reader throws(FormatError) in
            var key = MasterKeyDocument(k: [], r: [], encrypt: [])
            var fields = try ObjectFields(["mac", "encrypt"], refusesDuplicates: true, reader: &reader)
            while let field = try fields.next(&reader) {
                if field == 0 { try key.readMAC(&reader) } else { key.encrypt = try Self.key(&reader, count: 32) }
            }
            try fields.require(0, in: reader)
            try fields.require(1, in: reader)
            return key
        }
    }

    private mutating func readMAC(_ reader: inout GoJSONReader) throws(FormatError) {
        var fields = try ObjectFields(["k", "r"], refusesDuplicates: true, reader: &reader)
        while let field = try fields.next(&reader) {
            let value = try Self.key(&reader, count: 16)
            if field == 0 { k = value } else { r = value }
        }
        try fields.require(0, in: reader)
        try fields.require(1, in: reader)
    }

    private static func key(_ reader: inout GoJSONReader, count: Int) throws(FormatError) -> [UInt8] {
        let value = try reader.base64()
        guard value.count == count else { throw reader.failure(.outOfRange) }
        return value
    }

    /// The plaintext to seal, as restic writes it.
    package func encode() -> [UInt8] {
        var writer = GoJSONWriter(capacity: 128)
        writer.beginObject()
        writer.key("mac")
        writer.beginObject()
        writer.key("k")
        writer.base64(k)
        writer.key("r")
        writer.base64(r)
        writer.endObject()
        writer.key("encrypt")
        writer.base64(encrypt)
        writer.endObject()
        return writer.bytes
    }

    package var description: String { "<master key>" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
