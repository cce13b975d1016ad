import Bytes

/// Makes the value of a declaration that fits the schema, and finds what its parts cannot mean together.
struct LabBuilder {
    let root: DeclaredTable
    private(set) var problems: [StrategyProblem] = []
    private var warnings: [StrategyProblem] = []

    init(root: DeclaredTable) { self.root = root }

    mutating func lab() -> Lab {
        var mediumBuilder = MediumBuilder()
        let media = names("media").map { mediumBuilder.medium($0) }
        let repositories = names("repositories").map(repository)
        var vaultBuilder = VaultBuilder(root: root)
        var channelBuilder = ChannelBuilder()
        var lab = Lab(
            name: root["lab"]?.text ?? "",
            timeZone: root["time-zone"]?.text,
            state: root["state"]?.text,
            budget: processBudget(root["budget"]?.table),
            media: media,
            repositories: repositories,
            vault: vaultBuilder.vault(),
            kit: KitDeclaration(root["kit"]?.table),
            roles: names("roles").map { Role(name: $0.key, place: $0.place) },
            workloads: [],
            exclusions: (root["exclude"]?.items ?? []).map { exclusion($0.table) },
            retired: (root["retired"]?.items ?? []).map { retired($0.table) },
            channels: channelBuilder.channels(root["notify"]?.items ?? []),
            health: root["serve"]?.table["health"].flatMap { try? LoopbackAddress(reading: $0.text) }
        )
        if !isName(lab.name) { report(root.place(of: "lab"), "lab", "is not a name", nameAdvice) }
        checkPaths(of: media)
        checkMounts(of: media)
        checkKeeping()
        for item in root["protect"]?.items ?? [] { lab.workloads.append(workload(item.table)) }
        checkNames(of: lab)
        for workload in lab.workloads {
            checkSource(of: workload, in: lab)
            checkCopies(of: workload, in: lab)
        }
        checkPasswordFiles(of: lab)
        vaultBuilder.check(lab)
        var lockCheck = LockCheck(root: root)
        lockCheck.check(lab)
        problems += mediumBuilder.problems + lockCheck.problems + vaultBuilder.problems + channelBuilder.problems
        warnings += mediumBuilder.warnings + lockCheck.warnings + vaultBuilder.warnings + channelBuilder.warnings
        lab.warnings = warnings.sorted { $0.place < $1.place }
        return lab
    }

    private func names(_ key: String) -> [DeclaredTable.Entry] { root[key]?.table.entries ?? [] }

    // MARK: parts

    private func repository(_ entry: DeclaredTable.Entry) -> RepositoryDeclaration {
        let table = entry.value.table
        guard case .secret(let password)? = table["password"]?.scalar else {
            preconditionFailure("the schema requires a password")
        }
        return RepositoryDeclaration(
            name: entry.key,
            medium: table["medium"]?.text ?? "",
            password: password,
            budget: transferBudget(table["budget"]?.table),
            place: entry.place,
            passwordPlace: table["password"]?.place ?? entry.place
        )
    }

    private func processBudget(_ table: DeclaredTable?) -> ProcessBudget {
        var budget = ProcessBudget()
        if case .count(let count)? = table?["threads"]?.scalar { budget.threads = Int(count) }
        if case .count(let count)? = table?["nice"]?.scalar { budget.nice = Int(count) }
        if let word = table?["io"]?.text { budget.diskUse = ProcessBudget.DiskUse(rawValue: word) ?? .normal }
        return budget
    }

    private func transferBudget(_ table: DeclaredTable?) -> TransferBudget {
        var budget = TransferBudget()
        if case .rate(let rate)? = table?["upload"]?.scalar { budget.upload = rate }
        if case .rate(let rate)? = table?["download"]?.scalar { budget.download = rate }
        return budget
    }

    private func exclusion(_ table: DeclaredTable) -> Exclusion {
        Exclusion(paths: table["paths"]?.texts ?? [], because: table["because"]?.text ?? "", place: table.place)
    }

    private func retired(_ table: DeclaredTable) -> RetiredWorkload {
        RetiredWorkload(name: table["name"]?.text ?? "", because: table["because"]?.text ?? "", place: table.place)
    }

