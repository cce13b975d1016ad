import Bytes
import Outcome
import Strategy

/// What is wrong and what is amber, each with what mends it.
struct StatusProblems {
    private(set) var all: [LabStatus.Problem] = []
    /// What could not be looked for.
    private(set) var unjudged: Set<String> = []
    private let names: DiskNames

    init(_ status: LabStatus, _ ledger: Ledger, _ names: DiskNames) {
        self.names = names
        for state in status.workloads { judge(state, status) }
        for repository in status.repositories {
            judge(repository, status)
            judgeReseeding(repository, status)
        }
        let offsite = status.lab.repositories(on: .offsite)
        if offsite.isEmpty {
            add(
                .amber,
                .oneHouse,
                "lab",
                "no copy leaves the house",
                "add a medium of kind offsite: docs/manual/off-site.md; or keep a removable disk elsewhere, and bring it in turn"
            )
        }
        for (medium, concern) in status.mutability.sorted(by: { $0.key < $1.key }) { judge(concern, of: medium) }
        for repository in status.repositories { judgeLocks(repository, status) }
        judgeChannels(status, ledger)
        for owed in status.owed {
            let why = owed.hasFailed ? "failed" : "was not run, for its run was cut off"
            let what = "may be stopped since \(ageText(status.now.length(since: owed.since))): \(owed.words[0]) \(why)"
            add(.wrong, .owed, owed.workload, what, "holdfast run")
        }
        for finding in status.sealed {
            add(.amber, .sealedCopy, finding.object, finding.what, finding.next)
        }
        for concern in status.kit { judge(concern, status) }
        if let why = status.unrecorded {
            add(.amber, .unrecorded, "journal", "\(why): \(JournalRefusal.state)", JournalRefusal.next)
        }
        if let why = status.forgetful {
            let what = "\(why): runs go on, and what they learn is lost, their failures too"
            add(.wrong, .forgetful, "state folder", what, "make room, or mount it writable; then: holdfast doctor")
        }
        // Each once: two workloads may meet the same disk.
        var seen: Set<LabStatus.Problem> = []
        all = all.filter { seen.insert($0).inserted }
        // Stable: what is wrong comes first.
        all = all.filter { $0.severity == .wrong } + all.filter { $0.severity == .amber }
    }

    private mutating func judge(_ state: LabStatus.WorkloadState, _ status: LabStatus) {
        let name = state.workload.name
        for copy in state.copies {
            let place = "\(name) on \(copy.medium.name)"
            let mend = mend(copy, of: name, status)
            if copy.wasSetBack {
                let what = "had a newer snapshot than is there now: it was set back, or the snapshot was removed"
                add(.wrong, .setBack, place, what, "look at the disk: is it the right one? then \(mend)")
            }
            if copy.isFromFuture {
                add(
                    .wrong,
                    .future,
                    place,
                    "has a snapshot dated after now: a clock was wrong, and retention waits",
                    "holdfast restic -r PATH snapshots, then forget the one of that date"
                )
            }
            switch copy.point {
            case .never where copy.lacksPaths:
                add(.wrong, .never, place, "has no copy of all its paths: one was added since", mend)
            case .never: add(.wrong, .never, place, Self.lack(copy), mend)
            case .missed(let age, let due):
                add(
                    .wrong,
                    .missed,
                    place,
                    "missed a due run: the newest copy is \(ageText(age)) old, and one was due \(ageText(status.now.length(since: due))) ago",
                    mend
                )
            case .tooOld(let age, let promised):
                add(.wrong, .missed, place, "is \(ageText(age)) old, \(lengthText(promised)) are promised", mend)
            case .met, .unjudged:
                if copy.readBack == nil {
                    add(.amber, .neverReadBack, place, "was never read back by this program", "holdfast run \(name)")
                }
            }
            noteUnjudged(copy, at: place)
            judgeRestore(copy, of: state.workload, at: place, status)
        }
        judgeDisks(state)
        let isAway = state.copies.contains { if case .away = $0.presence { true } else { false } }
        if let history = state.history { judge(history, of: state.workload, isAway: isAway) }
        judgeSource(state)
        switch state.due {
        case .byHand: add(.amber, .noSchedule, name, "has no schedule", "give it backup.schedule in holdfast.yaml")
        case .notBefore(nil):
            let what = "is never due again: the last date of its schedule is past"
            add(.amber, .noSchedule, name, what, "give it another backup.schedule in holdfast.yaml")
        case .notBefore, .since: break
        }
    }

    /// Whether there is anything in what is copied: a copy of nothing is complete, too.
    private mutating func judgeSource(_ state: LabStatus.WorkloadState) {
        let name = state.workload.name
        for link in state.links { add(.amber, .linked, name, "\(link.path) \(link.what)", link.next) }
        guard state.links.isEmpty, let size = state.history?.size, size.files == 0 else { return }
        let what =
            "has copies without a file in them: nothing lies in \(state.workload.host.paths.joined(separator: ", ")), or all of it is excluded"
        add(.amber, .hollow, name, what, "look whether what it protects is mounted there, and at its excludes")
    }

