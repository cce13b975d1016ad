import Bytes
import ResticFormat

/// Writes a tar archive member by member: USTAR headers where they suffice, PAX records before them where they do not.
///
/// 1. Times are rounded to seconds, as Go's `archive/tar` does unless told otherwise; access and change times are left out.
/// 2. Names and targets beyond ASCII or too long, numbers too large, extended attributes and ACLs go into PAX records, sorted by key.
/// 3. The archive ends with two empty blocks.
/// Layout of a header, 512 bytes: name 100, mode 8, uid 8, gid 8, size 12, mtime 12, checksum 8, type 1, target 100,
/// `ustar\0` `00`, user 32, group 32, device 8 + 8, prefix 155, 12 unused.
final class TarArchive: ArchiveWriter {
    private static let blockBytes = 512
    private static let nameBytes = 100
    private static let prefixBytes = 155

    private let output: DumpOutput
    private var remaining: UInt64 = 0
    private var padding = 0

    init(_ output: DumpOutput) { self.output = output }

    func begin(_ member: ArchiveMember) throws {
        let node = member.node
        let name = ByteString(member.path.bytes + (node.type == .directory ? [0x2f] : []))
        let target: ByteString = node.type == .symlink ? node.linkTarget : ""
        let seconds = roundedSeconds(node.mtime.moment)
        var records = try attributeRecords(node)
        let wantsPAX = !records.isEmpty
        let split = Self.split(name)
        var fits = Self.isPlain(name, limit: Self.nameBytes) || split != nil
        if !Self.isPlain(name, limit: Self.nameBytes) { records["path"] = name.bytes }
        func check(_ key: String, _ text: ByteString, _ limit: Int) {
            guard !Self.isPlain(text, limit: limit) else { return }
            fits = false
            records[key] = text.bytes
        }
        check("linkpath", target, Self.nameBytes)
        check("uname", node.user, 32)
        check("gname", node.group, 32)
        for (key, value, digits) in [
            ("uid", Int64(node.uid), 7), ("gid", Int64(node.gid), 7), ("size", Int64(clamping: node.size), 11),
            ("mtime", seconds, 11),
        ] where !Self.fitsOctal(value, digits) {
            fits = false
            records[key] = Array(String(value).utf8)
        }
        for key in ["path", "linkpath", "uname", "gname"] where records[key]?.contains(0) ?? false {
            throw DumpProblem.unwritable("archive/tar: cannot encode header: invalid PAX record: \"\(key)\"")
        }
        let isPAX = wantsPAX || !fits
        if isPAX, !records.isEmpty { try writeRecords(records, for: name) }
        var header = TarHeader()
        let parts = isPAX ? nil : split
        header.text(parts?.name ?? name.bytes, at: 0, 100)
        header.number(Int64(GoMode.unixPermissions(node.mode)), at: 100, 8)
        header.number(Int64(node.uid), at: 108, 8)
        header.number(Int64(node.gid), at: 116, 8)
        header.number(Int64(clamping: node.size), at: 124, 12)
        header.number(seconds, at: 136, 12)
        header.type = Self.typeFlag(node.type)
        header.text(target.bytes, at: 157, 100)
        header.text(node.user.bytes, at: 265, 32)
        header.text(node.group.bytes, at: 297, 32)
        header.number(0, at: 329, 8)
        header.number(0, at: 337, 8)
        header.text(parts?.prefix ?? [], at: 345, Self.prefixBytes)
        try output.write(header.sealed())
        start(node.type == .directory || node.type == .symlink ? 0 : node.size)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        guard UInt64(bytes.count) <= remaining else { throw DumpProblem.unwritable("archive/tar: write too long") }
        remaining -= UInt64(bytes.count)
        try output.write(bytes)
    }

    func end() throws {
        guard remaining == 0 else {
            throw DumpProblem.unwritable("archive/tar: missed writing \(remaining) bytes")
        }
        if padding > 0 { try output.write([UInt8](repeating: 0, count: padding)) }
        padding = 0
    }

