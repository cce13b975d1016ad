import Bytes
import Console

/// Splits one line of comma-separated values as Go's `encoding/csv` does, the form of flags that take a list.
func parseCSVFields(_ value: ByteString) throws(CommandFailure) -> [ByteString] {
    guard !value.bytes.isEmpty else { return [] }
    let bytes = value.bytes
    var fields: [ByteString] = []
    var index = 0
    while true {
        var field: [UInt8] = []
        if index < bytes.count, bytes[index] == 0x22 {
            index += 1
            while true {
                guard index < bytes.count else {
                    throw CommandFailure(
                        "parse error on line 1, column \(index + 1): extraneous or missing \" in quoted-field"
                    )
                }
                if bytes[index] == 0x22 {
                    guard index + 1 < bytes.count, bytes[index + 1] == 0x22 else { break }
                    index += 1
                }
                field.append(bytes[index])
                index += 1
            }
            index += 1
            guard index == bytes.count || bytes[index] == 0x2c else {
                throw CommandFailure("parse error on line 1, column \(index): extraneous or missing \" in quoted-field")
            }
        } else {
            while index < bytes.count, bytes[index] != 0x2c {
                guard bytes[index] != 0x22 else {
                    throw CommandFailure("parse error on line 1, column \(index + 1): bare \" in non-quoted-field")
                }
                field.append(bytes[index])
                index += 1
            }
        }
        fields.append(ByteString(field))
        guard index < bytes.count else { return fields }
        index += 1
    }
}
