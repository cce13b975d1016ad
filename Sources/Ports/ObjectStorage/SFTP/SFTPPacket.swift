import Bytes

/// Packets of SFTP, version 3.
///
/// ```
/// 4 bytes length of the rest, big-endian | 1 type | 4 id (not in INIT and VERSION) | what the type has; a string is 4 bytes length and its bytes
/// ```
/// **Source**: draft-ietf-secsh-filexfer-02; OpenSSH's PROTOCOL file for extensions.
enum SFTPType: UInt8 {
    case start = 1
    case version = 2
    case open = 3
    case close = 4
    case read = 5
    case write = 6
    case setStatus = 9
    case setHandleStatus = 10
    case openFolder = 11
    case readFolder = 12
    case remove = 13
    case makeFolder = 14
    case status = 17
    case rename = 18
    case answerStatus = 101
    case answerHandle = 102
    case answerData = 103
    case answerNames = 104
    case answerAttributes = 105
    case extended = 200
    case answerExtended = 201
}

/// A packet that is being written.
struct SFTPRequest {
    private(set) var bytes: [UInt8] = [0, 0, 0, 0]

    init(_ type: SFTPType) {
        bytes.append(type.rawValue)
        // The place of the id.
        if type != .start { bytes += [0, 0, 0, 0] }
    }

    mutating func add(_ number: UInt32) {
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(shift))) }
    }

    mutating func add(_ number: UInt64) {
        add(UInt32(truncatingIfNeeded: number >> 32))
        add(UInt32(truncatingIfNeeded: number))
    }

    mutating func add(_ text: some Collection<UInt8>) {
        add(UInt32(text.count))
        bytes += text
    }

    mutating func add(_ text: String) { add(Array(text.utf8)) }

    /// Attributes that name permissions alone.
    mutating func add(permissions: UInt32) {
        add(UInt32(4))
        add(permissions)
    }

    /// The whole packet under an id.
    func sealed(_ id: UInt32) -> [UInt8] {
        var packet = bytes
        SFTPRequest.put(UInt32(packet.count - 4), into: &packet, at: 0)
        if packet[4] != SFTPType.start.rawValue { SFTPRequest.put(id, into: &packet, at: 5) }
        return packet
    }

    private static func put(_ number: UInt32, into bytes: inout [UInt8], at position: Int) {
        for (index, shift) in [24, 16, 8, 0].enumerated() {
            bytes[position + index] = UInt8(truncatingIfNeeded: number >> UInt32(shift))
        }
    }
}

/// What is wrong with a packet.
struct SFTPMalformed: Error, Hashable {}

/// Reads the parts of a packet; each length is held against what is there (L3).
struct SFTPReader {
    private let bytes: [UInt8]
    private var position: Int

    init(_ bytes: [UInt8], from position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    var isAtEnd: Bool { position == bytes.count }

    mutating func byte() throws(SFTPMalformed) -> UInt8 {
        guard position < bytes.count else { throw SFTPMalformed() }
        position += 1
        return bytes[position - 1]
    }

    mutating func number() throws(SFTPMalformed) -> UInt32 {
        guard bytes.count - position >= 4 else { throw SFTPMalformed() }
        position += 4
        return bytes[(position - 4)..<position].reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func large() throws(SFTPMalformed) -> UInt64 { UInt64(try number()) << 32 | UInt64(try number()) }

    mutating func text() throws(SFTPMalformed) -> [UInt8] {
        let count = Int(try number())
        guard count <= bytes.count - position else { throw SFTPMalformed() }
        position += count
        return Array(bytes[(position - count)..<position])
    }

    /// Size and permissions; nil where the server does not tell them.
    mutating func attributes() throws(SFTPMalformed) -> (size: UInt64?, permissions: UInt32?) {
        let flags = try number()
        let size = flags & 1 != 0 ? try large() : nil
        if flags & 2 != 0 { _ = try large() }
        let permissions = flags & 4 != 0 ? try number() : nil
        if flags & 8 != 0 { _ = try large() }
        if flags & 0x8000_0000 != 0 {
            for _ in 0..<(try number()) {
                _ = try text()
                _ = try text()
            }
        }
        return (size, permissions)
    }
}

/// What a server answered to a request.
struct SFTPAnswer: Sendable {
    var type: UInt8
    /// Behind the id.
    var rest: [UInt8]

    /// The code of a status; nil for what is none.
    var status: UInt32? {
        guard type == SFTPType.answerStatus.rawValue else { return nil }
        var reader = SFTPReader(rest)
        return try? reader.number()
    }

    /// The words beside a status; may be empty.
    var words: String {
        var reader = SFTPReader(rest)
        guard status != nil, (try? reader.number()) != nil, let text = try? reader.text() else { return "" }
        return ByteString(text).display
    }
}

/// The codes of a status that mean something to us.
enum SFTPStatus {
    static let ok: UInt32 = 0
    static let end: UInt32 = 1
    static let noFile: UInt32 = 2
    static let denied: UInt32 = 3
    static let failure: UInt32 = 4
    static let unsupported: UInt32 = 8
}
