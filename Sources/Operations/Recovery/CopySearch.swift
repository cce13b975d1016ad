import Bytes
import Outcome
package import Protection
import ResticFormat
import ResticRepository
import Strategy

/// Finds the copy to restore from: the newest complete one, and of those that hold it the nearest.
///
/// All repositories of the workload that are here are looked at, so that an old copy on a near disk is not taken for the newest. What cannot
/// be looked at is named, and is a reason to ask when it might hold what was wanted.
package struct CopySearch: Sendable {
    private let environment: ProtectionEnvironment

    package init(_ environment: ProtectionEnvironment) { self.environment = environment }

    /// Errors: `E-UNKNOWN` for a name, `E-NO-COPY` with what there is instead, those of the one repository that was asked for, cancellation.
    package func choose(_ wish: CopyWish) async throws -> CopyChoice {
        let workload = try workload(named: wish.workload)
        let looks = try await look(try stores(of: workload, wish), wish)
        guard let best = try best(looks, wish) else { throw noCopy(wish, looks) }
        var holders = looks.compactMap { $0.holding(best) }
        guard !holders.isEmpty else { throw noCopy(wish, looks) }
        var choice = CopyChoice(copy: holders.removeFirst())
        choice.others = holders + (wish.snapshot == nil ? older(than: best, looks) : [])
        CopyJudgement(environment, wish, looks).judge(&choice)
        return choice
    }

    /// All copies of the workload that are here, each once, newest first; what could not be looked at is in words.
    ///
    /// Errors: `E-UNKNOWN` for a name, that of the repositories when none could be looked at, cancellation.
    package func list(_ wish: CopyWish) async throws -> CopyListing {
        let looks = try await look(try stores(of: try workload(named: wish.workload), wish), wish)
        if !looks.contains(where: { $0.open != nil }) { throw noCopy(wish, looks) }
        var listing = CopyListing()
        var places: [CopyIdentity: Int] = [:]
        for look in looks {
            listing.problems += look.problems
            for item in look.items {
                let identity = CopyIdentity(item.snapshot)
                if let place = places[identity] {
                    listing.copies[place].stores.append(look.store.name)
                } else {
                    places[identity] = listing.copies.count
                    listing.copies.append(.init(snapshot: item.snapshot, kind: item.kind, stores: [look.store.name]))
                }
            }
        }
        listing.copies.sort { $1.snapshot.document.time.moment < $0.snapshot.document.time.moment }
        return listing
    }

    // MARK: looking

    private func workload(named name: String) throws -> Workload {
        let workloads = environment.lab.workloads
        if let workload = workloads.first(where: { $0.name == name }) { return workload }
        throw unknown(name, "is no workload of the declaration", among: workloads.map(\.name), "restore")
    }

    private func stores(of workload: Workload, _ wish: CopyWish) throws -> [LabStore] {
        let stores = environment.stores(of: workload)
        guard let name = wish.medium else { return stores }
        let named = stores.filter { $0.medium.name == name || $0.name == name }
        guard named.isEmpty else { return named }
        var known: [String] = []
        for store in stores where !known.contains(store.medium.name) { known.append(store.medium.name) }
        throw unknown(name, "is no medium that holds copies of \(workload.name)", among: known, "restore")
    }

    private func look(_ stores: [LabStore], _ wish: CopyWish) async throws -> [StoreLook] {
        let results = await environment.sideBySide(stores) { store in
            // What is chosen is read from it for as long as it takes.
            let repository = try await store.open(.work, .running)
            return (repository, try await StoreView(repository, lab: environment.lab))
        }
        return try zip(stores, results).map { store, result in
            var look = StoreLook(store: store, workload: wish.workload)
            do { look.open = try result.get() } catch {
                look.failure = try reportable(error, operation: "look at", object: store.name)
            }
            return look
        }
    }

    // MARK: choosing

    private func best(_ looks: [StoreLook], _ wish: CopyWish) throws -> CopyIdentity? {
        let items = looks.flatMap(\.items)
        guard let name = wish.snapshot else {
            return items.filter { $0.kind == .complete && wish.moment.allows($0.identity.moment) }
                .max { $0.identity.moment < $1.identity.moment }?.identity
        }
        let named = Set(items.filter { $0.isNamed(name) }.map(\.identity))
        guard named.count > 1 else { return named.first }
        throw RecoveryFailure(
            .unknown,
            operation: "restore",
            object: wish.workload,
            what: "has \(named.count) snapshots whose names begin with \(name)",
            state: "nothing was changed",
            next: "write more digits; holdfast restore \(wish.workload) --list shows them"
        )
    }

    private func older(than best: CopyIdentity, _ looks: [StoreLook]) -> [FoundCopy] {
        let moments = Set(
            looks.flatMap(\.items).filter { $0.kind == .complete && $0.identity.moment < best.moment }.map(\.identity)
        )
        return moments.sorted { $1.moment < $0.moment }.flatMap { identity in looks.compactMap { $0.holding(identity) }
        }
    }

    // MARK: refusing

    private func noCopy(_ wish: CopyWish, _ looks: [StoreLook]) -> any ReportableFailure {
        // The only place that was asked for: what is wrong there says it best.
        if looks.count == 1, let failure = looks[0].failure { return failure }
        let complete = looks.flatMap(\.items).filter { $0.kind == .complete }.map(\.snapshot.document.time)
        let asked =
            wish.snapshot.map { "has no snapshot whose name begins with \($0)" }
            ?? (wish.moment == nil ? "has no complete copy" : "has no complete copy so old")
        let oldest = complete.min { $0.moment < $1.moment }.map { "; the oldest is of \($0.dayAndTime)" } ?? ""
        let strangers = looks.compactMap { $0.open?.view.others }.reduce(0, +)
        let others =
            strangers > 0 && complete.isEmpty
            ? [
                "\(strangers) snapshots there are of other hosts or of no workload: holdfast restic snapshots shows them"
            ]
            : []
        let isAway = looks.contains { $0.failure != nil }
        return RecoveryFailure(
            .noCopy,
            retry: .afterRepair,
            operation: "restore",
            object: wish.workload,
            what: ([asked + oldest] + looks.flatMap(\.problems) + others).joined(separator: "; "),
            state: "nothing was changed",
            next: isAway
                ? "bring back what is not looked at, or see what there is: holdfast restore \(wish.workload) --list"
                : "see what there is: holdfast restore \(wish.workload) --list"
        )
    }
}

