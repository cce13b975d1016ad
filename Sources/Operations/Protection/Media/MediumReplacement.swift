import Bytes
import Chunking
import HostSystem
import Outcome
import ResticFormat
import ResticRepository
import Strategy

/// Takes a new disk in the place of a dead one: makes its repositories, and brings back what other repositories hold.
///
/// ```
/// each repository of the medium: refuse one that is there > CREATE, with the password that it had > each of its workloads: copy all
/// snapshots from the nearest other repository > read back everything > ledger
/// ```
/// The ledger says that it is under way before anything is made, and until all was copied and read back.
/// Nothing is removed anywhere, and what is copied is checked blob by blob. Broken off, it goes on where it was: run it again.
package struct MediumReplacement: Sendable {
    private let environment: ProtectionEnvironment
    private let observer: any RunObserver

    package init(_ environment: ProtectionEnvironment, observer: any RunObserver) {
        self.environment = environment
        self.observer = observer
    }

    /// Reseeds the repositories of a medium; what failed is in the report.
    ///
    /// Errors: `E-UNKNOWN`, those of the medium, cancellation.
    package func run(_ name: String) async throws -> RunReport {
        let medium = try environment.medium(named: name, operation: "replace")
        try MediumCheck(medium, mounting: environment.mounting).requireWritable()
        let run = ProtectionRun(environment, observer: observer)
        var report = RunReport(started: environment.now)
        for store in environment.stores where store.medium.name == name {
            let begun = environment.repository.time.monotonicNanoseconds()
            do {
                let target = try await opened(store, report: run)
                report.lines += try await reseed(target, run)
            } catch {
                let failure = try reportable(error, operation: "replace", object: store.name)
                report.lines.append(run.end(RunStep(.open, repository: store.name), .failed(failure), since: begun))
            }
        }
        report.ended = environment.now
        return report
    }

    /// The repository on the new disk; the ledger forgets what it knew of the one before.
    private func opened(_ store: LabStore, report run: ProtectionRun) async throws -> OpenStore {
        let others = environment.stores.filter { $0.name != store.name }
        var polynomial: Polynomial?
        for other in others where polynomial == nil { polynomial = try? await other.open().chunkerPolynomial }
        let begun = environment.repository.time.monotonicNanoseconds()
        await noteBegin(store, run)
        let (repository, isNew) = try await store.openOrCreate(polynomial: polynomial, .asAsked)
        let view = try await StoreView(repository, lab: environment.lab)
        if view.earlier != nil {
            // The operator takes it in place of the right one.
            await repository.acceptState()
            await run.ledgerFile.update { $0.repositories[store.name]?.doubt = nil }
        }
        if isNew {
            _ = run.end(RunStep(.open, repository: store.name), .done("made anew"), since: begun)
            let (id, now) = (view.id, environment.now)
            await run.ledgerFile.update { $0.repositories[store.name]?.begin(id: id, seen: now) }
        }
        return OpenStore(store: store, repository: repository, view: view)
    }

    /// Whoever looks from now on knows that it may hold less than the others.
    private func noteBegin(_ store: LabStore, _ run: ProtectionRun) async {
        let now = environment.now
        await run.ledgerFile.update { ledger in
            var history = ledger.repositories[store.name] ?? RepositoryHistory(id: "", seen: now)
            history.reseeding = history.reseeding ?? now
            ledger.repositories[store.name] = history
        }
    }

    private func reseed(_ target: OpenStore, _ run: ProtectionRun) async throws -> [RunReport.Line] {
        var lines: [RunReport.Line] = []
        var isCopied = true
        for workload in environment.lab.workloads where workload.repositories.contains(target.name) {
            let step = RunStep(.copy, workload: workload.name, repository: target.name)
            let begun = environment.repository.time.monotonicNanoseconds()
            observer.began(step)
            do {
                let text = try await copyAll(workload, to: target)
                lines.append(run.end(step, .done(text), since: begun))
            } catch {
                isCopied = false
                lines.append(
                    run.end(step, .failed(try reportable(error, operation: "copy", object: target.name)), since: begun)
                )
            }
        }
        let view = try await StoreView(target.repository, lab: environment.lab)
        let (place, now) = (DiskNames().place(of: target.store.medium), environment.now)
        await run.ledgerFile.update { $0.see(view, store: target.name, at: place, now: now) }
        lines += try await proof(target, view, isCopied: isCopied, run)
        return lines
    }

    /// Copies every snapshot of a workload from the nearest repository that holds any; says how many.
    private func copyAll(_ workload: Workload, to target: OpenStore) async throws -> String {
        var problem: (any Error)?
        for store in environment.stores(of: workload) where store.name != target.name {
            do {
                let source = try await store.open()
                return try await source.locked(.shared) {
                    try await source.loadIndex()
                    let view = try await StoreView(source, lab: environment.lab)
                    let all = (view.workloads[workload.name] ?? []).map(\.snapshot)
                    let count = try await target.repository.locked(.shared) {
                        try await target.repository.loadIndex()
                        let here = try await StoreView(target.repository, lab: environment.lab)
                        let present = CopiesPresent((here.workloads[workload.name] ?? []).map(\.snapshot))
                        // The newest first: it is what would be needed first.
                        let missing = all.filter { present.copy(of: $0) == nil }.reversed()
                        let listener = CopyListener(
                            step: RunStep(.copy, workload: workload.name, repository: target.name),
                            observer: observer
                        )
                        try await copySnapshots(Array(missing), from: source, to: target.repository, observer: listener)
                        return missing.count
                    }
                    return "\(count) snapshots of \(workload.name) from \(store.name), \(all.count) there"
                }
            } catch {
                _ = try reportable(error, operation: "copy", object: store.name)
                problem = error
            }
        }
        if let problem { throw problem }
        return "no other repository keeps \(workload.name): it begins anew with the next run"
    }

    /// Reads everything back.
    private func proof(
        _ target: OpenStore,
        _ view: StoreView,
        isCopied: Bool,
        _ run: ProtectionRun
    ) async throws -> [RunReport.Line] {
        guard let history = run.ledgerFile.current().repositories[target.name] else { return [] }
        let verify = VerifyStep(store: target, history: history, period: .seconds(1), isWhole: true, observer: observer)
        let begun = environment.repository.time.monotonicNanoseconds()
        observer.began(verify.step)
        let verdict = try await verify.run(0..<VerifyRotation.groups)
        guard verdict.findings.isEmpty else {
            let damage = Damage(store: target.store, findings: verdict.findings, brokenPacks: verdict.brokenPacks)
            let finding = damage.open(environment.now)
            await run.ledgerFile.update { $0.repositories[target.name]?.add(finding) }
            return [run.end(verify.step, .failed(damage.failure), since: begun)]
        }
        let now = environment.now
        let proven = view.workloads.compactMapValues { $0.last { $0.observed.isComplete }?.observed.id }
        await run.ledgerFile.update { ledger in
            ledger.repositories[target.name]?.note(verdict.rate)
            ledger.repositories[target.name]?.rotation.beginWhole(at: now)
            ledger.repositories[target.name]?.rotation.finished(upTo: VerifyRotation.groups, now: now)
            guard isCopied else { return }
            ledger.repositories[target.name]?.reseeding = nil
            for (workload, snapshot) in proven {
                ledger.repositories[target.name]?.readBack[workload] = ReadBack(snapshot: snapshot, time: now, bytes: 0)
            }
        }
        return [run.end(verify.step, .done("all of it, \(amount(verdict.bytes))"), since: begun)]
    }
}
