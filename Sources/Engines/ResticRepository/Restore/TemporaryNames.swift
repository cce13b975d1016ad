import Bytes
import HostSystem
import Sealing

/// Names of files before they are complete: hidden, and told by their end.
///
/// 1. The same restore into the same target finds the same names again, so that a killed one is resumed.
/// 2. Two restores at one time never write to one file: the first holds the target's lock, and any other has names of its own.
/// 3. No entry of the snapshot has such a name, even when it was saved from a target with leftovers.
struct TemporaryNames: Sendable {
    /// Inode of the target.
    private let salt: UInt64
    /// Empty for the run that may resume; random for one that runs beside it.
    private let tag: [UInt8]
    /// Entries of the snapshot that look like these names.
    private let taken: Set<RestorePlan.Place>
    /// Holds the lock until `release`.
    private let target: Directory

    private static let prefix = Array(".holdfast-".utf8)
    private static let suffix = Array(".partial".utf8)

    init(target: Directory, taken: Set<RestorePlan.Place>, entropy: any EntropySource) throws(Errno) {
        salt = try target.status().inode
        self.taken = taken
        self.target = target
        // Where there are no locks, nothing is resumed.
        let isLocked = (try? target.descriptor.tryLock(exclusive: true)) ?? false
        tag = isLocked ? [] : entropy.bytes(8)
    }

    /// Gives the target's lock back, also where a child that is being started still has a copy of the descriptor.
    func release() { target.descriptor.unlock() }

    /// Whether a name has the form of these.
    static func matches(_ name: ByteString) -> Bool {
        name.bytes.starts(with: prefix) && name.bytes.suffix(suffix.count).elementsEqual(suffix)
    }

    /// The temporary name of an entry; never that of another one of the snapshot.
    func name(for entry: ByteString, in directory: Int32) -> ByteString {
        var attempt: UInt8 = 0
        while true {
            let candidate = name(for: entry, attempt: attempt)
            if attempt == .max || !taken.contains(RestorePlan.Place(directory: directory, name: candidate)) {
                return candidate
            }
            attempt += 1
        }
    }

    private func name(for entry: ByteString, attempt: UInt8) -> ByteString {
        var text = entry.bytes
        text.append(0)
        text.append(attempt)
        withUnsafeBytes(of: salt.littleEndian) { text.append(contentsOf: $0) }
        text.append(contentsOf: tag)
        return ByteString(Self.prefix + Array(sha256(text).hex.utf8.prefix(24)) + Self.suffix)
    }

    private static let twin = Array(".holdfast-twin-".utf8)

    /// The name that an entry gets when its own was taken for another's (H-07), at most 255 bytes.
    static func alternative(_ name: ByteString) -> ByteString {
        ByteString(name.bytes.prefix(220) + twin + Array(sha256(name.bytes).hex.utf8.prefix(8)))
    }

    /// Whether a name has the form of an alternative.
    static func isAlternative(_ name: ByteString) -> Bool {
        name.bytes.count > twin.count + 8 && name.bytes.dropLast(8).suffix(twin.count).elementsEqual(twin)
    }
}
