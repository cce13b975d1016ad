package import Bytes
import Console

/// Splits a command into words as restic does: blanks separate, quotes of both kinds group, a backslash before a quote makes it plain.
///
/// Unlike a shell, a quote also ends a word, and a backslash outside quotes separates.
package func shellWords(_ command: ByteString) throws(CommandFailure) -> [ByteString] {
    var words: [ByteString] = []
    var word: [UInt8]?
    var quote: UInt8?
    var last: UInt8 = 0
    for byte in command.bytes {
        var separates = false
        if last != 0x5c, byte == quote {
            quote = nil
            separates = true
        } else if last != 0x5c, quote == nil, byte == 0x22 || byte == 0x27 {
            quote = byte
            separates = true
        } else {
            last = byte
            separates = quote == nil && (byte == 0x5c || byte == 0x20 || (0x09...0x0d).contains(byte))
        }
        if separates {
            if let finished = word { words.append(ByteString(finished)) }
            word = nil
        } else {
            word = (word ?? []) + [byte]
        }
    }
    if let finished = word { words.append(ByteString(finished)) }
    switch quote {
    case 0x27: throw CommandFailure("single-quoted string not terminated")
    case 0x22: throw CommandFailure("double-quoted string not terminated")
    default: break
    }
    guard !words.isEmpty else { throw CommandFailure("command string is empty") }
    return words
}
