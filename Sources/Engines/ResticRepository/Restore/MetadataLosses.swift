import Bytes
import Synchronization

/// A part of an entry's metadata.
enum MetadataPart: Sendable, Hashable {
    case owner, times, mode, attributes
    case attribute(ByteString)

    fileprivate var noun: String {
        switch self {
        case .owner: "the owner"
        case .times: "the times"
        case .mode: "the mode"
        case .attributes: "the extended attributes"
        case .attribute(let name): "the attribute \(name.display)"
        }
    }

    /// In the order in which they are told.
    fileprivate var rank: (Int, ByteString) {
        switch self {
        case .owner: (0, "")
        case .mode: (1, "")
        case .times: (2, "")
        case .attributes: (3, "")
        case .attribute(let name): (4, name)
        }
    }
}

/// What an ordinary user may not set in a restore: counted, and told once at its end (H-06).
///
/// Bound: `namesMax` names of attributes; what comes after them is not told apart. Isolation: any task.
final class MetadataLosses: Sendable {
    private static let namesMax = 20

    private let counts = Mutex<[MetadataPart: Int]>([:])

    func add(_ part: MetadataPart) {
        counts.withLock { counts in
            let isKnown = counts[part] != nil || counts.count < Self.namesMax
            counts[isKnown ? part : .attributes, default: 0] += 1
        }
    }

    /// One sentence; nil when nothing was lost.
    var summary: String? {
        let counts = counts.withLock { $0 }
        guard !counts.isEmpty else { return nil }
        let parts = counts.sorted { $0.key.rank < $1.key.rank }.map { part, count in
            "\(part.noun) of \(count) \(count == 1 ? "entry" : "entries")"
        }
        return "this user may not set \(parts.joined(separator: ", ")); restore as root to have them as they were"
    }
}