    private mutating func workload(_ table: DeclaredTable) -> Workload {
        let role = table["role"]?.text
        let roleTable = role.flatMap { root["roles"]?.table[$0]?.table }
        let policy = PolicyTables(own: table, role: roleTable, defaults: root["defaults"]?.table)
        let repositories = table["to"]?.texts ?? []
        checkOnce(repositories, key: "protect.to", place: table.place(of: "to"))
        let deadline: Duration =
            if case .duration(let length)? = table["command-deadline"]?.scalar { length } else { .seconds(3600) }
        var priority = Workload.usualPriority
        if case .count(let number)? = table["priority"]?.scalar { priority = Int(number) }
        return Workload(
            name: table["name"]?.text ?? "host",
            source: .host(host(table["host"]?.table)),
            repositories: repositories,
            role: role,
            priority: priority,
            objective: objective(policy),
            backup: backup(policy),
            verifyEvery: policy.duration("verify", "every") ?? .seconds(30 * 86_400),
            before: command("before", table),
            after: command("after", table),
            commandDeadline: deadline,
            place: table.place
        )
    }

    /// No shell reads it: one text with blanks would be a program of that name.
    private mutating func command(_ key: String, _ table: DeclaredTable) -> [String] {
        let words = table[key]?.texts ?? []
        if words.count == 1, words[0].contains(" ") {
            let list = words[0].split(separator: " ").joined(separator: ", ")
            report(
                table.place(of: key),
                "protect.\(key)",
                "is one word with blanks",
                "write it as a list of words: [\(list)]"
            )
        }
        return words
    }

    private func host(_ table: DeclaredTable?) -> HostPaths {
        guard let table else { preconditionFailure("the schema requires a source") }
        var host = HostPaths(paths: table["paths"]?.texts ?? [])
        host.exclude = table["exclude"]?.texts ?? []
        if case .size(let size)? = table["exclude-larger-than"]?.scalar { host.excludeLargerThan = size }
        host.excludesCaches = table["exclude-caches"]?.scalar == .flag(true)
        host.isOneFileSystem = table["one-file-system"]?.scalar == .flag(true)
        return host
    }

    private func objective(_ policy: PolicyTables) -> Objective {
        let rpo = policy.duration("objective", "rpo").map { Objective.RPO.atMost($0) }
        return Objective(rpo: rpo ?? .lastScheduled, rto: policy.duration("objective", "rto"))
    }

    private func backup(_ policy: PolicyTables) -> BackupPolicy {
        var backup = BackupPolicy(
            schedule: nil,
            grace: policy.duration("backup", "grace") ?? .seconds(6 * 3600),
            keep: nil
        )
        if case .schedule(let schedule)? = policy.value("backup", "schedule")?.scalar { backup.schedule = schedule }
        if let table = policy.value("backup", "keep")?.table { backup.keep = keep(table) }
        return backup
    }

    private func keep(_ table: DeclaredTable) -> KeepPolicy {
        var policy = KeepPolicy()
        for period in KeepPolicy.Period.allCases {
            switch table[period.rawValue]?.scalar {
            case .text: policy.counts[period] = .unlimited
            case .count(let count) where count > 0: policy.counts[period] = .atMost(count)
            default: break
            }
            if case .span(let span)? = table["within-\(period.rawValue)"]?.scalar {
                policy.withinPeriods[period] = span
            }
        }
        if case .span(let span)? = table["within"]?.scalar { policy.within = span }
        policy.tags = (table["tags"]?.texts ?? []).map { [ByteString($0)] }
        return policy
    }

    // MARK: what must hold between the parts

    /// Two media in one folder, or one inside the other, would be one medium that is counted twice.
    private mutating func checkPaths(of media: [Medium]) {
        for (index, medium) in media.enumerated() {
            let here = medium.text
            let clash = media[..<index].first { other in
                let there = other.text
                return there == here || there.hasPrefix(here + "/") || here.hasPrefix(there + "/")
            }
            guard let clash else { continue }
            report(
                medium.place,
                medium.isRemote ? "media.\(medium.name)" : "media.\(medium.name).path",
                "shares its \(medium.isRemote ? "place" : "folder") with medium \"\(clash.name)\"",
                "give each medium a \(medium.isRemote ? "place" : "folder") of its own"
            )
        }
    }

    /// What mounts a disk unseen has to know it.
    private mutating func checkMounts(of media: [Medium]) {
        for medium in media where medium.isMountedForRuns && medium.identity == nil && !medium.isRemote {
            let what = "is mounted by runs, and another disk in its place would not be noticed"
            warn(medium.place, "media.\(medium.name)", what, "add its identity: findmnt -n -o UUID -T \(medium.text)")
        }
    }

    /// Rules that keep nothing would remove every snapshot (P-01).
    private mutating func checkKeeping() {
        var places = names("roles").map { ("roles.\($0.key)", $0.value.table) }
        if let defaults = root["defaults"]?.table { places.append(("defaults", defaults)) }
        places += (root["protect"]?.items ?? []).map { ("protect", $0.table) }
        for (key, policy) in places {
            guard let table = policy["backup"]?.table["keep"]?.table else { continue }
            let rules = keep(table)
            guard rules.counts.isEmpty, rules.within == .zero, rules.withinPeriods.isEmpty else { continue }
            report(
                table.place,
                "\(key).backup.keep",
                rules.tags.isEmpty ? "keeps nothing" : "keeps nothing but what is tagged",
                "give at least one count, such as daily: 7, or leave keep out to keep all"
            )
        }
    }

