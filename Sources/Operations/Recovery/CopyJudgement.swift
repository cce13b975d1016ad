import Bytes
import Protection
import ResticRepository
import Strategy

/// Says in which way a copy is not the one that was asked for, and what else is good to know of it.
struct CopyJudgement {
    private let wish: CopyWish
    private let looks: [StoreLook]
    private let ledger: Ledger
    /// Repositories of the workload that were not asked for.
    private let unasked: [LabStore]

    init(_ environment: ProtectionEnvironment, _ wish: CopyWish, _ looks: [StoreLook]) {
        self.wish = wish
        self.looks = looks
        ledger = LedgerFile(environment).current()
        let workload = environment.lab.workloads.first { $0.name == wish.workload }
        let asked = Set(looks.map(\.store.name))
        unasked = workload.map { environment.stores(of: $0).filter { !asked.contains($0.name) } } ?? []
    }

    func judge(_ choice: inout CopyChoice) {
        for look in looks { judge(look, &choice) }
        noteNewer(&choice)
        if let finding = ledger.repositories[choice.copy.store.name]?.finding {
            choice.notes.append(
                "damage was found in \(choice.copy.store.name) (\(finding.text)); what cannot be read will be named"
            )
        }
        switch choice.copy.kind {
        case .complete: noteIncomplete(&choice)
        case .incomplete:
            choice.concessions.append("sources could not be read when this snapshot was made: it holds what could")
        case .safety:
            choice.notes.append("this is no backup, but what was there before something was restored in its place")
        }
    }

    // MARK: each repository

    private func judge(_ look: StoreLook, _ choice: inout CopyChoice) {
        let (copy, problems) = (choice.copy, look.problems)
        if let ahead = lead(of: look.store, over: copy), look.newestMoment.map({ $0 < ahead.moment }) ?? true {
            // It had a newer one when it was seen last.
            let why = problems.first ?? "\(look.place) does not hold its newest copy any more"
            choice.concessions.append("\(why); its last known copy is newer by \(ahead.text)")
        } else if look.failure != nil || look.open?.view.unreadable.isEmpty == false {
            // A snapshot that is named by its digits is what it is, wherever it lies.
            if wish.snapshot == nil, isNearer(look, than: copy) {
                choice.concessions.append(contentsOf: problems.map { "\($0); \(copy.place) is taken instead" })
            } else {
                choice.notes.append(contentsOf: problems)
            }
        }
        if let earlier = look.open?.view.earlier { choice.notes.append("\(look.place) \(earlier.text)") }
        guard wish.snapshot == nil, isNearer(look, than: copy), let near = look.newestMoment,
            near < copy.identity.moment
        else { return }
        let behind = ageText(copy.identity.moment.length(since: near))
        choice.notes.append("the newest copy in \(look.store.name) is nearer, and older by \(behind)")
    }

    /// By how much what a repository last showed is newer, as far as that was asked for.
    private func lead(of store: LabStore, over copy: FoundCopy) -> (moment: Timestamp, text: String)? {
        guard wish.snapshot == nil, let seen = ledger.repositories[store.name]?.copies[wish.workload],
            copy.identity.moment < seen.time, wish.moment.allows(seen.time)
        else { return nil }
        return (seen.time, ageText(seen.time.length(since: copy.identity.moment)))
    }

    private func isNearer(_ look: StoreLook, than copy: FoundCopy) -> Bool {
        look.store.medium.kind.distance < copy.store.medium.kind.distance
    }

    // MARK: newer ones

    /// Who names a medium may not know that another one has a newer copy.
    private func noteNewer(_ choice: inout CopyChoice) {
        for store in unasked {
            guard let ahead = lead(of: store, over: choice.copy) else { continue }
            choice.notes.append("the copy in \(store.name) on \(store.medium.name) is newer by \(ahead.text)")
        }
    }

    private func noteIncomplete(_ choice: inout CopyChoice) {
        guard wish.snapshot == nil, wish.moment == nil else { return }
        let moment = choice.copy.identity.moment
        let newer = looks.flatMap(\.items).filter { $0.kind == .incomplete && moment < $0.identity.moment }
        guard let newest = newer.max(by: { $0.identity.moment < $1.identity.moment }) else { return }
        choice.notes.append("a newer snapshot is incomplete: --snapshot \(newest.snapshot.id.short) takes it")
    }
}

extension StoreLook {
    /// When its newest complete copy was made.
    fileprivate var newestMoment: Timestamp? {
        items.filter { $0.kind == .complete }.map(\.identity.moment).max()
    }
}
