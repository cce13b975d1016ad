/// The document with a line for each member and element, two blanks deep, as Go's `MarshalIndent` writes it.
///
/// `json` is well-formed and compact (our own writer made it).
func indentedJSON(_ json: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    var depth = 0
    var isInString = false
    var isEscaped = false
    func newLine() { output.append(contentsOf: [0x0a] + [UInt8](repeating: 0x20, count: depth * 2)) }
    for (index, byte) in json.enumerated() {
        if isInString {
            output.append(byte)
            if isEscaped {
                isEscaped = false
            } else if byte == 0x5c {
                isEscaped = true
            } else if byte == 0x22 {
                isInString = false
            }
            continue
        }
        switch byte {
        case 0x22:
            isInString = true
            output.append(byte)
        case 0x7b, 0x5b:
            output.append(byte)
            depth += 1
            if index + 1 < json.count, json[index + 1] != byte + 2 { newLine() }
        case 0x7d, 0x5d:
            depth -= 1
            if json[index - 1] != byte - 2 { newLine() }
            output.append(byte)
        case 0x2c:
            output.append(byte)
            newLine()
        case 0x3a: output.append(contentsOf: [byte, 0x20])
        case 0x20, 0x0a, 0x0d, 0x09: break
        default: output.append(byte)
        }
    }
    return output
}
