import Bytes

/// The number under which the kernel knows a device; of a mounted file system without one, an anonymous number.
package struct DeviceNumber: Sendable, Hashable, CustomStringConvertible {
    package var major: UInt32
    package var minor: UInt32

    package init(major: UInt32, minor: UInt32) {
        self.major = major
        self.minor = minor
    }

    /// From `st_dev` or `st_rdev` in the C library's encoding.
    ///
    /// **Shape**: bits 8-19 and 44-63 are the major number, bits 0-7 and 20-43 the minor one.
    package init(encoded: UInt64) {
        major = UInt32(truncatingIfNeeded: (encoded >> 8) & 0xfff | (encoded >> 32) & 0xffff_f000)
        minor = UInt32(truncatingIfNeeded: encoded & 0xff | (encoded >> 12) & 0xffff_ff00)
    }

    /// From `8:17`, as mountinfo and sysfs write it; nil for anything else.
    init?(_ text: some Collection<UInt8>) {
        let parts = text.split(separator: 0x3a, omittingEmptySubsequences: false)
        guard parts.count == 2, let major = decimal(parts[0]), let minor = decimal(parts[1]),
            let major = UInt32(exactly: major), let minor = UInt32(exactly: minor)
        else { return nil }
        self.init(major: major, minor: minor)
    }

    /// True for the numbers that the kernel invents for file systems without a device of their own: tmpfs, overlay, btrfs.
    package var isAnonymous: Bool { major == 0 }

    /// `8:17`.
    package var description: String { "\(major):\(minor)" }
}

/// The value of one to nineteen decimal digits, nil for anything else.
func decimal(_ text: some Collection<UInt8>) -> UInt64? {
    guard (1...19).contains(text.count) else { return nil }
    var value: UInt64 = 0
    for digit in text {
        guard 0x30...0x39 ~= digit else { return nil }
        value = value * 10 + UInt64(digit - 0x30)
    }
    return value
}

extension ByteString {
    /// Without blanks, ends of lines and NULs at both ends, as attributes and inquiry strings are padded.
    var trimmed: ByteString {
        func isPadding(_ byte: UInt8) -> Bool { byte <= 0x20 }
        guard let first = bytes.firstIndex(where: { !isPadding($0) }),
            let last = bytes.lastIndex(where: { !isPadding($0) })
        else { return "" }
        return ByteString(Array(bytes[first...last]))
    }

    func hasPrefix(_ prefix: ByteString) -> Bool { bytes.starts(with: prefix.bytes) }

    func hasSuffix(_ suffix: ByteString) -> Bool { bytes.reversed().starts(with: suffix.bytes.reversed()) }

    /// The parts between slashes, without empty ones.
    var components: [ByteString] { bytes.split(separator: 0x2f).map { ByteString(Array($0)) } }

    static func + (left: ByteString, right: ByteString) -> ByteString { ByteString(left.bytes + right.bytes) }
}
