package import Bytes

/// The `config` file of a repository: its format version, its ID, and the polynomial that cuts its files.
///
/// Plaintext: `{"version":2,"id":"<64 digits>","chunker_polynomial":"<hexadecimal>"}`, never compressed.
package struct RepositoryConfig: Sendable, Hashable {
    /// The versions that this program reads and writes.
    package static let supportedVersions = 1...2

    /// 1, or 2 with compression.
    package var version: Int
    /// 32 random bytes; names the cache directory.
    package var id: Digest
    /// Coefficients of the chunking polynomial, bit 53 the highest; not checked here for being irreducible.
    package var polynomial: UInt64

    /// Takes the three values as they are.
    package init(version: Int, id: Digest, polynomial: UInt64) {
        self.version = version
        self.id = id
        self.polynomial = polynomial
    }

    /// Reads the plaintext; refuses other versions (`unsupported`), missing fields, and fields given twice.
    package init(decoding bytes: [UInt8]) throws(FormatError) {
        self = try decodeDocument(bytes, limit: FormatLimits.smallDocumentBytesMax) { reader throws(FormatError) in
            var config = RepositoryConfig(version: 0, id: .zero, polynomial: 0)
            var fields = try ObjectFields(Self.names, refusesDuplicates: true, reader: &reader)
            while let field = try fields.next(&reader) {
                switch field {
                case 0: config.version = Int(try reader.unsigned(max: UInt64(UInt32.max)))
                case 1: config.id = try reader.digest()
                default: config.polynomial = try Self.polynomial(&reader)
                }
            }
            for index in Self.names.indices { try fields.require(index, in: reader) }
            guard Self.supportedVersions.contains(config.version) else {
                throw FormatError(.unsupported, field: "version")
            }
            return config
        }
    }

    /// The plaintext as restic writes it.
    package func encode() -> [UInt8] {
        var writer = GoJSONWriter(capacity: 160)
        writer.beginObject()
        writer.key("version")
        writer.integer(version)
        writer.key("id")
        writer.digest(id)
        writer.key("chunker_polynomial")
        writer.string(String(polynomial, radix: 16))
        writer.endObject()
        return writer.bytes
    }

    private static let names: [StaticString] = ["version", "id", "chunker_polynomial"]

    /// Up to 64 bits in hexadecimal of either case.
    private static func polynomial(_ reader: inout GoJSONReader) throws(FormatError) -> UInt64 {
        let digits = reader.slice(try reader.string())
        var value: UInt64 = 0
        for digit in digits {
            guard let nibble = hexDigitValue(digit), value >> 60 == 0 else { throw reader.failure(.outOfRange) }
            value = value << 4 | UInt64(nibble)
        }
        guard !digits.isEmpty else { throw reader.failure(.outOfRange) }
        return value
    }
}
