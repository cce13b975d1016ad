package import Bytes

/// A file of `locks/`: who works on the repository, since when, and whether alone.
package struct LockDocument: Sendable, Hashable {
    /// When it was written or last refreshed; older than 30 minutes is stale.
    package var time: ZonedTime
    /// True for work that removes or rewrites.
    package var exclusive: Bool
    package var hostname: ByteString
    package var username: ByteString
    /// Process on `hostname`.
    package var pid: Int
    /// Left out when 0.
    package var uid: UInt32
    /// Left out when 0.
    package var gid: UInt32
    /// Tells the process from later ones of the same number.
    ///
    /// A field of ours, which restic passes over; left out when empty.
    package var processMark: ByteString = ""

    /// Takes the values as they are.
    package init(
        time: ZonedTime,
        exclusive: Bool,
        hostname: ByteString,
        username: ByteString,
        pid: Int,
        uid: UInt32,
        gid: UInt32
    ) {
        self.time = time
        self.exclusive = exclusive
        self.hostname = hostname
        self.username = username
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }

    /// Reads the plaintext; absent fields are empty as in Go, fields given twice are refused.
    package init(decoding bytes: [UInt8]) throws(FormatError) {
        self = try decodeDocument(bytes, limit: FormatLimits.smallDocumentBytesMax) { reader throws(FormatError) in
            var lock = LockDocument(
                time: RFC3339.zeroTime,
                exclusive: false,
                hostname: "",
                username: "",
                pid: 0,
                uid: 0,
                gid: 0
            )
            var fields = try ObjectFields(Self.names, refusesDuplicates: true, reader: &reader)
            while let field = try fields.next(&reader) {
                if try reader.skipNull() { continue }
                switch field {
                case 0: lock.time = try reader.time()
                case 1: lock.exclusive = try reader.bool()
                case 2: lock.hostname = try reader.text()
                case 3: lock.username = try reader.text()
                case 4: lock.pid = try reader.signed()
                case 5: lock.uid = try reader.unsigned32()
                case 6: lock.gid = try reader.unsigned32()
                default: lock.processMark = try reader.text()
                }
            }
            return lock
        }
    }

    /// The plaintext as restic writes it, and our own field behind it.
    package func encode() -> [UInt8] {
        var writer = GoJSONWriter(capacity: 256)
        writer.beginObject()
        writer.key("time")
        writer.time(time)
        writer.key("exclusive")
        writer.bool(exclusive)
        writer.key("hostname")
        writer.string(hostname)
        writer.key("username")
        writer.string(username)
        writer.key("pid")
        writer.integer(pid)
        if uid != 0 {
            writer.key("uid")
            writer.integer(uid)
        }
        if gid != 0 {
            writer.key("gid")
            writer.integer(gid)
        }
        if !processMark.bytes.isEmpty {
            writer.key("process_mark")
            writer.string(processMark)
        }
        writer.endObject()
        return writer.bytes
    }

    private static let names: [StaticString] = [
        "time", "exclusive", "hostname", "username", "pid", "uid", "gid", "process_mark",
    ]
}
