import Bytes
import Outcome
import Strategy

/// What is wrong and what is amber, each with what mends it.
struct StatusProblems {
    private(set) var all: [LabStatus.Problem] = []
    private let names: DiskNames

    init(_ status: LabStatus, _ ledger: Ledger, _ names: DiskNames) {
        self.names = names
        for state in status.workloads { judge(state, status) }
        for repository in status.repositories { judge(repository, status) }
        let offsite = status.lab.repositories(on: .offsite)
        if offsite.isEmpty {
            add(
                .amber,
                .oneHouse,
                "lab",
                "no copy leaves the house",
                "keep a removable disk elsewhere, and bring it in turn"
            )
        }
        judgeChannels(status, ledger)
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
            let isAway = copy.remembered != nil
            let mend =
                isAway && !copy.medium.isMountedForRuns
                ? "bring \(copy.medium.name) back, then: holdfast run \(name)" : "holdfast run \(name)"
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
            case .never: add(.wrong, .never, place, "has no complete copy", mend)
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
            if case .tooLong(let time, let promised) = copy.restore {
                add(
                    .wrong,
                    .slow,
                    place,
                    "takes \(ageText(time)) to restore, \(lengthText(promised)) are promised",
                    "raise objective.rto, or use a faster medium"
                )
            }
        }
        judgeDisks(state)
        let isAway = state.copies.contains {
            $0.remembered != nil && $0.medium.kind == .removable && !$0.medium.isMountedForRuns
        }
        if let history = state.history { judge(history, of: state.workload, isAway: isAway) }
        if state.workload.backup.schedule == nil {
            add(.amber, .noSchedule, name, "has no schedule", "give it backup.schedule in holdfast.yaml")
        }
    }

    /// How the last run went, and what it saw; with `isAway` a disk that can be unplugged is, which explains a copy that is missing.
    private mutating func judge(_ history: WorkloadHistory, of workload: Workload, isAway: Bool) {
        let name = workload.name
        switch history.lastOutcome {
        case .failed?: add(.wrong, .failed, name, "failed when it ran last", "holdfast run \(name)")
        case .partial?:
            add(
                .amber,
                isAway ? .away : .incomplete,
                name,
                "was incomplete when it ran last",
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
                "shrank from \(size.files) files to \(now.files); its retention waits",
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
            $0.remembered == nil && ($0.medium.kind == .internal || $0.medium.kind == .removable)
        }
        for (number, copy) in local.enumerated() {
            let path = copy.medium.path
            let next = "put \(copy.medium.name) on another disk"
            let object = "\(state.workload.name) on \(copy.medium.name)"
            if let twin = local[..<number].first(where: { names.share($0.medium.path, path) == true }) {
                add(.amber, .oneDisk, object, "shares a disk with \(twin.medium.name): they count as one medium", next)
            } else if state.workload.host.paths.contains(where: { names.share($0, path) == true }) {
                add(.amber, .oneDisk, object, "shares a disk with its source: it adds no medium", next)
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
        if let failure = repository.failure, failure.codeName != ProtectionCode.mediumUnmounted.rawValue {
            let seen = repository.history.map { "; seen \(ageText(status.now.length(since: $0.seen))) ago" } ?? ""
            add(
                .wrong,
                Self.isAway(repository) ? .away : .unreachable,
                name,
                "cannot be looked at: \(failure.what)\(seen)",
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
            add(
                .wrong,
                .doubt,
                name,
                "is not as this machine left it: \(doubt.text); its retention waits",
                "compare it with another copy; if that is right: holdfast plan, and release it"
            )
        }
        if let finding = repository.history?.finding {
            add(
                .wrong,
                .damaged,
                name,
                "is damaged since \(ageText(status.now.length(since: finding.since))): \(finding.text)",
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
                add(
                    .amber,
                    .notVerified,
                    name,
                    "was not read whole within \(lengthText(period))",
                    "holdfast run --verify"
                )
            }
        }
    }

    /// A disk that can be unplugged is: the promise alone says whether that is too long.
    private static func isAway(_ repository: LabStatus.RepositoryState) -> Bool {
        repository.store.medium.kind == .removable
            && repository.failure?.codeName == ProtectionCode.mediumMissing.rawValue
    }

    private mutating func add(
        _ severity: LabStatus.Problem.Severity,
        _ kind: LabStatus.Problem.Kind,
        _ object: String,
        _ what: String,
        _ next: String
    ) {
        all.append(LabStatus.Problem(severity: severity, kind: kind, object: object, what: what, next: next))
    }
}
