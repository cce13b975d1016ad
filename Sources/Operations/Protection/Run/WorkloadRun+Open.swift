import Bytes
import Chunking
import ResticRepository
import Strategy

/// How a workload's repositories are opened: their keys are derived side by side, and the backup begins with the first.
extension WorkloadRun {
    /// Does `body` while the repositories are opened, and waits for all of them; returns what they came to, in their order.
    ///
    /// Errors: those of `body`, cancellation.
    func whileOpening(
        _ stores: [LabStore],
        _ body: ([Opening]) async throws -> Void
    ) async throws -> [Opening.Outcome] {
        let openings = stores.map(Opening.init)
        let seen = run.ledgerFile.current().repositories
        let old = openings.filter { seen[$0.store.name] != nil }
        let pool = environment.repository.pool
        return try await withThrowingDiscardingTaskGroup { group in
            for (number, opening) in old.enumerated() {
                let earlier = number - ProtectionEnvironment.openedAtOnce
                group.addTask(executorPreference: pool) {
                    if earlier >= 0 { _ = await old[earlier].outcome() }
                    await opening.settle(opened(opening.store, .never, polynomial: nil))
                }
            }
            if old.count < openings.count { try await make(openings.filter { seen[$0.store.name] == nil }, like: old) }
            try await body(openings)
            var outcomes: [Opening.Outcome] = []
            for opening in openings { outcomes.append(await opening.outcome()) }
            return outcomes
        }
    }

    /// What may have to be made comes alone, when the others are open: its key is to cost what this machine can do at its best, and it
    /// is cut as they are.
    private func make(_ openings: [Opening], like old: [Opening]) async throws {
        for opening in old { _ = await opening.outcome() }
        var polynomial = try await firstOpen(of: old)?.repository.chunkerPolynomial
        for opening in openings {
            await opening.settle(opened(opening.store, .asNew, polynomial: polynomial))
            let made = try await opening.opened()
            polynomial = polynomial ?? made?.repository.chunkerPolynomial
        }
    }

    /// The first that can be opened; nil when none can.
    ///
    /// Errors: cancellation.
    func firstOpen(of openings: [Opening]) async throws -> OpenStore? {
        for opening in openings {
            if let store = try await opening.opened() { return store }
        }
        return nil
    }

    /// Opens one, notes what it shows, and tells why it could not be opened.
    func opened(_ store: LabStore, _ creation: LabStore.Creation, polynomial: Polynomial?) async -> Opening.Outcome {
        let begun = environment.repository.time.monotonicNanoseconds()
        do {
            let open = try await open(store, creation, polynomial: polynomial)
            await note(open.view, store: store)
            await run.note(try await open.repository.ownSurprises(), of: store.name)
            return .open(open)
        } catch {
            guard let failure = try? reportable(error, operation: "open", object: store.name) else { return .cancelled }
            let step = RunStep(.open, workload: workload.name, repository: store.name)
            return .failed(end(step, .failed(failure), since: begun))
        }
    }

    private func open(
        _ store: LabStore,
        _ creation: LabStore.Creation,
        polynomial: Polynomial?
    ) async throws -> OpenStore {
        let known = run.openedBefore[store.name]
        let (repository, _) = try await store.openOrCreate(polynomial: polynomial, creation, known: known)
        run.openedBefore[store.name] = repository.forProof()
        let view = try await StoreView(repository, lab: environment.lab)
        if let earlier = view.earlier {
            guard run.acceptedStores.contains(store.name) else { throw store.stale(earlier) }
            await repository.acceptState()
        }
        return OpenStore(store: store, repository: repository, view: view)
    }
}
