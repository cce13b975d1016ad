package import Bytes
import Outcome
package import Protection
package import ResticRepository
import ResticFormat
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

/// A snapshot in a repository that is here and open.
package struct FoundCopy: Sendable {
    package let store: LabStore
    package let repository: Repository
    package let snapshot: Snapshot
    /// Sources could not be read when it was made: it holds what could.
    package let isIncomplete: Bool
}

/// The copy to restore from, and what has to be known before.
package struct CopyChoice: Sendable {
    package var copy: FoundCopy
    /// The same content in other repositories, the nearest first.
    package var twins: [FoundCopy] = []
    /// Why it is not the copy that was asked for; whoever restores agrees to each.
    package var concessions: [String] = []
    /// What is good to know.
    package var notes: [String] = []
}

/// All copies of a workload.
package struct CopyListing: Sendable {
    /// One moment, and the repositories that hold it, the nearest first.
    package struct Copy: Sendable {
        package var snapshot: Snapshot
        package var isIncomplete: Bool
        package var stores: [String]
    }

    package var copies: [Copy] = []
    /// Repositories that could not be looked at, and why.
    package var problems: [String] = []

    fileprivate mutating func add(_ snapshot: Snapshot, isIncomplete: Bool, in store: String) {
        let (time, tree) = (snapshot.document.time.moment, snapshot.document.tree)
        let known = copies.firstIndex { $0.snapshot.document.time.moment == time && $0.snapshot.document.tree == tree }
        if let known {
            copies[known].stores.append(store)
        } else {
            copies.append(Copy(snapshot: snapshot, isIncomplete: isIncomplete, stores: [store]))
        }
    }
}

