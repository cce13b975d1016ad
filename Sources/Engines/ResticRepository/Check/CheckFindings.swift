import Bytes
import ObjectStorage
package import Outcome
import ResticFormat

/// The findings of a check; codes are ours and stable, `what` has restic's words.
enum CheckCode: String {
    case indexUnreadable = "index-unreadable"
    case indexSplit = "index-split"
    case indexDuplicate = "index-duplicate"
    case packMixed = "pack-mixed"
    case packMissing = "pack-missing"
    case packSize = "pack-size"
    case packOrphaned = "pack-orphaned"
    case packDamaged = "pack-damaged"
    case packUnreadable = "pack-unreadable"
    case snapshotUnreadable = "snapshot-unreadable"
    case snapshotNotFound = "snapshot-not-found"
    case treeUnreadable = "tree-unreadable"
    case treeInvalid = "tree-invalid"
    case blobUnused = "blob-unused"
    case keyDamaged = "key-damaged"
    case listing = "listing-failed"
    case transientRead = "transient-read"
    case foreign = "foreign-files"
    case storeSetBack = "store-set-back"
    case snapshotGone = "snapshot-gone"
    case indexGone = "index-gone"
}

extension Finding {
    init(_ severity: Severity, _ code: CheckCode, object: String, what: String, next: String = "") {
        self.init(severity, code.rawValue, object: object, what: what, next: next)
    }

    /// The line that restic prints for this finding.
    ///
    /// Findings in a tree are indented: `checkHeading` goes before the first.
    package var checkText: String {
        switch CheckCode(rawValue: code) {
        case .packMissing, .packSize, .packOrphaned, .packDamaged, .keyDamaged:
            "\(object)\(code == CheckCode.packDamaged.rawValue ? "" : ":") \(what)"
        case .indexUnreadable, .snapshotUnreadable, .snapshotNotFound, .listing: "error: \(what)"
        case .treeUnreadable: "  \(what)"
        case .treeInvalid: "  \(object): \(what)"
        case .indexSplit, .indexDuplicate, .packMixed, .packUnreadable, .blobUnused, .transientRead, .foreign, nil: what
        case .storeSetBack, .snapshotGone, .indexGone: "warning: \(object): \(what)\n  next:  \(next)"
        }
    }

    /// The line before the findings in one tree, `error for tree 802cae4c:`; nil for all others.
    package var checkHeading: String? {
        switch CheckCode(rawValue: code) {
        case .treeUnreadable, .treeInvalid: "error for \(object.prefix(13)):"
        default: nil
        }
    }

    static func pack(_ id: PackID) -> String { "pack \(id.hex)" }
    static func tree(_ id: BlobID) -> String { "tree \(id.hex)" }
}

/// Why something could not be loaded, in restic's words where it has some.
enum CheckWords {
    static let repairIndex = "run `repair index`"
    static func repairPacks(_ id: PackID) -> String { "run `repair packs \(id.hex)`, then `repair snapshots --forget`" }

    /// `<data/72ce8785>`.
    static func handle(_ type: BlobType, _ id: BlobID) -> String { "<\(type == .tree ? "tree" : "data")/\(id.short)>" }

    /// `LoadRaw(<index/54d0280315>)`.
    static func load(_ kind: ObjectKind, _ id: Digest) -> String { "LoadRaw(<\(kind.rawValue)/\(id.hex.prefix(10))>)" }

    /// The words of a failure, whichever layer it comes from.
    static func text(_ error: any Error) -> String {
        switch error {
        case let failure as any ReportableFailure: failure.what
        default: "\(error)"
        }
    }

    /// Why a sealed blob was not accepted.
    static func text(_ damage: BlobDamage, _ blob: PackedBlob, pack: PackID) -> String {
        let name = "blob \(handle(blob.type, blob.id))"
        switch damage {
        case .notAuthentic: return "decrypting \(name) from pack \(pack.hex) failed: ciphertext verification failed"
        case .notDecompressible:
            return "decompressing \(name) from pack \(pack.hex) failed: does not have the size that the index says"
        case .wrongDigest: return "read \(name) from pack \(pack.hex): wrong data returned"
        case .wrongLength: return "invalid blob length of \(name) in pack \(pack.hex): \(blob.length)"
        case .tooLarge:
            return "\(name) in pack \(pack.hex) claims \(blob.uncompressedLength) bytes, which is above the limit"
        }
    }

    /// `{54d02803 ab6951dd}`, as restic shows a set of names.
    static func set(_ ids: [IndexID]) -> String { "{\(ids.sorted().map(\.short).joined(separator: " "))}" }
}
