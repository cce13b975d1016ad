package import Bytes
package import Protection
import ResticFormat
package import ResticRepository
import Strategy

/// The copy that somebody wants back.
package struct CopyWish: Sendable, Hashable {
    package var workload: String
    /// A medium, or a repository on one; nil: the nearest that will do.
    package var medium: String?
    /// The newest that is not newer than this; nil: the newest of all.
    package var moment: Timestamp?
    /// The beginning of a snapshot's name, also of the one that it is a copy of; nil: the newest that is complete.
    package var snapshot: String?

    package init(_ workload: String) { self.workload = workload }
}

/// What makes two snapshots copies of each other: one moment and one tree.
package struct CopyIdentity: Sendable, Hashable {
    package var moment: Timestamp
    package var tree: BlobID?

    init(_ snapshot: Snapshot) {
        moment = snapshot.document.time.moment
        tree = snapshot.document.tree
    }
}

/// A snapshot in a repository that is here and open.
package struct FoundCopy: Sendable {
    package let store: LabStore
    package let repository: Repository
    package let snapshot: Snapshot
    /// What a snapshot is beside a complete copy.
    package let kind: CopyKind

    package var identity: CopyIdentity { CopyIdentity(snapshot) }
    /// `host-usb on usb-ssd`.
    package var place: String { "\(store.name) on \(store.medium.name)" }
}

/// What a snapshot holds of a workload.
package enum CopyKind: Sendable, Hashable {
    case complete
    /// Sources could not be read when it was made: it holds what could.
    case incomplete
    /// What was there before something was restored in its place.
    case safety
}

/// The copy to restore from, and what has to be known before.
package struct CopyChoice: Sendable {
    package var copy: FoundCopy
    /// What can stand in: the same content elsewhere, the nearest first; then older copies, the newest first.
    package var others: [FoundCopy] = []
    /// Why it is not the copy that was asked for; whoever restores agrees to each.
    package var concessions: [String] = []
    /// What is good to know.
    package var notes: [String] = []

    /// The same content in other repositories, the nearest first.
    package var twins: [FoundCopy] { others.filter { $0.identity == copy.identity } }

    /// Takes the next one, and says why; false when there is none.
    mutating func fallBack(because reason: String) -> Bool {
        guard let next = others.first else { return false }
        concessions.append("\(copy.place) cannot be used: \(reason); \(next.standsIn(for: copy)) is taken instead")
        copy = next
        others.removeFirst()
        return true
    }
}

extension FoundCopy {
    /// `host-usb on usb-ssd`, and by how much it is older.
    package func standsIn(for copy: FoundCopy) -> String {
        guard identity != copy.identity else { return place }
        let behind = ageText(copy.identity.moment.length(since: identity.moment))
        return "\(place), older by \(behind) (\(snapshot.document.time.dayAndTime)),"
    }
}

/// All copies of a workload.
package struct CopyListing: Sendable {
    /// One moment, and the repositories that hold it, the nearest first.
    package struct Copy: Sendable {
        package var snapshot: Snapshot
        package var kind: CopyKind
        package var stores: [String]
    }

    /// Newest first.
    package var copies: [Copy] = []
    /// Repositories and snapshots that could not be looked at, and why.
    package var problems: [String] = []
}
