import Bytes
import Outcome
import ResticRepository
package import Strategy

/// Looks at all stores and judges what they show.
package struct StatusInspection: Sendable {
    private let environment: ProtectionEnvironment
    private let ledger: Ledger

    package init(_ environment: ProtectionEnvironment, ledger: Ledger) {
        self.environment = environment
        self.ledger = ledger
    }

    /// What one store showed.
    private struct Look: Sendable {
        var store: LabStore
        var view: StoreView?
        var failure: (any ReportableFailure)?
        var presence = CopyPresence.seen
        /// Why it could not be written to; nil when it could.
        var writing: (any ReportableFailure)?
    }

    /// Looks; a store that is not here is judged by what was remembered of it.
    ///
    /// Errors: cancellation.
    package func run() async throws -> LabStatus {
        let looks = try await looks()
        let now = environment.now
        var status = LabStatus(
            lab: environment.lab,
            now: now,
            workloads: [],
            repositories: looks.map { look in
                LabStatus.RepositoryState(
                    store: look.store,
                    failure: look.failure,
                    presence: look.presence,
                    writing: look.writing,
                    history: ledger.repositories[look.store.name],
                    unreadable: look.view?.unreadable ?? [],
                    others: look.view?.others ?? 0
                )
            },
            posture: [:],
            problems: []
        )
        let names = DiskNames()
        for workload in environment.lab.workloads {
            let state = state(of: workload, looks, now)
            status.posture[workload.name] = posture(of: state, names)
            status.workloads.append(state)
        }
        status.forgetful = StateFolder.trouble(in: environment.stateFolder)
        status.unrecorded = environment.journalRefusal
        status.owed = await OwedCommands(environment).left()
        let ids = looks.compactMap { look in look.view.map { (look.store.name, $0.id) } }
        status.kit = await environment.kitConcerns(ledger, opened: Dictionary(ids, uniquingKeysWith: { $1 }))
        status.mutability = environment.lab.mutability(ledger, now: environment.now)
        status.kitMade = ledger.kit.map { ($0.serial, $0.made) }
        status.sealed = await environment.secrets.sealedFindings()
        let problems = StatusProblems(status, ledger, names)
        status.problems = problems.all
        status.unjudged = problems.unjudged
        return status
    }

    /// Errors: cancellation.
    private func looks() async throws -> [Look] {
        try await environment.sideBySide(environment.stores) { try await look(at: $0) }.map { try $0.get() }
    }

    /// Errors: cancellation; what else goes wrong is what the look showed.
    private func look(at store: LabStore) async throws -> Look {
        let check = MediumCheck(store.medium, mounting: environment.mounting)
        var isMediumThere = false
        do {
            try check.requireReadable()
            isMediumThere = true
            let repository = try await store.open()
            var look = Look(store: store)
            do { try check.requireWritable() } catch {
                look.writing = try reportable(error, operation: "look at", object: store.name)
            }
            let view = try await StoreView(repository, lab: environment.lab)
            look.view = view
            if let earlier = view.earlier { look.writing = store.stale(earlier) }
            return look
        } catch {
            let failure = try reportable(error, operation: "look at", object: store.name)
            let history = ledger.repositories[store.name]
            let presence = CopyPresence(failure, of: store, history, isMediumThere: isMediumThere)
            return Look(store: store, failure: failure, presence: presence)
        }
    }

    private func state(of workload: Workload, _ looks: [Look], _ now: Timestamp) -> LabStatus.WorkloadState {
        var copies: [LabStatus.Copy] = []
        var newest: ObservedSnapshot?
        var growth: Int64?
        for look in looks where workload.repositories.contains(look.store.name) {
            let observed = look.view?.observed(workload.name) ?? []
            let candidate = observed.last(where: \.isComplete)
            if let candidate, (newest?.time.moment ?? .distantPast) < candidate.time.moment {
                newest = candidate
                growth = Self.weeklyGrowth(observed, to: candidate)
            }
            copies.append(copy(of: workload, look, observed, now))
        }
        return LabStatus.WorkloadState(
            workload: workload,
            copies: copies,
            history: ledger.workloads[workload.name],
            links: workload.host.linkedPaths,
            bytes: newest?.sourceBytes ?? ledger.workloads[workload.name]?.size?.bytes,
            weeklyGrowth: growth,
            due: RunPlan.due(workload, ledger, now, environment.zone)
        )
    }

    private func copy(
        of workload: Workload,
        _ look: Look,
        _ observed: [ObservedSnapshot],
        _ now: Timestamp
    ) -> LabStatus.Copy {
        let history = ledger.repositories[look.store.name]
        var seen = look.view?.covering(workload.name) ?? []
        var count = observed.count
        if look.presence.remembered != nil {
            let copy = history?.copies[workload.name]
            seen = copy.map { [ObservedSnapshot(id: $0.snapshot, time: ZonedTime($0.time))] } ?? []
            count = copy?.count ?? 0
        }
        let newest = seen.last(where: \.isComplete)
        return LabStatus.Copy(
            repository: look.store.name,
            medium: look.store.medium,
            point: RecoveryPoint(
                seen,
                objective: workload.objective,
                backup: workload.backup,
                now: now,
                zone: workload.backup.schedule.map(environment.zone) ?? .utc
            ),
            newest: newest?.time.moment,
            isFromFuture: observed.contains { now.earlier(by: .seconds(-RecoveryPoint.skewSeconds)) < $0.time.moment },
            lacksPaths: look.view?.workloads[workload.name]?.last?.coversPaths == false,
            count: count,
            readBack: readBack(of: workload.name, look, history),
            wasSetBack: wasSetBack(workload.name, look, history),
            presence: look.presence,
            isDamaged: history?.finding != nil,
            restore: RecoveryTime(
                bytes: newest?.sourceBytes ?? ledger.workloads[workload.name]?.size?.bytes,
                rate: look.presence.isThere ? history?.rate?.bytesPerSecond : nil,
                promised: workload.objective.rto
            ),
            rate: look.presence.isThere ? history?.rate : nil,
            isTooSmallToMeasure: (history?.storedBytes ?? 0) < ReadingRate.bytesMin
        )
    }

    /// When the proof was made that still stands: of a snapshot that is there.
    private func readBack(of workload: String, _ look: Look, _ history: RepositoryHistory?) -> Timestamp? {
        guard let proof = history?.readBack[workload] else { return nil }
        guard let view = look.view else { return look.presence.remembered == nil ? nil : proof.time }
        return view.observed(workload).contains { $0.id == proof.snapshot } ? proof.time : nil
    }

    /// The newest complete snapshot that was seen there is gone, and nothing newer took its place: no rule of ours removes it.
    private func wasSetBack(_ workload: String, _ look: Look, _ history: RepositoryHistory?) -> Bool {
        guard let view = look.view, let known = history?.copies[workload], history?.id == view.id else { return false }
        let there = view.observed(workload)
        return !there.contains { $0.id == known.snapshot }
            && !there.contains { $0.isComplete && known.time < $0.time.moment }
    }

    /// The difference to the newest snapshot that is at least a week older.
    private static func weeklyGrowth(_ observed: [ObservedSnapshot], to newest: ObservedSnapshot) -> Int64? {
        let limit = newest.time.moment.earlier(by: .seconds(7 * 86_400))
        let old = observed.last { $0.isComplete && !(limit < $0.time.moment) && $0.sourceBytes != nil }
        guard let before = old?.sourceBytes, let now = newest.sourceBytes else { return nil }
        return Int64(clamping: now) - Int64(clamping: before)
    }

    private func posture(of state: LabStatus.WorkloadState, _ names: DiskNames) -> Posture {
        let facts = state.copies.map { copy in
            // What is told from memory counts by the disks that it was seen on: never for more than it did then.
            let place = ledger.repositories[copy.repository]?.place
            let isKnown = copy.remembered == nil || copy.medium.kind == .offsite || place != nil
            return CopyFacts(
                medium: copy.medium.name,
                kind: copy.medium.kind,
                disks: copy.medium.kind == .offsite || copy.medium.isRemote
                    ? nil : copy.remembered != nil ? place?.disks : names.disks(below: [copy.medium.text]),
                isGood: copy.counts && !copy.point.isBreached && isKnown,
                isOutOfReach: copy.presence.isOutOfReach || copy.medium.isProvenImmutable(ledger, now: environment.now)
            )
        }
        return Posture(facts, source: names.disks(below: state.workload.host.paths), errors: nil)
    }
}
