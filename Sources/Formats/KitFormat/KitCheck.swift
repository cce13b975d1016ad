package import Bytes

/// The four characters behind each numbered line, by which a wrong letter is found.
///
/// ```
/// 19                4 3        0
/// CRC-16            | length    |   as four characters of five bits, the highest first
/// ```
/// The CRC (polynomial 0x1021, from 0xffff) finds each change within 16 bits, so each wrong letter and each pair of letters in the wrong order;
/// the length of the line modulo 16 finds each letter that is missing or too many. What is checked is `NUMBER KEY: VALUE` as `KitLine` has it.
package enum KitCheck {
    /// Digits and capitals without 0, 1, I and O.
    static let alphabet = Array("23456789ABCDEFGHJKLMNPQRSTUVWXYZ".utf8)

    /// The group of a line.
    package static func group(number: Int, key: String, value: String) -> String {
        let bytes = Array("\(number) \(key): \(value)".utf8)
        let bits = UInt32(crc16(bytes)) << 4 | UInt32(bytes.count & 15)
        let characters = [15, 10, 5, 0].map { alphabet[Int(bits >> $0 & 31)] }
        return String(decoding: characters, as: UTF8.self)
    }

    /// Characters of the alphabet for random bytes, five bits of each.
    package static func characters(for bytes: [UInt8]) -> String {
        String(decoding: bytes.map { alphabet[Int($0 & 31)] }, as: UTF8.self)
    }

    /// A new serial number: forty random bits.
    package static func serial(_ entropy: any EntropySource) -> String {
        let text = characters(for: entropy.bytes(8))
        return "\(text.prefix(4))-\(text.suffix(4))"
    }

    private static func crc16(_ bytes: [UInt8]) -> UInt16 {
        var crc: UInt16 = 0xffff
        for byte in bytes {
            crc ^= UInt16(byte) << 8
            for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
        }
        return crc
    }
}
