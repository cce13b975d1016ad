import Bytes
import HostSystem
import Outcome
import ResticRepository
import Strategy

/// One thing that was looked at.
package struct Examined: Sendable, Hashable {
    /// How it stands.
    package enum Verdict: String, Sendable, Hashable {
        case good
        case doubtful
        case bad
    }

    package var verdict: Verdict
    package var object: String
    package var what: String
    /// What mends it; empty when it is good.
    package var next: String

    package init(_ verdict: Verdict, _ object: String, _ what: String, next: String = "") {
        self.verdict = verdict
        self.object = object
        self.what = what
        self.next = next
    }
}

/// Looks at all that a lab stands on: machine, clock, state, media, secrets, repositories.
///
/// Nothing is changed but for a file that is written and removed in the state folder, and one among the locks of each bucket. Media that runs mount are mounted for the look.
package struct Examination: Sendable {
    /// Part of a medium that should stay free: one in this many.
    private static let freeShare: UInt64 = 20
    private static let memoryBytes: UInt64 = 512 << 20

    private let environment: ProtectionEnvironment

    package init(_ environment: ProtectionEnvironment) { self.environment = environment }

    /// Looks at everything, in this order.
    ///
    /// Errors: cancellation.
    package func run() async throws -> [Examined] {
        try await environment.withMounted(environment.lab.media.map(\.name)) {
            try await Examination($0).lookAtAll()
        }
    }

    private func lookAtAll() async throws -> [Examined] {
        var found = [memory(), clock(), zone(), state()] + journal()
        for medium in environment.lab.media { found += self.medium(medium) }
        for store in environment.stores { found += try await repository(store) }
        found += try await rights()
        found += programs() + certificates()
        found += await kit()
        return found
    }

    // MARK: machine

    private func memory() -> Examined {
        guard let available = availableMemory() else { return Examined(.doubtful, "memory", "cannot be told") }
        let text = "\(amount(available)) available"
        guard available < Self.memoryBytes else { return Examined(.good, "memory", text) }
        return Examined(
            .doubtful,
            "memory",
            text,
            next: "backups of large trees take up to \(amount(Self.memoryBytes))"
        )
    }

    /// From `/proc/meminfo`; nil where it is not told.
    private func availableMemory() -> UInt64? {
        guard let bytes = try? readFile("/proc/meminfo", limit: 64 << 10) else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("MemAvailable:")
        {
            return line.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }.map { $0 << 10 }
        }
        return nil
    }

    private func clock() -> Examined {
        let now = environment.now
        if let updated = LedgerFile.read(environment.stateFolder)?.updated, now < updated {
            let behind = ageText(updated.length(since: now))
            return Examined(
                .bad,
                "clock",
                "is \(behind) behind the last run",
                next: "set the clock, and keep it right: timedatectl set-ntp true"
            )
        }
        guard ClockDiscipline.isSynchronized else {
            return Examined(.doubtful, "clock", "is not kept right by a time server", next: "timedatectl set-ntp true")
        }
        return Examined(.good, "clock", "is kept right by a time server")
    }

    private func zone() -> Examined {
        guard let name = environment.lab.timeZone else { return Examined(.good, "time zone", "that of the machine") }
        return Examined(.good, "time zone", name)
    }

    private func state() -> Examined {
        let object = "state (\(environment.stateFolder))"
        do throws(Errno) {
            let directory = try Directory.createAll(ByteString(environment.stateFolder))
            let entropy = environment.repository.entropy
            try writeDurably([], to: "probe", in: directory, ifExists: .replace, entropy: entropy)
            try directory.remove("probe")
            if let trouble = StateFolder.trouble(in: environment.stateFolder) {
                return Examined(.bad, object, trouble, next: "make room there, or mount it so that it can be written")
            }
            return Examined(.good, object, "can be written")
        } catch {
            return Examined(.bad, object, "cannot be written: \(error)", next: error.remedy)
        }
    }

    private func journal() -> [Examined] {
        guard let why = environment.journalRefusal else { return [] }
        return [Examined(.doubtful, "journal", "\(why): \(JournalRefusal.state)", next: JournalRefusal.next)]
    }

    /// The recovery kit, by what is remembered of it.
    private func kit() async -> [Examined] {
        guard let ledger = LedgerFile.read(environment.stateFolder) else { return [] }
        let concerns = await environment.kitConcerns(ledger, opened: [:])
        guard let kit = ledger.kit, concerns.isEmpty else {
            return concerns.map { concern in
                let reminder = KitReminder(concern, serial: ledger.kit?.serial)
                let verdict: Examined.Verdict = reminder.severity == .wrong ? .bad : .doubtful
                return Examined(verdict, reminder.object, reminder.what, next: reminder.next)
            }
        }
        return [Examined(.good, "kit \(kit.serial)", "is whole, and opened every repository")]
    }

    /// Commands before and after backups have to be there.
    private func programs() -> [Examined] {
        environment.lab.workloads.flatMap { workload in
            [workload.before, workload.after].compactMap(\.first).compactMap { program in
                guard program.hasPrefix("/") else { return nil }
                let isThere = (try? status(at: ByteString(program), followLinks: true)) != nil
                return isThere
                    ? Examined(.good, program, "is there, for \(workload.name)")
                    : Examined(
                        .bad,
                        program,
                        "is not there; \(workload.name) calls it",
                        next: "install it, or correct before and after in holdfast.yaml"
                    )
            }
        }
    }

    /// What verifies the vault and the channels has to be there, too.
    private func certificates() -> [Examined] {
        CertificateFiles(environment.lab).all.map { file in
            let object = "\(file.key) (\(file.path))"
            guard let trouble = file.trouble else { return Examined(.good, object, "can be read") }
            return Examined(.bad, object, trouble, next: file.next)
        }
    }

    // MARK: media and repositories

    /// What lies behind a network shows itself when its repositories are opened.
    private func medium(_ medium: Medium) -> [Examined] {
        guard let path = medium.folder else { return [] }
        let object = "\(medium.name) (\(path))"
        do {
            try environment.check(medium).requireWritable()
        } catch let failure as ProtectionFailure {
            return [Examined(.bad, object, failure.what, next: failure.next)]
        } catch {
            return [Examined(.bad, object, "\(error)")]
        }
        var found: [Examined] = []
        let sources = DiskSources()
        let disks = try? sources.disks(below: ByteString(path))
        let names = disks?.disks.map(\.id).joined(separator: " + ") ?? ""
        found.append(Examined(.good, object, names.isEmpty ? "is there" : "is there, on \(names)"))
        if let space = (try? sources.identity(of: ByteString(path)))?.space {
            let text = "\(amount(space.freeBytes)) of \(amount(space.totalBytes)) free"
            let isTight = space.freeBytes < space.totalBytes / Self.freeShare || space.isOutOfInodes
            found.append(
                isTight
                    ? Examined(
                        .doubtful,
                        object,
                        text,
                        next: "keep fewer snapshots, run `holdfast restic prune`, or take a larger disk"
                    )
                    : Examined(.good, object, text)
            )
        }
        if medium.kind == .removable, medium.identity == nil {
            found.append(
                Examined(
                    .doubtful,
                    object,
                    "has no identity: another disk in its place is not noticed",
                    next: "write its UUID into holdfast.yaml: `holdfast status` shows it"
                )
            )
        }
        return found
    }

    /// What keys can do in buckets, on the first repository of each.
    private func rights() async throws -> [Examined] {
        var found: [Examined] = []
        for medium in environment.lab.media {
            guard case .s3 = medium.location,
                let store = environment.stores.first(where: { $0.medium.name == medium.name })
            else { continue }
            let words = BucketRights(medium: medium)
            do {
                if let rights = try await store.rights(of: medium.credentials) { found.append(words.ofRuns(rights)) }
                if let rights = try await store.rights(of: medium.readOnly) { found.append(words.ofKit(rights)) }
            } catch {
                let failure = try reportable(error, operation: "try the rights on", object: medium.name)
                found.append(Examined(.bad, "\(medium.name), its keys", failure.what, next: failure.next))
            }
            if medium.pruning != nil {
                let what = "is not looked at: `holdfast media prune \(medium.name)` alone reads it"
                found.append(Examined(.good, "\(medium.name), the key that prunes", what))
            }
        }
        return found
    }

    private func repository(_ store: LabStore) async throws -> [Examined] {
        let object = "\(store.name) (\(store.path))"
        do {
            let repository = try await store.open(.proof)
            let view = try await StoreView(repository, lab: environment.lab)
            if let earlier = view.earlier {
                let failure = store.stale(earlier)
                return [Examined(.bad, object, failure.what, next: failure.next)]
            }
            let count = try await repository.listSnapshots().count
            return [Examined(.good, object, "opens with \(store.declaration.password.text), \(count) snapshots")]
        } catch {
            let failure = try reportable(error, operation: "open", object: store.name)
            return [Examined(.bad, object, failure.what, next: failure.next)]
        }
    }
}