    func finish() throws {
        try output.write([UInt8](repeating: 0, count: 2 * Self.blockBytes))
        try output.flush()
    }

    private func start(_ size: UInt64) {
        remaining = size
        padding = Int((UInt64(Self.blockBytes) - size % UInt64(Self.blockBytes)) % UInt64(Self.blockBytes))
    }

    // MARK: PAX

    private func attributeRecords(_ node: Node) throws -> [String: [UInt8]] {
        var records: [String: [UInt8]] = [:]
        for attribute in node.extendedAttributes {
            let key: String
            var value = attribute.value
            switch attribute.name {
            case "system.posix_acl_access", "system.posix_acl_default":
                // An ACL that we cannot read is left out, as restic does.
                guard let text = aclText(value) else { continue }
                key = attribute.name == "system.posix_acl_access" ? "SCHILY.acl.access" : "SCHILY.acl.default"
                value = text
            default:
                guard isText(attribute.name) else {
                    throw DumpProblem.unwritable(
                        "archive/tar: cannot encode header: invalid PAX record: \"SCHILY.xattr.\(attribute.name.display)\""
                    )
                }
                key = "SCHILY.xattr." + String(decoding: attribute.name.bytes, as: UTF8.self)
            }
            records[key] = value
        }
        return records
    }

    /// A record's key holds no `=` and no NUL, and is UTF-8 here.
    private func isText(_ name: ByteString) -> Bool {
        !name.bytes.contains(0x3d) && !name.bytes.contains(0)
            && String(decoding: name.bytes, as: UTF8.self).utf8.elementsEqual(name.bytes)
    }

    /// Writes the member of type `x` that carries the records: each `LENGTH KEY=VALUE` and a line break.
    private func writeRecords(_ records: [String: [UInt8]], for name: ByteString) throws {
        var data: [UInt8] = []
        for (key, value) in records.sorted(by: { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }) {
            let body = [0x20] + Array(key.utf8) + [0x3d] + value + [0x0a]
            var length = body.count + String(body.count).utf8.count
            length = body.count + String(length).utf8.count
            data += Array(String(length).utf8) + body
            guard data.count <= Limits.tarRecordBytesMax else {
                throw DumpProblem.unwritable("archive/tar: header field too long")
            }
        }
        var header = TarHeader()
        let cut = name.bytes.lastIndex(of: 0x2f).map { $0 + 1 } ?? 0
        var title = TarHeader.ascii(Array(name.bytes[..<cut]) + Array("PaxHeaders.0/".utf8) + name.bytes[cut...])
        title = Array(title.prefix(Self.nameBytes))
        while title.last == 0x2f { title.removeLast() }
        header.text(title, at: 0, 100)
        for (offset, width) in [(100, 8), (108, 8), (116, 8), (136, 12)] { header.number(0, at: offset, width) }
        header.number(Int64(data.count), at: 124, 12)
        header.type = UInt8(ascii: "x")
        try output.write(header.sealed())
        start(UInt64(data.count))
        try data.withUnsafeBytes { try write($0) }
        try end()
    }

    // MARK: what fits

    private static func typeFlag(_ type: NodeType) -> UInt8 {
        switch type {
        case .directory: UInt8(ascii: "5")
        case .symlink: UInt8(ascii: "2")
        // Devices and pipes directly in the dumped directory become empty files, as in restic's archives.
        case .file, .device, .characterDevice, .fifo, .socket, .irregular, .other: UInt8(ascii: "0")
        }
    }

    private static func isPlain(_ text: ByteString, limit: Int) -> Bool {
        text.bytes.count <= limit && TarHeader.isASCII(text.bytes)
    }

    private static func fitsOctal(_ value: Int64, _ digits: Int) -> Bool { value >= 0 && value >> (3 * digits) == 0 }