    /// Of what was not looked at now, and of a copy that is worse than never read back, nothing else is known.
    private mutating func noteUnjudged(_ copy: LabStatus.Copy, at place: String) {
        typealias Kind = LabStatus.Problem.Kind
        if copy.point.isBreached, copy.readBack == nil { unjudged.insert(Kind.neverReadBack.name(of: place)) }
        guard copy.presence != .seen else { return }
        for kind in [Kind.setBack, .future, .oneDisk, .neverReadBack] { unjudged.insert(kind.name(of: place)) }
        for kind in [Kind.unreadable, .unwritable, .notVerified] { unjudged.insert(kind.name(of: copy.repository)) }
        unjudged.insert(Kind.noIdentity.name(of: copy.medium.name))
    }

    /// Whether it would be back in time.
    private mutating func judgeRestore(
        _ copy: LabStatus.Copy,
        of workload: Workload,
        at place: String,
        _ status: LabStatus
    ) {
        switch copy.restore {
        case .tooLong(let time, let promised):
            let seen = copy.rate.map { " by the rate of \(ageText(status.now.length(since: $0.time))) ago" } ?? ""
            let what = "takes \(ageText(time)) to restore\(seen), \(lengthText(promised)) are promised"
            let next = "use a faster medium, or raise objective.rto; measure again: holdfast run --all --verify"
            add(.wrong, .slow, place, what, next)
        case .unknown:
            // A repository of less than is measured is back before anybody looks at a clock.
            guard let promised = workload.objective.rto, copy.presence.isThere, copy.newest != nil,
                !copy.isTooSmallToMeasure
            else { return }
            let what = "is promised back within \(lengthText(promised)), and how fast it is read was never measured"
            add(.amber, .unmeasured, place, what, "holdfast run --all --verify measures it")
        case .met, .unjudged: return
        }
    }

    /// What is there instead of a copy.
    private static func lack(_ copy: LabStatus.Copy) -> String {
        switch copy.presence {
        case .lost(.gone): "has no copy: its repository is gone"
        case .lost(.foreign): "has no copy that can be read: another disk is in the place of \(copy.medium.name)"
        case .lost(.closed): "has no copy that can be read: its repository cannot be opened"
        case .lost(.damaged): "has no copy that can be read: its repository is damaged"
        case .notMade: "has no copy: the repository \(copy.repository) is not made yet"
        case .seen, .away, .unmounted: "has no complete copy"
        }
    }

    private func mend(_ copy: LabStatus.Copy, of workload: String, _ status: LabStatus) -> String {
        let run = "holdfast run \(workload)"
        switch copy.presence {
        case .seen, .notMade: return run
        case .away: return copy.medium.isMountedForRuns ? run : "bring \(copy.medium.name) back, then: \(run)"
        case .unmounted: return copy.medium.isMountedForRuns ? run : "mount \(copy.medium.name), then: \(run)"
        case .lost:
            let failure = status.repositories.first { $0.store.name == copy.repository }?.failure
            return failure.map(\.next) ?? run
        }
    }

    /// How the last run went, and what it saw; with `isAway` a disk that can be unplugged is, which explains a copy that is missing.
    private mutating func judge(_ history: WorkloadHistory, of workload: Workload, isAway: Bool) {
        let name = workload.name
        let why =
            history.lastTrouble.map { trouble in
                ": \(trouble.what)" + (trouble.state.isEmpty ? "" : " (\(trouble.state))")
            } ?? ""
        switch history.lastOutcome {
        case .failed?: add(.wrong, .failed, name, "failed when it ran last\(why)", "holdfast run \(name)")
        case .partial?:
            add(
                .amber,
                isAway ? .away : .incomplete,
                name,
                "was incomplete when it ran last\(why)",
                "holdfast run \(name), and look at what it says"
            )
        case .interrupted?, .ok?, nil: break
        }
        if let first = history.live.first {
            let more = history.live.count > 1 ? " and others" : ""
            add(
                .amber,
                .crashConsistent,
                name,
                "is crash-consistent only: \(first)\(more) changes while it is read",
                "give it a command that dumps or stops it: before: [...] in holdfast.yaml"
            )
        }
        if let size = history.size, let now = history.shrunkTo {
            add(
                .wrong,
                .shrunk,
                name,
                "\(now.shrinkText(from: size)); its retention waits",
                "look at the source; if that is right: holdfast plan, and release it"
            )
        }
    }

    /// An alarm that nobody hears is none.
    private mutating func judgeChannels(_ status: LabStatus, _ ledger: Ledger) {
        if !status.lab.isWatched {
            let what = "nobody outside of this machine would notice that it fell silent"
            let next =
                status.lab.channels.contains(where: \.isPing)
                ? "name a check that runs elsewhere" : "add a ping to notify in holdfast.yaml"
            add(.amber, .unwatched, "lab", what, "\(next): docs/manual/alarms.md")
        }
        for channel in status.lab.channels {
            guard let history = ledger.channels[channel.name], let since = history.failingSince else { continue }
            let what = "takes no messages since \(ageText(status.now.length(since: since))): \(history.failure ?? "")"
            add(.amber, .deaf, "channel \(channel.name)", what, "holdfast notify test \(channel.name)")
        }
    }

