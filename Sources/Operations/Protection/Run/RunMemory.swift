import Bytes
import Outcome
import Strategy

extension RunTrouble {
    /// Nil for a step that was good.
    init?(_ result: StepResult) {
        switch result {
        case .done, .nothing, .skipped: return nil
        case .partial(let text): self.init(what: text, state: "what could be read was stored")
        case .failed(let failure):
            self.init(what: briefDamage("\(failure.object) \(reason(of: failure))"), state: failure.state)
        }
    }
}

extension Ledger {
    /// Records what a look at a repository showed.
    mutating func see(_ view: StoreView, store: String, at place: MediumPlace, now: Timestamp) {
        var history = repositories[store] ?? RepositoryHistory(id: view.id, seen: now)
        if history.id != view.id { history.begin(id: view.id, seen: now) }
        history.seen = now
        history.place = place
        history.storedBytes = view.storedBytes ?? history.storedBytes
        for (name, items) in view.workloads {
            guard let newest = items.last(where: { $0.observed.isComplete }) else { continue }
            history.copies[name] = CopySeen(
                snapshot: newest.observed.id,
                time: newest.observed.time.moment,
                count: items.count
            )
        }
        repositories[store] = history
    }
}
