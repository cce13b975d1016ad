import Bytes
package import HostSystem
import Notification
import Outcome
package import Protection
import ResticRepository
import Strategy
import Synchronization

/// Runs what is due, until it is told to stop.
///
/// 1. One run at a time, so that nothing overlaps itself; what became due meanwhile, or while the daemon was down, runs once (M-04, M-06).
/// 2. The clock is looked at every second, so that a suspend and a clock that is set are nothing special (F-01, F-02, F-07).
/// 3. SIGTERM and SIGINT drain: nothing new begins, the running run has `Limits.drainSeconds` to end, then it is cancelled as by a crash,
///    and stays due.
/// 4. What a run that was cut off owes is done before all else.
/// 5. SIGHUP reads the declaration anew; one that is broken is told, and the old one stays (M-10).
package struct LabDaemon: Sendable {
    /// Bounds of the daemon.
    package enum Limits {
        /// For the running run after SIGTERM; below systemd's 90 seconds.
        package static let drainSeconds = 75
        /// Between two looks at the ledger while nothing is due.
        package static let lookSeconds: Int64 = 60
        /// Between two looks at clock and signals.
        package static let tickNanoseconds: UInt64 = 1_000_000_000
        /// After a run that could not even begin.
        package static let pauseSeconds: Int64 = 300
    }

    private let load: @Sendable () async throws -> ProtectionEnvironment
    private let observer: any RunObserver
    private let log: @Sendable (String) -> Void
    private let manager: NotifySocket
    private let control = Control()
    private let report = HealthReport()

    /// `load` reads the declaration; it is asked at the start and at each reload.
    package init(
        observer: any RunObserver,
        manager: NotifySocket = NotifySocket(),
        log: @escaping @Sendable (String) -> Void,
        load: @escaping @Sendable () async throws -> ProtectionEnvironment
    ) {
        self.observer = observer
        self.manager = manager
        self.log = log
        self.load = load
    }

    /// Runs until a signal ends it.
    ///
    /// Errors: those of the first `load`, `E-BUSY` when another daemon runs this lab (L-19), cancellation.
    package func run(_ signals: AsyncStream<StopSignal>) async throws {
        let environment = try await load()
        guard let lock = try StateFolder.takeLock("serve", in: environment.stateFolder) else {
            throw busy(environment)
        }
        defer { lock.unlock() }
        log("serving \(environment.lab.name): \(environment.lab.workloads.count) workloads")
        manager.notify("READY=1")
        try await withThrowingTaskGroup(of: Void.self) { group in
            let pool = environment.repository.pool
            group.addTask { for await signal in signals { hear(signal) } }
            if let watchdog = manager.watchdog {
                // Not on the pool, where calls block.
                group.addTask { try await bark(every: watchdog, environment) }
            }
            group.addTask(executorPreference: pool) { try await serve(environment) }
            if let address = environment.lab.health {
                group.addTask { try await answer(on: address, environment) }
            }
            // The scheduler alone ends by itself; a failure of it ends all.
            while let _ = try await group.next(), !control.hasEnded {}
            group.cancelAll()
        }
        manager.notify("STOPPING=1")
        log("stopped")
    }

    // MARK: signals

    private func hear(_ signal: StopSignal) {
        switch signal {
        case .hangup: control.wantReload()
        case .interrupt, .terminate:
            log("stopping: what runs has \(Limits.drainSeconds) s to end")
            manager.notify("STOPPING=1\nEXTEND_TIMEOUT_USEC=\((Limits.drainSeconds + 30) * 1_000_000)")
            control.drain()
        }
    }

    /// Says that the service is alive, twice as often as asked for.
    private func bark(every interval: Duration, _ environment: ProtectionEnvironment) async throws {
        let nanoseconds = UInt64(max(1, (interval / 2) / .nanoseconds(1)))
        while true {
            manager.notify("WATCHDOG=1")
            try await environment.repository.time.sleep(nanoseconds: nanoseconds)
        }
    }

    /// That nobody can ask is told, and keeps no run from running.
    private func answer(on address: LoopbackAddress, _ environment: ProtectionEnvironment) async throws {
        do {
            try await HealthEndpoint(address: address, report: report, time: environment.repository.time).run()
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            let what = "serve.health: nothing answers on \(address.text): \(reason(of: error))"
            environment.warn("\(what); all else goes on; name another port, and restart")
        }
    }

    // MARK: schedule

    private func serve(_ first: ProtectionEnvironment) async throws {
        defer { control.end() }
        var environment = first
        var run = ProtectionRun(environment, observer: observer)
        var notifier = LabNotifier(environment, ledgerFile: run.ledgerFile)
        // What the daemon before has left when it was killed does not wait until something is due.
        await run.clearUp()
        for line in await run.runOwed() {
            if case .failed(let failure) = line.result { log("left undone: \(failure.object) \(failure.what)") }
        }
        var (lastLook, nextLook) = (Timestamp.distantPast, Timestamp.distantPast)
        while !control.isDraining {
            if control.takeReload(), let new = await reloaded(environment.now) {
                if new.lab.health != first.lab.health {
                    let (old, wanted) = (first.lab.health?.text ?? "no address", new.lab.health?.text ?? "none")
                    log("serve.health: still on \(old) until the next start; the declaration wants \(wanted) now")
                }
                environment = new
                run = ProtectionRun(environment, observer: observer, continuing: run)
                notifier = LabNotifier(environment, ledgerFile: run.ledgerFile)
                nextLook = .distantPast
            }
            let now = environment.now
            run.lookAtClock(now)
            let (name, turned) = (environment.lab.name, environment.repository.time.monotonicNanoseconds())
            report.change {
                $0.lab = name
                $0.turned = turned
            }
            // A clock that was set back is looked at anew, too.
            if nextLook <= now || now < lastLook {
                lastLook = now
                nextLook = try await look(run, notifier, environment, now)
            } else {
                try await environment.repository.time.sleep(nanoseconds: Limits.tickNanoseconds)
            }
        }
    }

    /// Runs what is due; returns when to look again.
    private func look(
        _ run: ProtectionRun,
        _ notifier: LabNotifier,
        _ environment: ProtectionEnvironment,
        _ now: Timestamp
    ) async throws -> Timestamp {
        let plan = try await run.plan(.due, isByHand: false)
        guard plan.items.isEmpty else {
            manager.notify("STATUS=running \(plan.items.map(\.workload.name).joined(separator: ", "))")
            do {
                let names = plan.items.map(\.workload.name)
                report.change { $0.running = names }
                defer { report.change { $0.running = [] } }
                let result = try await drained(environment) {
                    async let start: Void = notifier.runBegan()
                    let result = try await run.run(Self.request)
                    await start
                    return result
                }
                ended(result, run, environment)
                await notifier.runEnded(result)
                // What is due still was being run by somebody else: it is left to them for a while.
                let left = try await run.plan(.due, isByHand: false).items.contains {
                    result.workloads[$0.workload.name] != nil
                }
                return left ? environment.now.later(bySeconds: Limits.lookSeconds) : .distantPast
            } catch is CancellationError {
                if !control.isDraining { throw CancellationError() }
                log("the run was cut off, and stays due")
                return now
            } catch {
                log("the run could not be done: \(reason(of: error))")
                await notifier.runBroke(reason(of: error))
                return now.later(bySeconds: Limits.pauseSeconds)
            }
        }
        await notifier.look()
        let next = plan.waiting.compactMap(\.next).min()
        judge(run, environment, next: next)
        manager.notify(
            "STATUS=\(next.map { "next run in \(ageText($0.length(since: now)))" } ?? "nothing is scheduled")"
        )
        let latest = now.later(bySeconds: Limits.lookSeconds)
        return next.map { min($0, latest) } ?? latest
    }

    private func ended(_ result: RunReport, _ run: ProtectionRun, _ environment: ProtectionEnvironment) {
        let outcomes = result.workloads.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.rawValue)" }
        let text = outcomes.joined(separator: ", ")
        log("run ended: \(text)")
        report.change {
            $0.lastRun = text
            $0.lastRunEnded = result.ended
        }
        judge(run, environment, next: nil)
    }

    /// What is answered to whoever asks, by what is remembered: no disk wakes up for it.
    private func judge(_ run: ProtectionRun, _ environment: ProtectionEnvironment, next: Timestamp?) {
        // What could not be written counts, too.
        let ledger = run.ledgerFile.current()
        let now = environment.now
        let promises = RememberedPromises(environment, ledger, now: now)
        report.change {
            $0.promises = promises
            $0.judged = now
            if let next { $0.next = next }
        }
    }

    private static var request: ProtectionRun.Request {
        var request = ProtectionRun.Request(.due)
        request.isByHand = false
        return request
    }

    private func reloaded(_ now: Timestamp) async -> ProtectionEnvironment? {
        manager.notify("RELOADING=1\nMONOTONIC_USEC=\(SystemTime().monotonicNanoseconds() / 1000)")
        defer { manager.notify("READY=1") }
        do {
            let environment = try await load()
            log("read the declaration anew: \(environment.lab.workloads.count) workloads")
            report.change { $0.refusal = nil }
            return environment
        } catch {
            let why = (error as? any ReportableFailure).map { "\($0.operation) \($0.object): \(reason(of: $0))" }
            let text = why ?? reason(of: error)
            log("the declaration is broken, and the old one stays: \(text)")
            report.change { $0.refusal = (text, now) }
            return nil
        }
    }

    /// Runs `body`; while draining it has `Limits.drainSeconds`, then it is cancelled.
    private func drained<R: Sendable>(
        _ environment: ProtectionEnvironment,
        _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask(executorPreference: environment.repository.pool) { try await body() }
            group.addTask {
                var left = Limits.drainSeconds
                while left > 0 {
                    try await Task.sleep(nanoseconds: Limits.tickNanoseconds)
                    if control.isDraining { left -= 1 }
                }
                return nil
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() ?? nil else { throw CancellationError() }
            return result
        }
    }

    private func busy(_ environment: ProtectionEnvironment) -> ProtectionFailure {
        ProtectionFailure(
            .busy,
            operation: "serve",
            object: environment.lab.name,
            what: "is served by another process already",
            state: "that one goes on",
            next: "stop it first: systemctl stop holdfast"
        )
    }
}

extension Timestamp {
    func later(bySeconds seconds: Int64) -> Timestamp {
        Timestamp(seconds: self.seconds + seconds, nanoseconds: nanoseconds)
    }
}

/// What signals ask for.
private final class Control: Sendable {
    private struct State {
        var isDraining = false
        var isReloadWanted = false
        var hasEnded = false
    }

    private let state = Mutex(State())

    var isDraining: Bool { state.withLock { $0.isDraining } }
    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    func drain() { state.withLock { $0.isDraining = true } }
    func end() { state.withLock { $0.hasEnded = true } }
    func wantReload() { state.withLock { $0.isReloadWanted = true } }

    func takeReload() -> Bool {
        state.withLock { state in
            defer { state.isReloadWanted = false }
            return state.isReloadWanted
        }
    }
}