/// What a repository showed of a workload.
struct StoreLook: Sendable {
    /// A snapshot of the workload.
    struct Item: Sendable {
        var snapshot: Snapshot
        var kind: CopyKind

        var identity: CopyIdentity { CopyIdentity(snapshot) }

        func isNamed(_ name: String) -> Bool {
            snapshot.id.hex.hasPrefix(name) || snapshot.document.original?.hex.hasPrefix(name) == true
        }
    }

    var store: LabStore
    var workload: String
    var open: (repository: Repository, view: StoreView)?
    var failure: (any ReportableFailure)?

    /// Copies and what was saved before restores.
    var items: [Item] {
        guard let view = open?.view else { return [] }
        let copies = (view.workloads[workload] ?? []).map { item in
            Item(snapshot: item.snapshot, kind: item.observed.isComplete ? .complete : .incomplete)
        }
        return copies + (view.safetyCopies[workload] ?? []).map { Item(snapshot: $0, kind: .safety) }
    }

    var place: String { "\(store.name) on \(store.medium.name)" }

    /// What could not be looked at, in words.
    var problems: [String] {
        if let failure { return ["\(place) is not looked at: \(store.trouble(failure))"] }
        guard let unreadable = open?.view.unreadable, !unreadable.isEmpty else { return [] }
        return ["snapshots in \(place) cannot be read: \(unreadable.prefix(3).joined(separator: ", "))"]
    }

    func holding(_ identity: CopyIdentity) -> FoundCopy? {
        guard let open, let item = items.first(where: { $0.identity == identity }) else { return nil }
        return FoundCopy(store: store, repository: open.repository, snapshot: item.snapshot, kind: item.kind)
    }
}

extension Optional<Timestamp> {
    /// Whether what was made then is not newer.
    func allows(_ moment: Timestamp) -> Bool { map { !($0 < moment) } ?? true }
}

/// The failure for a name that there is nothing for, with the nearest one that there is.
func unknown(_ name: String, _ what: String, among known: [String], _ operation: String) -> RecoveryFailure {
    let near = nearestWord(to: name, among: known).map { "did you mean \"\($0)\"? " } ?? ""
    return RecoveryFailure(
        .unknown,
        operation: operation,
        object: "\"\(name)\"",
        what: what,
        state: "nothing was changed",
        next: known.isEmpty ? "look at holdfast.yaml: it has none" : "\(near)there is: \(known.joined(separator: ", "))"
    )
}
