/// Why a document is refused: what was wrong, in which field, and at which byte.
package struct FormatError: Error, Hashable, CustomStringConvertible {
    /// The kinds of refusal; the raw value is the wording.
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        case tooLarge = "is larger than allowed"
        case endsEarly = "ends too early"
        case notJSON = "is not valid JSON"
        case trailingData = "has data after its end"
        case tooDeep = "is nested too deeply"
        case wrongType = "is of the wrong JSON type"
        case outOfRange = "is out of range"
        case duplicateKey = "is given twice"
        case missing = "is missing"
        case badTime = "is not an RFC 3339 time"
        case badBase64 = "is not base64"
        case badDigest = "is not an ID of 64 hexadecimal digits"
        case badQuoting = "is not quoted as Go quotes names"
        case unknownValue = "has an unknown value"
        case unsupported = "is not supported"
        case notAscending = "is not in ascending order"
    }

    package var reason: Reason
    /// Field in which it was seen, as spelt in the document; empty for the document itself.
    package var field: String
    /// Byte offset in the decoded document.
    package var offset: Int

    /// Names the reason, the field (empty for the whole document) and the offset in bytes.
    package init(_ reason: Reason, field: String = "", offset: Int = 0) {
        self.reason = reason
        self.field = field
        self.offset = offset
    }

    /// A sentence without its subject's name: `field "mtime" is not an RFC 3339 time (byte 81)`.
    package var description: String {
        let subject = field.isEmpty ? "the document" : "field \"\(field)\""
        return "\(subject) \(reason.rawValue) (byte \(offset))"
    }
}