    /// Who takes a disk away takes the key that lies on it.
    private mutating func checkPasswordFiles(of lab: Lab) {
        for repository in lab.repositories {
            guard case .file(let path) = repository.password,
                let medium = lab.media.first(where: { medium in medium.folder.map { path.hasPrefix($0 + "/") } ?? false
                })
            else { continue }
            warn(
                repository.place,
                "repositories.\(repository.name).password",
                "lies on the medium \"\(medium.name)\" in the clear: who has the disk has the key",
                "keep it outside of every medium"
            )
        }
    }

    private mutating func checkOnce(_ names: [String], key: String, place: Place) {
        for (index, name) in names.enumerated() where names[..<index].contains(name) {
            report(place, key, "names \"\(name)\" twice", "keep one of them")
        }
    }

    private mutating func checkNames(of lab: Lab) {
        for (index, workload) in lab.workloads.enumerated() {
            if !isName(workload.name) { report(workload.place, "protect.name", "is not a name", nameAdvice) }
            guard let twin = lab.workloads[..<index].first(where: { $0.name == workload.name }) else { continue }
            report(
                workload.place,
                "protect",
                "is called \"\(workload.name)\", as is the workload at \(twin.place.text)",
                "give each a name of its own: name: NAME"
            )
        }
        for (index, retired) in lab.retired.enumerated() {
            if let twin = lab.retired[..<index].first(where: { $0.name == retired.name }) {
                report(
                    retired.place,
                    "retired",
                    "\"\(retired.name)\" is retired already (\(twin.place.text))",
                    "remove one of them"
                )
            }
            guard let alive = lab.workloads.first(where: { $0.name == retired.name }) else { continue }
            report(
                retired.place,
                "retired",
                "\"\(retired.name)\" is retired and protected at once (\(alive.place.text))",
                "remove one of them"
            )
        }
    }

    /// What is ours stays out of every backup: a path inside of it would be a copy of nothing.
    private mutating func checkSource(of workload: Workload, in lab: Lab) {
        var own = lab.repositories.compactMap { repository in
            lab.path(of: repository).map { (path: $0, what: "the repository \"\(repository.name)\"") }
        }
        if let state = lab.state { own.append((state, "the state folder")) }
        for path in workload.host.paths {
            guard let folder = own.first(where: { path == $0.path || path.hasPrefix($0.path + "/") }) else { continue }
            report(
                workload.place,
                "protect.host.paths",
                "\(path) \(path == folder.path ? "is" : "lies in") \(folder.what), which stays out of every backup",
                "protect another folder, or give \(folder.what) one of its own"
            )
        }
    }

    private mutating func checkCopies(of workload: Workload, in lab: Lab) {
        var seen: [String: String] = [:]
        for name in workload.repositories {
            guard let medium = lab.repository(named: name)?.medium else { continue }
            if let other = seen[medium] {
                let what = "\"\(other)\" and \"\(name)\" lie on one medium, \"\(medium)\": they count as one copy"
                warn(workload.place, "protect.to", what, "send one of them to another medium")
            } else {
                seen[medium] = name
            }
        }
        if workload.backup.schedule == nil {
            let what = "\"\(workload.name)\" has no schedule: it is backed up only by hand"
            warn(workload.place, "protect", what, "give it a role with backup.schedule, or its own")
        }
    }

    private mutating func report(_ place: Place, _ key: String, _ what: String, _ next: String) {
        problems.append(StrategyProblem(place, key: key, what: what, next: next))
    }

    private mutating func warn(_ place: Place, _ key: String, _ what: String, _ next: String) {
        warnings.append(StrategyProblem(place, key: key, what: what, next: next))
    }
}

private let nameAdvice = "use up to 64 letters, digits, - _ . and start with a letter or digit"

/// Where the policy of a workload comes from: its own entry, its role, the defaults, in this order.
private struct PolicyTables {
    var own: DeclaredTable
    var role: DeclaredTable?
    var defaults: DeclaredTable?

    func value(_ part: String, _ key: String) -> DeclaredValue? {
        [own, role, defaults].lazy.compactMap { $0?[part]?.table[key] }.first
    }

    /// Nil also where a word stands instead.
    func duration(_ part: String, _ key: String) -> Duration? {
        if case .duration(let duration)? = value(part, key)?.scalar { duration } else { nil }
    }
}
