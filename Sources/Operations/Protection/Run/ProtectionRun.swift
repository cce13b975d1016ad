package import Bytes
import HostSystem
import Outcome
import ResticFormat
import ResticRepository
package import Strategy
import Synchronization

/// One run of what is due, or was named.
///
/// ```
/// run the commands after backups that earlier runs left undone
/// mount what is needed and is not mounted
/// for each workload: lock it > BACK UP to the nearest repository that is here > copy from there to the others, side by side
///                    > read back what was written, each where it was written
/// for each repository: retention (only for what is complete and read back) > prune > rotating verification > leave the record
/// for each workload:   copy to what lies behind a network > read back; for each repository there: as above
/// unmount what was mounted, by this run or by one that was cut off
/// ```
/// 1. A source is read once, whatever the number of its repositories.
/// 2. A repository that is not here, or fails, keeps none of the others; the next run catches up.
/// 3. What lies behind a network waits until every disk has its copies, and is opened no earlier: a slow line, or none, holds no other copy up.
/// 4. Nothing is removed from a repository with an open finding of damage, nor above the floor unasked (L7, P-06).
/// 5. An app that a run stopped is started again by that run, or by the next one: see `OwedCommands`.
/// 6. A workload counts as tried when its part has ended: what is cut off by a crash or a cancellation is due still (M-05).
package struct ProtectionRun: Sendable {
    private(set) var environment: ProtectionEnvironment
    let observer: any RunObserver
    /// What it changes in the ledger is seen through this one even where the file cannot be written.
    package let ledgerFile: LedgerFile
    let openedBefore = OpenedBefore()
    let seen: SeenMeanwhile
    /// Repositories whose earlier state the operator has said to be the right one.
    private(set) var acceptedStores: Set<String> = []

    /// `continuing` is a run before in this process, whose unwritten changes of the ledger count on.
    package init(
        _ environment: ProtectionEnvironment,
        observer: any RunObserver,
        continuing earlier: ProtectionRun? = nil
    ) {
        self.environment = environment
        self.observer = observer
        let isSame = earlier?.environment.stateFolder == environment.stateFolder
        seen = isSame ? earlier?.seen ?? SeenMeanwhile() : SeenMeanwhile()
        ledgerFile = isSame ? earlier?.ledgerFile ?? LedgerFile(environment) : LedgerFile(environment)
    }

    /// What is asked for beside the choice of workloads.
    package struct Request: Sendable {
        package var choice: RunChoice
        /// The digits by which the operator releases what retention holds back.
        package var release: String?
        /// Reads all data of the repositories that are touched.
        package var verifiesAll = false
        /// Who asks, for the journal.
        package var isByHand = true

        package init(_ choice: RunChoice) { self.choice = choice }
    }

    /// Runs; what fails is in the report, and the rest goes on.
    ///
    /// Errors: `E-UNKNOWN` for a name, `E-HELD` when the digits are not those of the present plan, cancellation.
    package func run(_ request: Request) async throws -> RunReport {
        if case .named(let names) = request.choice { try checkNames(names) }
        defer {
            openedBefore.forget()
            environment.newPasswords.forget()
        }
        let started = environment.now
        let before = await ledgerFile.loadOrRecover()
        ledgerFile.removeLeftovers()
        let plan = RunPlan(
            environment.lab,
            request.choice,
            ledger: before,
            now: environment.now,
            catchUp: environment.catchUp(before, isByHand: request.isByHand, seen),
            steps: seen.steps,
            zone: environment.zone
        )
        if plan.items.isEmpty, request.release != nil { throw nothingToRelease }
        var report = RunReport(started: started)
        report.lines = await runOwed()
        guard !plan.items.isEmpty else {
            await unmountLeftovers()
            report.ended = environment.now
            return report
        }
        let repositories = plan.items.flatMap(\.workload.repositories)
        let media = repositories.compactMap { environment.lab.repository(named: $0)?.medium }
        let begun = report
        return try await environment.withMounted(media, observer: observer) { environment in
            var mounted = self
            mounted.environment = environment
            return try await mounted.perform(request, plan, before, begun)
        }
    }

    /// Takes away what runs that were cut off have left: temporary files, and mounts that nobody uses.
    package func clearUp() async {
        ledgerFile.removeLeftovers()
        await unmountLeftovers()
    }

    private func unmountLeftovers() async {
        var media = RunMedia(environment, observer: observer)
        await media.release()
    }

    private func perform(
        _ request: Request,
        _ plan: RunPlan,
        _ before: Ledger,
        _ begun: RunReport
    ) async throws -> RunReport {
        var report = begun
        let released = try await self.released(request.release, plan, before)
        var accepting = self
        accepting.acceptedStores = released.stores
        let recorder = RunRecorder(environment)
        await recorder.begin(plan, isByHand: request.isByHand, at: report.started)
        do {
            var turns = RunTurns(plan, environment)
            var done: [WorkloadRun.Result] = []
            for item in turns.near {
                let result = try await accepting.perform(WorkloadRun(item: item, run: accepting), recorder, &report)
                turns.note(result, of: item)
                done.append(result)
            }
            try await finish(done, before: before, released: released, request: request, &report)
            guard !turns.far.isEmpty else { return await ended(report, recorder) }
            done = []
            for item in turns.far {
                let brings = WorkloadRun(item: item, run: accepting, isFar: true)
                done.append(try await accepting.perform(brings, recorder, &report))
            }
            try await finish(done, before: before, released: released, request: request, &report)
        } catch {
            await ledgerFile.note(environment.meters, now: environment.now)
            await recorder.interrupted(report)
            throw error
        }
        return await ended(report, recorder)
    }

    private func ended(_ report: RunReport, _ recorder: RunRecorder) async -> RunReport {
        var report = report
        report.ended = environment.now
        await ledgerFile.note(environment.meters, now: report.ended)
        await recorder.end(report)
        return report
    }

    /// One workload's turn, with what is remembered of it.
    private func perform(
        _ turn: WorkloadRun,
        _ recorder: RunRecorder,
        _ report: inout RunReport
    ) async throws -> WorkloadRun.Result {
        let known = report.lines.count
        observer.began(turn.item)
        let result = try await turn.run(&report)
        await noteFailures(report.lines.dropFirst(known))
        await recorder.record(report.lines)
        return result
    }

    /// Looks at the clock, so that one that is set back between two looks makes nothing due that was just tried (F-01).
    package func lookAtClock(_ now: Timestamp) { seen.clock(now) { ledgerFile.current() } }

    /// Runs what earlier runs left undone: commands after backups, so that no app stays stopped.
    package func runOwed() async -> [RunReport.Line] { await OwedCommands(environment).run(self) }

    /// Which workloads a run would choose now, and when the others are due; `isByHand` as in a request.
    package func plan(_ choice: RunChoice, isByHand: Bool = true) async throws -> RunPlan {
        if case .named(let names) = choice { try checkNames(names) }
        let ledger = await ledgerFile.loadOrRecover()
        return RunPlan(
            environment.lab,
            choice,
            ledger: ledger,
            now: environment.now,
            catchUp: environment.catchUp(ledger, isByHand: isByHand, seen),
            steps: seen.steps,
            zone: environment.zone
        )
    }

    private func checkNames(_ names: [String]) throws {
        for name in names where !environment.lab.workloads.contains(where: { $0.name == name }) {
            let known = environment.lab.workloads.map(\.name)
            throw ProtectionFailure(
                .unknown,
                operation: "run",
                object: "\"\(name)\"",
                what: "is no workload of the declaration",
                state: "nothing was changed",
                next: "name one of: \(known.joined(separator: ", "))"
            )
        }
    }

    // MARK: what the operator releases

    private var nothingToRelease: ProtectionFailure {
        ProtectionFailure(
            .held,
            operation: "release",
            object: "digits",
            what: "release nothing: no workload is due, so that no retention runs",
            state: "nothing was changed",
            next: "name the workload, or run with --all"
        )
    }

    private func released(_ digits: String?, _ plan: RunPlan, _ ledger: Ledger) async throws -> Release {
        guard let digits else { return Release() }
        // Of everything, as the plan that showed the digits.
        let views = try await look(at: environment.stores.map(\.name))
        let all = try await removals(environment.lab.workloads, views.open, ledger).filter {
            !$0.held.isEmpty && $0.held.allSatisfy(\.isReleasable) && !isPrunedApart($0)
        }
        // A plan does not see what only a run mounts; the run before does.
        let planned = all.filter {
            environment.store(named: $0.repository)?.medium.isMountedForRuns == false
        }
        let held = digits == Release.digits(of: planned) ? planned : all
        let present = Release.digits(of: held)
        guard digits == present, !held.isEmpty else {
            throw ProtectionFailure(
                .held,
                operation: "release",
                object: "\"\(digits)\"",
                what: held.isEmpty
                    ? "releases nothing: no removal is held back" : "is not what the present plan is released by",
                state: "nothing was changed",
                next: "look at `holdfast plan`, and type the digits that it shows"
            )
        }
        let chosen = Set(plan.items.map(\.workload.name))
        for workload in Set(held.map(\.workload)) where chosen.contains(workload) {
            await ledgerFile.update { ledger in
                guard let now = ledger.workloads[workload]?.shrunkTo else { return }
                ledger.workloads[workload]?.size = now
                ledger.workloads[workload]?.shrunkTo = nil
            }
        }
        for removal in held {
            await ledgerFile.update { $0.repositories[removal.repository]?.doubt = nil }
        }
        let stale = views.open.filter { $0.view.earlier != nil }.map(\.name)
        return Release(held, stores: Set(stale).intersection(held.map(\.repository)))
    }

    func removals(_ workloads: [Workload], _ open: [OpenStore], _ known: Ledger) async throws -> [Removal] {
        var ledger = known
        for store in open {
            guard let earlier = store.view.earlier else { continue }
            let doubt = OpenFinding(since: earlier.lost, text: earlier.text, packs: [])
            ledger.repositories[store.name, default: .init(id: store.view.id, seen: environment.now)].doubt = doubt
        }
        var removals: [Removal] = []
        for workload in workloads {
            for store in open where workload.repositories.contains(store.name) {
                var removal = Removal(
                    workload: workload,
                    repository: store.name,
                    snapshots: (store.view.workloads[workload.name] ?? []).filter(\.isOurs).map(\.observed),
                    ledger: ledger,
                    now: environment.now,
                    localOffset: { environment.repository.time.localOffsetSeconds(at: $0) }
                )
                do { try await removal.countBytes(in: store.repository) } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    // Trees that cannot be read: the step that would remove meets that, and says so.
                }
                removals.append(removal)
            }
        }
        return removals
    }

    /// Opens repositories and looks at their snapshots.
    func look(
        at names: [String]
    ) async throws -> (open: [OpenStore], failures: [String: any ReportableFailure]) {
        let stores = names.compactMap(environment.store(named:))
        let looks = await environment.sideBySide(stores) { store in
            let repository = try await store.open()
            return OpenStore(
                store: store,
                repository: repository,
                view: try await StoreView(repository, lab: environment.lab)
            )
        }
        var open: [OpenStore] = []
        var failures: [String: any ReportableFailure] = [:]
        for (store, look) in zip(stores, looks) {
            do { open.append(try look.get()) } catch {
                failures[store.name] = try reportable(error, operation: "look at", object: store.name)
            }
        }
        return (open, failures)
    }
}