    /// A copy on the disk of its source, or of another copy, dies with it.
    private mutating func judgeDisks(_ state: LabStatus.WorkloadState) {
        let local = state.copies.filter {
            $0.presence == .seen && ($0.medium.kind == .internal || $0.medium.kind == .removable)
        }
        for (number, copy) in local.enumerated() {
            guard let path = copy.medium.folder else { continue }
            let next = "put \(copy.medium.name) on another disk"
            let object = "\(state.workload.name) on \(copy.medium.name)"
            if let twin = local[..<number].first(where: { names.share($0.medium.text, path) == true }) {
                add(.amber, .oneDisk, object, "shares a disk with \(twin.medium.name): they count as one medium", next)
            } else {
                let shares = state.workload.host.paths.map { names.share($0, path) }
                if shares.contains(true) {
                    add(.amber, .oneDisk, object, "shares a disk with its source: it adds no medium", next)
                } else if shares.contains(nil) {
                    unjudged.insert(LabStatus.Problem.Kind.oneDisk.name(of: object))
                }
            }
            if copy.medium.kind == .removable, copy.medium.identity == nil {
                let what = "has no identity: another disk in its place would not be noticed"
                if let uuid = names.fileSystemUUID(of: path) {
                    add(.amber, .noIdentity, copy.medium.name, what, "write into holdfast.yaml: identity: \"\(uuid)\"")
                }
            }
        }
    }

    private mutating func judge(_ repository: LabStatus.RepositoryState, _ status: LabStatus) {
        let name = repository.store.name
        // What is not mounted between runs is as it should be: the promises of its copies alone are judged.
        if let failure = repository.failure, repository.presence != .notMade,
            failure.codeName != ProtectionCode.mediumUnmounted.rawValue
        {
            let seen = repository.history.map { "; seen \(ageText(status.now.length(since: $0.seen))) ago" } ?? ""
            add(
                .wrong,
                Self.isAway(repository) ? .away : .unreachable,
                name,
                "cannot be looked at: \(repository.store.trouble(failure))\(seen)",
                failure.next
            )
        }
        if let failure = repository.writing {
            add(.wrong, .unwritable, name, "cannot be written to: \(failure.what)", failure.next)
        }
        for (workload, why) in (repository.history?.held ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard status.lab.workloads.contains(where: { $0.name == workload }) else { continue }
            add(
                .wrong,
                .floor,
                "\(workload) in \(name)",
                "keeps what retention would remove: \(why)",
                "holdfast plan; if that is right, release it: holdfast run --all --release DIGITS"
            )
        }
        if let doubt = repository.history?.doubt {
            let medium = repository.store.medium
            let look = medium.isPrunedApart ? "holdfast media prune \(medium.name)" : "holdfast plan"
            add(
                .wrong,
                .doubt,
                name,
                "is not as this machine left it: \(doubt.text); its retention waits",
                "compare it with another copy; if that is right: \(look), and release it"
            )
        }
        if let finding = repository.history?.finding {
            add(
                .wrong,
                .damaged,
                name,
                "is damaged since \(ageText(status.now.length(since: finding.since))): \(briefDamage(finding.text))",
                "holdfast restic check --read-data -r \(repository.store.path)"
            )
        }
        if !repository.unreadable.isEmpty {
            add(
                .wrong,
                .unreadable,
                name,
                "\(repository.unreadable.count) snapshots cannot be read: \(repository.unreadable[0])",
                "holdfast restic check -r \(repository.store.path)"
            )
        }
        let period = status.lab.workloads.filter { $0.repositories.contains(name) }.map(\.verifyEvery).min()
        if repository.failure == nil, let history = repository.history, let period {
            let since = history.rotation.everyByteReadSince ?? history.rotation.started
            if status.now.length(since: since) > period + period {
                let isBounded = repository.store.medium.bucketBudget.egress != nil
                let next =
                    isBounded ? "holdfast plan --cost: its egress budget may be too small" : "holdfast run --verify"
                add(.amber, .notVerified, name, "was not read whole within \(lengthText(period))", next)
            }
        }
    }

    /// A replacement that was broken off.
    private mutating func judgeReseeding(_ repository: LabStatus.RepositoryState, _ status: LabStatus) {
        guard let since = repository.history?.reseeding else { return }
        let name = repository.store.name
        let age = ageText(status.now.length(since: since))
        let what = "is being filled again since \(age), and may hold less than the others until that is done"
        add(.amber, .reseeding, name, what, "holdfast media replace \(repository.store.medium.name)")
    }

    /// A disk that can be unplugged is: the promise alone says whether that is too long.
    private static func isAway(_ repository: LabStatus.RepositoryState) -> Bool {
        if case .away = repository.presence { true } else { false }
    }

    mutating func add(
        _ severity: LabStatus.Problem.Severity,
        _ kind: LabStatus.Problem.Kind,
        _ object: String,
        _ what: String,
        _ next: String
    ) {
        all.append(LabStatus.Problem(severity: severity, kind: kind, object: object, what: what, next: next))
    }
}
