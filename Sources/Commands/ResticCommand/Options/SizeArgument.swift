package import Bytes
import Console

/// Reads a size such as `20K`, `5g`, `100`: powers of 1024.
///
/// The complaint is in Go's words.
package func parseSize(_ value: ByteString) throws(CommandFailure) -> Int64 {
    guard let last = value.bytes.last else { throw CommandFailure("expected size, got empty string") }
    let unit: UInt64? =
        switch last {
        case 0x62, 0x42: 1
        case 0x6b, 0x4b: 1 << 10
        case 0x6d, 0x4d: 1 << 20
        case 0x67, 0x47: 1 << 30
        case 0x74, 0x54: 1 << 40
        default: nil
        }
    let number = unit == nil ? value : ByteString(Array(value.bytes.dropLast()))
    let count: Int64
    do { count = try parseGoInt(number, base: 10) } catch { throw CommandFailure(error.text) }
    let (size, isOver) = count.multipliedReportingOverflow(by: Int64(unit ?? 1))
    guard !isOver, size >= 0 else { throw CommandFailure("ParseSize: \(quoted(number)): value out of range") }
    return size
}
