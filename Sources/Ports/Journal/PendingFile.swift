import Bytes
import Glibc
import HostSystem

/// The emergency file beside the database: entries that the database did not take, one line each, in their order.
///
/// 1. The first line has a random name of the content; the database remembers the name of what it took over, so that a
///    crash between taking over and emptying imports nothing twice.
/// 2. Its lock (flock) is also the lock under which a journal is opened, checked and moved aside.
/// 3. It is emptied in place, never renamed: the lock belongs to the file.
/// 4. It holds `pendingReserveBytes` reserved, so that a full disk still takes the end of a run (C-04).
struct PendingFile: Sendable {
    static let name: ByteString = "journal-pending.jsonl"
    private static let title = "holdfast-journal-pending"

    /// What it holds.
    struct Content {
        var name = ""
        var rows: [EntryRow] = []
        /// Lines that were torn, or that a newer program wrote with more in them.
        var unreadableLines = 0
        var bytes: [UInt8] = []
    }

    private let file: FileDescriptor

    /// Opens it, and creates it where it is missing.
    init(in directory: Directory) throws(Errno) {
        file = try Self.open(in: directory)
        reserve()
    }

    private static func open(in directory: Directory) throws(Errno) -> FileDescriptor {
        do throws(Errno) {
            let file = try directory.createFile(name)
            try directory.sync()
            return file
        } catch  where error.kind == .exists {
            let file = try directory.openFileForUpdate(name)
            let status = try file.status()
            guard status.kind == .regular else { throw error }
            if status.permissions != 0o600 { try? file.setPermissions(0o600) }
            return file
        }
    }

    /// Whether it still has its name; one that was deleted takes no entry that anybody would find.
    var isNamed: Bool { ((try? file.status().links) ?? 0) > 0 }

    var isEmpty: Bool { ((try? file.status().size) ?? 0) == 0 }

    /// A wish: file systems without it find out when they are full.
    private func reserve() { try? file.allocate(UInt64(JournalLimits.pendingReserveBytes)) }

    // MARK: Lock

    /// Takes the lock and waits for it, at most about so long; false when another process kept it.
    func lock(milliseconds: Int) throws(Errno) -> Bool {
        var waited = 0
        while try !file.tryLock(exclusive: true) {
            guard waited < milliseconds else { return false }
            pauseThread(milliseconds: JournalLimits.lockPollMilliseconds)
            waited += JournalLimits.lockPollMilliseconds
        }
        return true
    }

    func unlock() { file.unlock() }

    // MARK: Content; under the lock

    /// Appends and syncs; the file is as it was when this throws, as far as its device obeys.
    ///
    /// **Errors**: EFBIG when it would grow beyond its bound; that of the failing call.
    func append(_ rows: [EntryRow], entropy: any EntropySource) throws(Errno) {
        let size = try file.status().size
        var bytes: [UInt8] = []
        if size == 0 {
            let name = Hex.encode(entropy.bytes(8))
            bytes = PendingLine.encode([.text(Self.title), .text(name)]) + [0x0a]
        } else if try lastByte(of: size) != 0x0a {
            bytes = [0x0a]
        }
        for row in rows { bytes += PendingLine.encode([.text(row.kind.rawValue)] + row.values) + [0x0a] }
        guard Int(clamping: size) + bytes.count <= JournalLimits.pendingBytesMax else {
            throw Errno(EFBIG, in: "write")
        }
        do throws(Errno) {
            try write(bytes, at: size)
            try file.sync()
        } catch {
            try? file.truncate(to: size)
            throw error
        }
    }

    private func write(_ bytes: [UInt8], at offset: UInt64) throws(Errno) {
        try bytes.withUnsafeBufferPointer { buffer throws(Errno) in
            try file.write(UnsafeRawBufferPointer(buffer), at: offset)
        }
    }

    private func lastByte(of size: UInt64) throws(Errno) -> UInt8 {
        try file.bytes(1, at: size - 1).first ?? 0
    }

    /// Everything in it; what it cannot read is counted, not thrown.
    func content() throws(Errno) -> Content {
        var content = Content()
        let size = min(Int(clamping: try file.status().size), JournalLimits.pendingBytesMax)
        guard size > 0 else { return content }
        content.bytes = try file.bytes(size, at: 0)
        for line in content.bytes.split(separator: 0x0a) {
            guard let values = PendingLine.decode(line), case .text(let word)? = values.first else {
                content.unreadableLines += 1
                continue
            }
            if content.name.isEmpty, word == Self.title, values.count == 2,
                case .text(let name) = values[1]
            {
                content.name = name
            } else if let kind = EntryKind(rawValue: word), values.count - 1 <= kind.valueCount {
                let missing = kind.valueCount - (values.count - 1)
                content.rows.append(
                    EntryRow(kind: kind, values: values.dropFirst() + Array(repeating: .null, count: missing))
                )
            } else {
                content.unreadableLines += 1
            }
        }
        return content
    }

    /// Empties it, durably, and reserves its room again.
    func clear() throws(Errno) {
        try file.truncate(to: 0)
        try file.sync()
        reserve()
    }
}

extension FileDescriptor {
    /// Up to `count` bytes from there, fewer at the end of the file.
    func bytes(_ count: Int, at offset: UInt64) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try bytes.withUnsafeMutableBufferPointer { buffer throws(Errno) in
            try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
        return Array(bytes.prefix(got))
    }
}
