/// Why bytes are no time zone.
package enum ZoneRulesError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The first four bytes are not `TZif`, or the second header's are not.
    case notTZif
    /// A format version that is not known: the byte as it stands there.
    case unknownVersion(UInt8)
    case tooLarge(bytes: Int)
    /// The file ends before what its header announces.
    case truncated(bytes: Int)
    /// Bytes after the end of the footer, or of the data in version 1.
    case trailingBytes(count: Int)
    /// A count in the header that is zero, too large, or unlike the one it must equal.
    case badCount(String)
    /// A transition that is not after the one before it, out of range, or of no known type; from 0.
    case badTransition(Int)
    /// A local time type with an offset, flag or name out of range; from 0.
    case badType(Int)
    /// The file counts leap seconds: its moments are not POSIX seconds.
    case leapSeconds
    /// The rule for the future cannot be read; `column` counts its bytes from 1.
    case badFooter(column: Int, expected: String)
    /// The rule for the future gives another offset at the last transition than the file's table.
    case footerContradictsTable

    /// One sentence for people.
    package var description: String {
        switch self {
        case .notTZif: "is not a time zone file (TZif)"
        case .unknownVersion(let version): "is a time zone file of the unknown version \(version)"
        case .tooLarge(let bytes): "is \(bytes) bytes, too large for a time zone file"
        case .truncated(let bytes): "is a time zone file that was cut short to \(bytes) bytes"
        case .trailingBytes(let count): "is a time zone file with \(count) bytes after its end"
        case .badCount(let name): "is a damaged time zone file: the count of \(name) is impossible"
        case .badTransition(let index): "is a damaged time zone file: transition \(index) is impossible"
        case .badType(let index): "is a damaged time zone file: local time type \(index) is impossible"
        case .leapSeconds:
            "is a time zone file that counts leap seconds (right/…); use the one of the same name without"
        case .badFooter(let column, let expected):
            "is a damaged time zone file: its rule for the future wants \(expected) at byte \(column)"
        case .footerContradictsTable: "is a damaged time zone file: its rule for the future contradicts its table"
        }
    }
}
