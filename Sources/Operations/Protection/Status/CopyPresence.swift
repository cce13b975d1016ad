package import Bytes
import HostSystem
import ObjectStorage
import Outcome
import Strategy

/// Whether a repository was looked at, is told from memory, or is not to be had.
///
/// 1. Only what can be unplugged, and is not where it belongs, is told from memory; a disk that stays in the machine is never away.
/// 2. A medium that is there, with a repository that is gone or cannot be opened, or with another disk in its place, holds no copy.
/// 3. Out of reach is what none of all devices of this machine holds: attached and not mounted is within reach.
package enum CopyPresence: Sendable, Hashable {
    /// Why what is there is no copy.
    package enum Loss: String, Sendable, Hashable, CaseIterable {
        /// The medium is there, and the repository is not.
        case gone
        /// Another disk is where the medium should be.
        case foreign
        /// The repository is there, or may be, and nobody can open it.
        case closed
        /// It is damaged so that it does not open.
        case damaged
    }

    case seen
    /// Its disk is not here; judged by what was seen of it then, nil: never. `isProven` when no device of this machine holds it.
    case away(since: Timestamp?, isProven: Bool)
    /// It is attached, or may be, and not mounted; judged as above.
    case unmounted(since: Timestamp?)
    /// The next run makes it.
    case notMade
    case lost(Loss)

    /// When what is told from memory was seen; nil when it is not told from there.
    package var remembered: Timestamp? {
        switch self {
        case .away(let since, _), .unmounted(let since): since ?? .distantPast
        case .seen, .notMade, .lost: nil
        }
    }

    /// A copy is there, or was when it was seen last.
    package var isThere: Bool {
        switch self {
        case .seen, .away, .unmounted: true
        case .notMade, .lost: false
        }
    }

    /// No device of this machine holds it.
    package var isOutOfReach: Bool {
        if case .away(_, isProven: true) = self { true } else { false }
    }

    /// For scripts: `here`, `away`, `not-mounted`, `not-made`, `gone`, `foreign`, `closed`, `damaged`.
    package var word: String {
        switch self {
        case .seen: "here"
        case .away: "away"
        case .unmounted: "not-mounted"
        case .notMade: "not-made"
        case .lost(let loss): loss.rawValue
        }
    }
}

extension CopyPresence {
    /// Judges by what a look at the repository met.
    ///
    /// `isMediumThere`: its folder was, and nothing spoke against it.
    /// Cost: where a disk is not mounted, a look at all devices.
    init(
        _ failure: (any ReportableFailure)?,
        of store: LabStore,
        _ history: RepositoryHistory?,
        isMediumThere: Bool,
        sources: DiskSources = DiskSources()
    ) {
        guard let failure else {
            self = .seen
            return
        }
        if isMediumThere, history == nil, store.isToBeMade(after: failure) {
            self = .notMade
            return
        }
        if store.medium.isRemote {
            self = Self.remote(failure, history)
            return
        }
        let place = MediumAbsence(store.medium, history?.place, sources)
        let code = ProtectionCode(rawValue: failure.codeName)
        let canBeAway = store.medium.kind == .removable || store.medium.kind == .offsite
        switch code {
        case .mediumUnmounted: self = place.isAttached == false ? place.away(history) : .unmounted(since: history?.seen)
        case .mediumForeign: self = .lost(.foreign)
        case .mediumMissing where canBeAway && !place.isWhereItBelongs(isMediumThere: isMediumThere):
            self = place.isAttached == true ? .unmounted(since: history?.seen) : place.away(history)
        case .mediumMissing: self = .lost(.gone)
        default: self = .lost(failure.isDamage ? .damaged : .closed)
        }
    }
}

extension CopyPresence {
    /// Of a service that was asked: what did not answer is told from memory, what said no is not.
    private static func remote(_ failure: any ReportableFailure, _ history: RepositoryHistory?) -> CopyPresence {
        if ProtectionCode(rawValue: failure.codeName) == .mediumMissing { return .lost(.gone) }
        if failure.isDamage { return .lost(.damaged) }
        let silences: [StorageCode] = [.unreachable, .timeout, .busy, .answer, .transfer, .region, .clock, .untrusted]
        guard let code = StorageCode(rawValue: failure.codeName), silences.contains(code) else { return .lost(.closed) }
        return .away(since: history?.seen, isProven: false)
    }
}

/// Where the disk of a medium is that cannot be used.
private struct MediumAbsence {
    private let medium: Medium
    private let place: MediumPlace?
    private let sources: DiskSources
    /// The file system by which it is known.
    private let wanted: String?

    init(_ medium: Medium, _ place: MediumPlace?, _ sources: DiskSources) {
        self.medium = medium
        self.place = place
        self.sources = sources
        wanted = medium.identity ?? place?.fileSystem
    }

    /// Nil when that cannot be told.
    var isAttached: Bool? { sources.isAttached(fileSystem: wanted, disks: place?.disks ?? []) }

    /// The very file system that held it is mounted at its path: what is missing was removed there.
    ///
    /// Where none is known, a folder that is there is the medium.
    func isWhereItBelongs(isMediumThere: Bool) -> Bool {
        guard let wanted else { return isMediumThere }
        return there.map { FileSystemUUID.isSame($0, wanted) } ?? false
    }

    /// The file system at its path, or at the nearest folder above that is there.
    private var there: String? {
        var parts = medium.text.split(separator: "/")
        while true {
            if let found = try? sources.identity(of: ByteString("/" + parts.joined(separator: "/"))) {
                return found.uuid.text
            }
            guard parts.popLast() != nil else { return nil }
        }
    }

    func away(_ history: RepositoryHistory?) -> CopyPresence {
        .away(since: history?.seen, isProven: isAttached == false)
    }
}