/// Finds the copy to restore from: the newest complete one, and of those that hold it the nearest.
///
/// All repositories of the workload that are here are looked at, so that an old copy on a near disk is not taken for the newest. What cannot
/// be looked at is named, and counts as a reason to ask when it might hold what was wanted.
package struct CopySearch: Sendable {
    private let environment: ProtectionEnvironment
    private let ledger: Ledger

    package init(_ environment: ProtectionEnvironment) {
        self.environment = environment
        ledger = LedgerFile(environment).current()
    }

    /// What a repository showed.
    private struct Look {
        var store: LabStore
        var open: (repository: Repository, view: StoreView)?
        var failure: (any ReportableFailure)?
        var candidate: StoreView.Item?
    }

    /// Errors: `E-UNKNOWN` for a name, `E-NO-COPY` with what there is instead, cancellation.
    package func choose(_ wish: CopyWish) async throws -> CopyChoice {
        let looks = try await look(try stores(for: wish), wish)
        guard let best = newest(of: looks), let chosen = looks.first(where: { isSame($0.candidate, best) }),
            let copy = found(chosen)
        else { throw noCopy(wish, looks) }
        let twins = looks.filter { $0.store.name != chosen.store.name && isSame($0.candidate, best) }
        var choice = CopyChoice(copy: copy, twins: twins.compactMap(found))
        judge(&choice, chosen, looks, wish)
        return choice
    }

    /// All copies of the workload that are here, each once, newest first; what could not be looked at is in words.
    ///
    /// Errors: `E-UNKNOWN` for a name, cancellation.
    package func list(_ wish: CopyWish) async throws -> CopyListing {
        let looks = try await look(try stores(for: wish), wish)
        var listing = CopyListing()
        for look in looks {
            if let failure = look.failure {
                listing.problems.append(
                    "\(look.store.name) on \(look.store.medium.name) is not looked at: \(failure.what)"
                )
            }
            for item in look.open?.view.workloads[wish.workload] ?? [] {
                listing.add(item.snapshot, isIncomplete: !item.observed.isComplete, in: look.store.name)
            }
        }
        listing.copies.sort { $1.snapshot.document.time.moment < $0.snapshot.document.time.moment }
        return listing
    }

    // MARK: looking

    private func stores(for wish: CopyWish) throws -> [LabStore] {
        let lab = environment.lab
        guard let workload = lab.workloads.first(where: { $0.name == wish.workload }) else {
            throw unknown(wish.workload, "is no workload of the declaration", among: lab.workloads.map(\.name))
        }
        let stores = environment.stores(of: workload)
        guard let name = wish.medium else { return stores }
        let named = stores.filter { $0.medium.name == name || $0.name == name }
        guard named.isEmpty else { return named }
        let known = stores.map(\.medium.name)
        throw unknown(name, "is no medium that holds copies of \(workload.name)", among: known)
    }

    private func look(_ stores: [LabStore], _ wish: CopyWish) async throws -> [Look] {
        let results = await environment.sideBySide(stores) { store in
            let repository = try await store.open()
            return (repository, try await StoreView(repository, lab: environment.lab))
        }
        return try zip(stores, results).map { store, result in
            var look = Look(store: store)
            do {
                let (repository, view) = try result.get()
                look.open = (repository, view)
                look.candidate = candidate(in: view.workloads[wish.workload] ?? [], wish)
            } catch {
                look.failure = try reportable(error, operation: "look at", object: store.name)
            }
            return look
        }
    }

    private func candidate(in items: [StoreView.Item], _ wish: CopyWish) -> StoreView.Item? {
        if let name = wish.snapshot {
            let named = items.filter { isNamed($0, name) }
            return named.count == 1 ? named[0] : nil
        }
        return items.last { item in
            item.observed.isComplete && (wish.moment.map { !($0 < item.observed.time.moment) } ?? true)
        }
    }

    private func isNamed(_ item: StoreView.Item, _ name: String) -> Bool {
        item.snapshot.id.hex.hasPrefix(name) || item.snapshot.document.original?.hex.hasPrefix(name) == true
    }

    private func newest(of looks: [Look]) -> StoreView.Item? {
        looks.compactMap(\.candidate).max { $0.observed.time.moment < $1.observed.time.moment }
    }

    /// Two snapshots of one moment and one tree are copies of each other.
    private func isSame(_ item: StoreView.Item?, _ other: StoreView.Item) -> Bool {
        item.map {
            $0.observed.time.moment == other.observed.time.moment
                && $0.snapshot.document.tree == other.snapshot.document.tree
        } ?? false
    }

    private func found(_ look: Look) -> FoundCopy? {
        guard let open = look.open, let item = look.candidate else { return nil }
        return FoundCopy(
            store: look.store,
            repository: open.repository,
            snapshot: item.snapshot,
            isIncomplete: !item.observed.isComplete
        )
    }

    // MARK: judging

    private func judge(_ choice: inout CopyChoice, _ chosen: Look, _ looks: [Look], _ wish: CopyWish) {
        let moment = choice.copy.snapshot.document.time.moment
        for look in looks where look.candidate == nil || look.failure != nil {
            guard let failure = look.failure else { continue }
            let seen = ledger.repositories[look.store.name]?.copies[wish.workload]
            let why = "\(look.store.name) on \(look.store.medium.name) is not looked at: \(failure.what)"
            if let seen, moment < seen.time, wish.snapshot == nil, wish.moment.map({ !($0 < seen.time) }) ?? true {
                let ahead = ageText(seen.time.length(since: moment))
                choice.concessions.append("\(why); its last known copy is newer by \(ahead)")
            } else if isNearer(look, than: chosen) {
                choice.concessions.append(
                    "\(why); \(chosen.store.name) on \(chosen.store.medium.name) is taken instead"
                )
            } else {
                choice.notes.append(why)
            }
        }
        for look in looks {
            guard let item = look.candidate, item.observed.time.moment < moment,
                isNearer(look, than: chosen)
            else { continue }
            let behind = ageText(moment.length(since: item.observed.time.moment))
            choice.notes.append("the copy in \(look.store.name) is nearer, and older by \(behind)")
        }
        if let finding = ledger.repositories[chosen.store.name]?.finding {
            choice.notes.append(
                "damage was found in \(chosen.store.name) (\(finding.text)); what is damaged will be named"
            )
        }
        if choice.copy.isIncomplete {
            choice.concessions.append("sources could not be read when this snapshot was made: it holds what could")
        } else if let newer = newerIncomplete(than: moment, looks, wish) {
            choice.notes.append(newer)
        }
    }

    private func newerIncomplete(than moment: Timestamp, _ looks: [Look], _ wish: CopyWish) -> String? {
        guard wish.snapshot == nil, wish.moment == nil else { return nil }
        let items = looks.compactMap { $0.open?.view.workloads[wish.workload]?.last }
        guard let item = items.first(where: { !$0.observed.isComplete && moment < $0.observed.time.moment }) else {
            return nil
        }
        return "a newer snapshot is incomplete: --snapshot \(item.snapshot.id.short) takes it"
    }

    private func isNearer(_ look: Look, than other: Look) -> Bool {
        look.store.medium.kind.distance < other.store.medium.kind.distance
    }

    // MARK: refusing

    private func noCopy(_ wish: CopyWish, _ looks: [Look]) -> RecoveryFailure {
        let items = looks.flatMap { $0.open?.view.workloads[wish.workload] ?? [] }
        let twice =
            wish.snapshot.map { name in Set(items.filter { isNamed($0, name) }.map(\.observed.time.moment)).count } ?? 0
        let missing = looks.compactMap { look in look.failure.map { "\(look.store.name) is not looked at: \($0.what)" }
        }
        let asked =
            wish.snapshot.map { "has no snapshot \($0)" }
            ?? (wish.moment == nil ? "has no complete copy" : "has no complete copy so old")
        let oldest =
            items.first { $0.observed.isComplete }.map { "; the oldest is of \($0.observed.time.dayAndTime)" } ?? ""
        return RecoveryFailure(
            twice > 1 ? .unknown : .noCopy,
            retry: .afterRepair,
            operation: "restore",
            object: wish.workload,
            what: twice > 1
                ? "has several snapshots whose names begin with \(wish.snapshot ?? "")"
                : ([asked + oldest] + missing).joined(separator: "; "),
            state: "nothing was changed",
            next: missing.isEmpty
                ? "look at what there is: holdfast restore \(wish.workload) --list"
                : "attach the disk that is missing, or look at what there is: holdfast restore \(wish.workload) --list"
        )
    }

    private func unknown(_ name: String, _ what: String, among known: [String]) -> RecoveryFailure {
        RecoveryFailure(
            .unknown,
            operation: "restore",
            object: "\"\(name)\"",
            what: what,
            state: "nothing was changed",
            next: "name one of: \(known.joined(separator: ", "))"
        )
    }
}
