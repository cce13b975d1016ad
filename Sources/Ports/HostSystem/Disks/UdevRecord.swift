package import Bytes

/// What udev keeps about a device in `/run/udev/data/bMAJ:MIN`.
///
/// **Shape**: a line each, `E:KEY=VALUE` for a property; other letters are links, tags and times, and are left out.
package struct UdevRecord: Sendable {
    private var properties: [ByteString: ByteString] = [:]

    /// Reads the record; lines that are none are left out, of a key twice the later counts.
    package init(parsing text: [UInt8]) {
        for line in text.split(separator: 0x0a) where line.starts(with: [0x45, 0x3a]) {
            let property = line.dropFirst(2)
            guard let equals = property.firstIndex(of: 0x3d), equals > property.startIndex else { continue }
            let value = ByteString(Array(property[(equals + 1)...])).trimmed
            properties[ByteString(Array(property[..<equals]))] = value
        }
    }

    /// The value of a property; nil when it is missing or empty.
    package subscript(_ key: ByteString) -> ByteString? {
        guard let value = properties[key], !value.isEmpty else { return nil }
        return value
    }

    /// True when the serial is that of a USB bridge and not of a disk behind it: then ID_SERIAL ends in the unit.
    var isAboutBridge: Bool {
        guard let serial = self["ID_SERIAL"], let unit = self["ID_INSTANCE"] else { return false }
        return serial.hasSuffix("-" + unit)
    }
}

/// The bytes for which `\x20` and its kin stand, as udev writes labels into names and `…_ENC` properties.
func unescapedHex(_ text: ByteString) -> ByteString {
    var bytes: [UInt8] = []
    var rest = text.bytes[...]
    while let first = rest.first {
        if first == 0x5c, rest.dropFirst().first == 0x78, let value = Hex.number(rest.dropFirst(2).prefix(2)),
            rest.count >= 4
        {
            bytes.append(UInt8(truncatingIfNeeded: value))
            rest = rest.dropFirst(4)
        } else {
            bytes.append(first)
            rest = rest.dropFirst()
        }
    }
    return ByteString(bytes)
}
