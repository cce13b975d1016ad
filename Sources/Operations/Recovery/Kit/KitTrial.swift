package import Bytes
package import KitFormat
package import Outcome
import Protection
import ResticFormat
package import ResticRepository
import Strategy

/// What came of trying a kit on one repository.
package struct KitTrial: Sendable {
    /// What was read.
    package struct Reading: Sendable {
        package var path: String
        /// The newest snapshot; nil: there is none yet.
        package var snapshot: String?
        package var time: Timestamp?
        package var pieces = 0
        package var bytes: UInt64 = 0
    }

    /// How it ended.
    package enum Result: Sendable {
        /// Opened with the kit alone, and what was read is right.
        case passed(Reading)
        /// It is not here: that proves nothing.
        case notTested(any ReportableFailure)
        case failed(any ReportableFailure)
    }

    package var repository: String
    package var medium: String
    package var when: Timestamp
    package var result: Result
}

/// Tries a kit on each repository that it names.
///
/// ```
/// find the folder > open with the kit's password > the identifier is the kit's > newest snapshot > some of its trees and pieces, each checked by its hash
/// ```
/// Nothing is written, no lock is taken. Bounds: `Limits`.
package struct KitTest: Sendable {
    /// Of what is read of one repository (L5).
    enum Limits {
        static let trees = 64
        static let pieces = 32
        static let bytes: UInt64 = 32 << 20
    }

    private let kit: RecoveryKit
    private let environment: RepositoryEnvironment
    private let places: [String: String]

    /// `places` are folders of repositories that the operator names.
    package init(_ kit: RecoveryKit, _ environment: RepositoryEnvironment, places: [String: String] = [:]) {
        self.kit = kit
        self.environment = environment
        self.places = places
    }

    /// Tries all, one after the other; `say` hears each.
    ///
    /// Errors: cancellation.
    package func run(_ say: (KitTrial) -> Void) async throws -> [KitTrial] {
        var trials: [KitTrial] = []
        for entry in kit.repositories {
            let result = try await result(of: entry)
            let trial = KitTrial(
                repository: entry.name,
                medium: entry.medium,
                when: environment.time.now(),
                result: result
            )
            say(trial)
            trials.append(trial)
        }
        return trials
    }

    /// How a repository of the kit is opened; nil for a name that it does not have.
    func store(named name: String) -> KitStore? {
        kit.repositories.first { $0.name == name }.map {
            KitStore(entry: $0, environment: environment, place: places[name])
        }
    }

    private func result(of entry: KitRepository) async throws -> KitTrial.Result {
        do {
            let store = KitStore(entry: entry, environment: environment, place: places[entry.name])
            return .passed(try await read(try await store.open()))
        } catch let failure as KitFailure where failure.code == .away {
            return .notTested(failure)
        } catch {
            return .failed(try reportable(error, operation: "test kit on", object: entry.name))
        }
    }

    private func read(_ opened: KitStore.Opened) async throws -> KitTrial.Reading {
        var reading = KitTrial.Reading(path: opened.path)
        let repository = opened.repository
        let snapshots = try await repository.loadSnapshots(unreadable: { throw $1 })
        // What runs leave of themselves is small, and always the newest.
        let newest = snapshots.last { !$0.document.tags.contains(SnapshotTag.record) } ?? snapshots.last
        guard let newest, let root = newest.document.tree else { return reading }
        reading.snapshot = newest.id.hex
        reading.time = newest.document.time.moment
        try await repository.loadIndex()
        let worker = repository.makeWorker()
        var dice = SplitMix64(seed: environment.entropy.bytes(8).reduce(0) { $0 << 8 | UInt64($1) })
        var (trees, blobs): ([BlobID], [BlobID]) = ([root], [])
        var count = 0
        while count < Limits.trees, !trees.isEmpty {
            try Task.checkCancellation()
            let id = trees.remove(at: Int.random(in: trees.indices, using: &dice))
            let bytes = try await repository.loadTree(id, worker: worker)
            count += 1
            reading.note(bytes.count)
            var nodes = TreeReader(bytes)
            while let node = try nodes.next() {
                if let subtree = node.subtree { trees.append(subtree) }
                blobs += node.content ?? []
            }
        }
        for id in blobs.shuffled(using: &dice).prefix(Limits.pieces) where reading.bytes < Limits.bytes {
            try Task.checkCancellation()
            reading.note(try await repository.loadBlob(.data, id, worker: worker).count)
        }
        return reading
    }
}

extension KitTrial.Reading {
    fileprivate mutating func note(_ count: Int) {
        pieces += 1
        bytes += UInt64(count)
    }
}
