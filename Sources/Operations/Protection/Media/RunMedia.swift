import Bytes
import HostSystem
import Journal
import Outcome
import ResticRepository
import Strategy

/// The media that are mounted for a run, or for a look, and unmounted after it.
///
/// 1. What was mounted before is never unmounted: only the very mount that a record names as ours is.
/// 2. The clean-up is owed before the mount is made (M-05), and names it as soon as it is there; what a crash leaves, the next run finds.
/// 3. Who uses a medium holds a shared lock. Whoever can take it alone at its end is the last one, and unmounts.
struct RunMedia {
    /// Waits this long for another process that mounts or unmounts, in tenths of a second.
    private static let patience = 900
    /// What has just been closed may be busy for a moment.
    private static let attempts = 5

    private struct Used {
        var place: MountPlace
        var lock: FileDescriptor?
        /// What this run mounted, where no journal says it.
        var claim: MountClaim?
    }

    private let environment: ProtectionEnvironment
    private let observer: (any RunObserver)?
    private var used: [Used] = []
    /// Why a medium could not be mounted, by its name.
    private(set) var absent: [String: ProtectionFailure] = [:]

    init(_ environment: ProtectionEnvironment, observer: (any RunObserver)? = nil) {
        self.environment = environment
        self.observer = observer
    }

    // MARK: before the run

    /// Mounts those that nobody has mounted; one that cannot be is absent, and the others go on.
    mutating func mount(_ needed: Set<String>) async {
        for medium in environment.lab.media where medium.isMountedForRuns && needed.contains(medium.name) {
            do { try await mount(medium) } catch let failure as ProtectionFailure {
                absent[medium.name] = failure
            } catch {
                absent[medium.name] = MountPlace.failure(medium, "\(error)", next: "mend the cause, and run again")
            }
        }
    }

    private mutating func mount(_ medium: Medium) async throws {
        let place = try MountPlace(medium, environment.mounting)
        let lock = try await take("medium-\(medium.name)", exclusive: false, place)
        used.append(Used(place: place, lock: lock))
        let turn = try await take("mount-\(medium.name)", exclusive: true, place)
        defer { turn?.unlock() }
        guard try place.current() == nil else { return }
        let id = RunJournal.newID(environment.repository.entropy)
        await owe(id, place, MountClaim(mount: nil))
        let step = RunStep(.mount, repository: medium.name)
        let begun = environment.repository.time.monotonicNanoseconds()
        let words = await place.mount()
        guard let mount = try place.current(), words == nil else {
            // What stands there now in spite of a failure was mounted by somebody else meanwhile.
            await settle([id])
            guard try place.current() == nil else { return }
            throw MountPlace.failure(
                medium,
                "cannot be mounted at \(place.point): \(words ?? "mount ended well, and nothing is there")",
                next: "attach the disk; then try by hand: mount \(place.point)"
            )
        }
        let claim = MountClaim(mount: mount)
        used[used.count - 1].claim = claim
        await owe(id, place, claim)
        ended(step, place, since: begun)
    }

    // MARK: after it

    /// Unmounts what no other process uses, and what a run that was cut off has left; what cannot be is told, and tried by the next run.
    mutating func release() async {
        let all = await environment.journal?.owedCleanups() ?? []
        let owed = all.filter { $0.kind == "mount" }
        for item in used { await release(item, owed.filter { $0.object == item.place.point }) }
        let points = used.map(\.place.point)
        used = []
        for medium in environment.lab.media where medium.isMountedForRuns {
            guard !owed.isEmpty else { return }
            do {
                let place = try MountPlace(medium, environment.mounting)
                let left = owed.filter { $0.object == place.point }
                guard !left.isEmpty, !points.contains(place.point) else { continue }
                // Without a lock nobody knows who else uses it: it stays, and the next run tries again.
                guard let lock = try await take("medium-\(medium.name)", exclusive: false, place) else { continue }
                await release(Used(place: place, lock: lock), left)
            } catch {
                environment.warn(
                    "\(medium.name): what an earlier run mounted is not looked after: \(reason(of: error))"
                )
            }
        }
    }

    private func release(_ item: Used, _ owed: [OwedCleanup]) async {
        defer { item.lock?.unlock() }
        let place = item.place
        if let lock = item.lock, (try? lock.tryLock(exclusive: true)) != true { return }
        let now: Mount?
        do { now = try place.current() } catch { return environment.warn("\(place.medium.name): \(reason(of: error))") }
        guard let mount = now else { return await settle(owed.map(\.id)) }
        let claim = MountClaim(mount: mount)
        let isOurs = item.claim == claim || owed.contains { $0.text == claim.text }
        if !isOurs, owed.contains(where: { $0.text == MountClaim(mount: nil).text }) {
            environment.warn(
                "\(place.medium.name): a run was cut off while it mounted \(place.point), and it stays mounted; if nobody needs it: umount \(place.point)"
            )
        }
        guard isOurs else { return await settle(owed.map(\.id)) }
        let begun = environment.repository.time.monotonicNanoseconds()
        var words: String?
        for attempt in 1...Self.attempts {
            words = await place.unmount()
            if words == nil || attempt == Self.attempts { break }
            try? await environment.repository.time.sleep(nanoseconds: 200_000_000)
        }
        if let words {
            environment.warn(
                "\(place.medium.name) stays mounted at \(place.point), and the next run tries again: \(words)"
            )
        } else {
            await settle(owed.map(\.id))
            ended(RunStep(.unmount, repository: place.medium.name), place, since: begun)
        }
    }

    // MARK: locks and records

    /// Nil where no lock can be had at all.
    private func take(_ name: String, exclusive: Bool, _ place: MountPlace) async throws -> FileDescriptor? {
        for _ in 0..<Self.patience {
            do {
                if let lock = try StateFolder.takeLock(name, in: environment.stateFolder, exclusive: exclusive) {
                    return lock
                }
            } catch {
                environment.warn("the use of \"\(place.medium.name)\" is not locked, and goes on: \(reason(of: error))")
                return nil
            }
            try await environment.repository.time.sleep(nanoseconds: 100_000_000)
        }
        throw MountPlace.failure(
            place.medium,
            "is being mounted or unmounted by another process",
            next: "wait for it to end, and run again"
        )
    }

    private func owe(_ id: String, _ place: MountPlace, _ claim: MountClaim) async {
        let owed = OwedCleanup(
            id: id,
            kind: "mount",
            object: place.point,
            text: claim.text,
            since: environment.now
        )
        await environment.journal?.record([.owed(owed)])
    }

    private func settle(_ ids: [String]) async {
        guard !ids.isEmpty else { return }
        await environment.journal?.record(ids.map { .settled(id: $0) })
    }

    private func ended(_ step: RunStep, _ place: MountPlace, since begun: UInt64) {
        let seconds = Double(environment.repository.time.monotonicNanoseconds() &- begun) / 1e9
        observer?.finished(step, .done(place.point), seconds: seconds)
    }
}

/// A mount of ours, told from every other one on this machine since it was started.
private struct MountClaim: Equatable {
    /// In the words of the journal.
    let text: String

    /// Without a mount: one that is being made.
    init(mount: Mount?) {
        let boot = bootID()?.display ?? "unknown"
        let what = mount.map { "mount \($0.id) of \($0.device)" } ?? "mount that was begun"
        text = "\(what), boot \(boot)"
    }
}
