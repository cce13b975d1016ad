import Bytes
import Console
import ResticRepository
import Strategy

/// The values of `--keep-last` and its like: a number, or `unlimited`; 0 keeps nothing.
///
/// The complaints are those of restic's flag library.
func parseKeepCount(_ value: ByteString) throws(CommandFailure) -> KeepPolicy.Count? {
    if value == "unlimited" { return .unlimited }
    let count: Int64
    do { count = try parseGoInt(value, base: 10) } catch { throw CommandFailure(error.text) }
    guard count >= 0 else { throw CommandFailure("negative values not allowed, use 'unlimited' instead") }
    return count == 0 ? nil : .atMost(count)
}

/// The values of `--keep-within` and its like: `1y5m7d2h`, each unit as often as one likes, of which the last counts.
///
/// A number that 64 bits cannot hold is refused, where restic ends in a panic.
func parseKeepDuration(_ value: ByteString) throws(CommandFailure) -> KeepDuration {
    var rest = value.trimmed.bytes[...]
    var duration = KeepDuration()
    while !rest.isEmpty {
        let number = try leadingNumber(&rest)
        guard let unit = rest.popFirst() else { throw CommandFailure("no unit found after number \(number)") }
        switch unit {
        case UInt8(ascii: "y"): duration.years = number
        case UInt8(ascii: "m"): duration.months = number
        case UInt8(ascii: "d"): duration.days = number
        case UInt8(ascii: "h"): duration.hours = number
        default: throw CommandFailure("invalid unit \(quotedByte(unit)) found after number \(number)")
        }
    }
    return duration
}

/// The check of a `--keep-last` for the table of options.
func keepCountComplaint(_ value: ByteString) -> Text? {
    do { _ = try parseKeepCount(value) } catch { return error.message }
    return nil
}

/// The check of a `--keep-within` for the table of options.
func keepDurationComplaint(_ value: ByteString) -> Text? {
    do { _ = try parseKeepDuration(value) } catch { return error.message }
    return nil
}

private func leadingNumber(_ rest: inout ArraySlice<UInt8>) throws(CommandFailure) -> Int64 {
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative { rest.removeFirst() }
    let digits = rest.prefix { (0x30...0x39).contains($0) }
    rest = rest.dropFirst(digits.count)
    guard !digits.isEmpty else { throw CommandFailure("no number found") }
    let magnitude: Int64
    do { magnitude = try parseGoInt(ByteString(Array(digits)), base: 10) } catch { throw CommandFailure(error.text) }
    return isNegative ? -magnitude : magnitude
}

/// A byte as Go shows a character: `'x'`.
private func quotedByte(_ byte: UInt8) -> Text {
    switch byte {
    case UInt8(ascii: "'"): return #"'\''"#
    case UInt8(ascii: "\""): return "'\"'"
    default:
        let name = ByteString(String(Character(Unicode.Scalar(byte))))
        return Text(bytes: [0x27] + quoted(name).bytes.dropFirst().dropLast() + [0x27])
    }
}