    /// The two parts of a name that is too long for one field; nil when it needs none or fits in no way.
    private static func split(_ name: ByteString) -> (prefix: [UInt8], name: [UInt8])? {
        let bytes = name.bytes
        guard bytes.count > nameBytes, TarHeader.isASCII(bytes) else { return nil }
        var end = bytes.count
        if end > prefixBytes + 1 { end = prefixBytes + 1 } else if bytes.last == 0x2f { end -= 1 }
        guard let slash = bytes[..<end].lastIndex(of: 0x2f), slash > 0, slash <= prefixBytes else { return nil }
        let rest = bytes.count - slash - 1
        guard rest > 0, rest <= nameBytes else { return nil }
        return (Array(bytes[..<slash]), Array(bytes[(slash + 1)...]))
    }

    private func roundedSeconds(_ moment: Timestamp) -> Int64 {
        moment.seconds &+ (moment.nanoseconds >= 500_000_000 ? 1 : 0)
    }
}

/// One block of 512 bytes.
private struct TarHeader {
    private var bytes = [UInt8](repeating: 0, count: 512)

    var type: UInt8 {
        get { bytes[156] }
        set { bytes[156] = newValue }
    }

    static func isASCII(_ text: [UInt8]) -> Bool { text.allSatisfy { 0 < $0 && $0 < 0x80 } }

    static func ascii(_ text: [UInt8]) -> [UInt8] { text.filter { 0 < $0 && $0 < 0x80 } }

    /// What fits of the text's ASCII; a slash that the cut would leave at the end is taken off, since readers take it for a directory.
    mutating func text(_ text: [UInt8], at offset: Int, _ width: Int) {
        let plain = Self.ascii(text)
        var shown = plain.prefix(width)
        if plain.count > width { while shown.last == 0x2f { shown.removeLast() } }
        bytes.replaceSubrange(offset..<offset + shown.count, with: shown)
    }

    /// Octal digits and a NUL; 0 for a number that does not fit.
    mutating func number(_ value: Int64, at offset: Int, _ width: Int) {
        let fits = value >= 0 && value >> Int64(3 * (width - 1)) == 0
        let digits = Array(String(fits ? value : 0, radix: 8).utf8)
        let start = offset + width - 1 - digits.count
        for index in offset..<start { bytes[index] = 0x30 }
        bytes.replaceSubrange(start..<start + digits.count, with: digits)
    }

    /// The block with its checksum: the sum of all bytes, the checksum's own counted as blanks.
    func sealed() -> [UInt8] {
        var header = self
        header.bytes.replaceSubrange(257..<265, with: Array("ustar\0".utf8) + [0x30, 0x30])
        let sum = header.bytes.reduce(Int64(8 * 0x20)) { $0 + Int64($1) }
        header.number(sum, at: 148, 7)
        header.bytes[155] = 0x20
        return header.bytes
    }
}

/// A Linux ACL in the long text form of POSIX.1e; nil when it is malformed.
///
/// Shape of the binary form, little-endian: version 4 bytes (2), then for each entry tag 2, permissions 2, identifier 4.
func aclText(_ acl: [UInt8]) -> [UInt8]? {
    guard acl.count >= 4, (acl.count - 4) % 8 == 0 else { return nil }
    return acl.withUnsafeBytes { bytes -> [UInt8]? in
        guard bytes.littleUInt32(at: 0) == 2 else { return nil }
        var text: [UInt8] = []
        for offset in stride(from: 4, to: bytes.count, by: 8) {
            let identifier = String(bytes.littleUInt32(at: offset + 4))
            let subject: String
            switch bytes.littleUInt16(at: offset) {
            case 0x01: subject = "user:"
            case 0x02: subject = "user:" + identifier
            case 0x04: subject = "group:"
            case 0x08: subject = "group:" + identifier
            case 0x10: subject = "mask:"
            case 0x20: subject = "other:"
            default: return nil
            }
            let permissions = bytes.littleUInt16(at: offset + 2)
            text += Array(subject.utf8) + [0x3a]
            text += [permissions & 4 != 0 ? 0x72 : 0x2d, permissions & 2 != 0 ? 0x77 : 0x2d]
            text += [permissions & 1 != 0 ? 0x78 : 0x2d, 0x0a]
        }
        return text
    }
}
