import Bytes
import Outcome
import ResticRepository
import Strategy

/// Removes from a medium what its rules keep no longer, with credentials that runs do not hold.
///
/// ```
/// each repository of the medium: retention, of workloads whose last run was good and read back > prune > leave the record
/// ```
/// By the same rules as in a run: nothing above the floor unasked, nothing where damage is open (L7, P-06). Where nobody who enters from
/// here may delete, nothing is removed: what others removed there is shown, and released.
package struct MediumPruning: Sendable {
    private let environment: ProtectionEnvironment
    private let observer: any RunObserver

    package init(_ environment: ProtectionEnvironment, observer: any RunObserver) {
        self.environment = environment
        self.observer = observer
    }

    /// Prunes; what failed is in the report.
    ///
    /// `release` are the digits that an earlier one showed.
    ///
    /// Errors: `E-UNKNOWN` for the name, `E-HELD` for other digits, cancellation.
    package func run(_ name: String, release: String?) async throws -> RunReport {
        var environment = environment
        let medium = try environment.medium(named: name, operation: "prune")
        guard let index = environment.lab.media.firstIndex(where: { $0.name == name }), medium.isPrunedApart
        else { throw needsNone(medium) }
        if let pruning = medium.pruning {
            // From here on this process is who may delete there.
            environment.lab.media[index].credentials = pruning
            environment.lab.media[index].pruning = nil
            if case .rest(var server) = medium.location {
                server.isAppendOnly = false
                environment.lab.media[index].location = .rest(server)
            }
        }
        let run = ProtectionRun(environment, observer: observer)
        let ledger = await run.ledgerFile.loadOrRecover()
        var report = RunReport(started: environment.now)
        let names = environment.stores.filter { $0.medium.name == name }.map(\.name)
        let looks = try await run.look(at: names)
        for (name, failure) in looks.failures.sorted(by: { $0.key < $1.key }) {
            let begun = environment.repository.time.monotonicNanoseconds()
            report.lines.append(run.end(RunStep(.open, repository: name), .failed(failure), since: begun))
        }
        let released = try await released(release, run, looks.open, ledger)
        if medium.pruning == nil, release == nil {
            report.held = try await held(run, looks.open, ledger)
        }
        for store in looks.open where medium.pruning != nil {
            let workloads = environment.lab.workloads.filter { workload in
                workload.repositories.contains(store.name) && ledger.workloads[workload.name]?.lastOutcome == .ok
                    && ledger.repositories[store.name]?.readBack[workload.name] != nil
            }
            let part = try await run.prune(store, workloads, before: ledger, released)
            report.lines += part.lines
            report.held += part.held
            report.snapshotsRemoved += part.removed
        }
        let releasable = report.held.filter { $0.held.allSatisfy(\.isReleasable) }
        if !releasable.isEmpty { report.digits = Release.digits(of: releasable) }
        await run.noteFailures(report.lines[...])
        report.ended = environment.now
        return report
    }

    private func released(
        _ digits: String?,
        _ run: ProtectionRun,
        _ open: [OpenStore],
        _ ledger: Ledger
    ) async throws -> Release {
        guard let digits else { return Release() }
        let held = try await held(run, open, ledger).filter { $0.held.allSatisfy(\.isReleasable) }
        guard !held.isEmpty, digits == Release.digits(of: held) else {
            throw ProtectionFailure(
                .held,
                operation: "release",
                object: "\"\(digits)\"",
                what: held.isEmpty ? "releases nothing: no removal is held back" : "is not what is held back there now",
                state: "nothing was changed",
                next: "run it without --release, and type the digits that it shows"
            )
        }
        for removal in held {
            await run.ledgerFile.update { $0.repositories[removal.repository]?.doubt = nil }
        }
        return Release(held, stores: [])
    }

    /// What would be removed there and is not unasked; where nothing is removed, what others did alone.
    private func held(_ run: ProtectionRun, _ open: [OpenStore], _ ledger: Ledger) async throws -> [Removal] {
        var found: [Removal] = []
        for var removal in try await run.removals(run.environment.lab.workloads, open, ledger) {
            if run.isPrunedApart(removal) { removal.held = removal.held.filter(\.isOfOthers) }
            if !removal.held.isEmpty { found.append(removal) }
        }
        return found
    }

    private func needsNone(_ medium: Medium) -> ProtectionFailure {
        ProtectionFailure(
            .unknown,
            operation: "prune",
            object: "\(medium.name) (\(medium.text))",
            what: "has no credentials of its own for pruning: every run removes there what its rules keep no longer",
            state: "nothing was changed",
            next: "holdfast run; or declare pruning: a second key that may delete, and take that right from the first"
        )
    }
}

extension Removal.Held {
    /// Somebody else changed what is there.
    fileprivate var isOfOthers: Bool { if case .vanished = self { true } else { false } }
}

extension ProtectionEnvironment {
    /// Errors: `E-UNKNOWN`.
    func medium(named name: String, operation: String) throws -> Medium {
        if let medium = lab.medium(named: name) { return medium }
        throw ProtectionFailure(
            .unknown,
            operation: operation,
            object: "\"\(name)\"",
            what: "is no medium of the declaration",
            state: "nothing was changed",
            next: "name one of: \(lab.media.map(\.name).joined(separator: ", "))"
        )
    }
}
