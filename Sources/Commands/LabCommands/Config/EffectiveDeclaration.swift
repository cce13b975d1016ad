import Bytes
import Strategy

/// A declaration as it counts, written as one file: read again, it means the same.
struct EffectiveDeclaration {
    let lab: Lab

    /// The file, without a newline at its end.
    var text: String {
        var lines = ["lab: \(quoted(lab.name))"]
        if let zone = lab.timeZone { lines.append("time-zone: \(quoted(zone))") }
        if let state = lab.state { lines.append("state: \(quoted(state))") }
        lines += self.lines(of: lab.budget) + ["", "media:"]
        for medium in lab.media {
            lines.append("  \(medium.name): { kind: \(medium.kind.rawValue), \(text(of: medium)) }")
        }
        lines += ["", "repositories:"]
        for repository in lab.repositories {
            let password = quoted(repository.password.text)
            let budget = text(of: repository.budget)
            lines.append("  \(repository.name): { medium: \(repository.medium), password: \(password)\(budget) }")
        }
        if let vault = lab.vault { lines += [""] + self.lines(of: vault) }
        lines += self.lines(of: lab.kit) + roles + ["", "protect:"]
        for workload in lab.workloads { lines += self.lines(of: workload) }
        lines += list("exclude", lab.exclusions) { "paths: [\(flow($0.paths))], because: \(quoted($0.because))" }
        lines += list("retired", lab.retired) { "name: \(quoted($0.name)), because: \(quoted($0.because))" }
        return lines.joined(separator: "\n")
    }

    private func text(of medium: Medium) -> String {
        var parts: [String] = []
        switch medium.location {
        case .folder(let path): parts.append("path: \(quoted(path))")
        case .s3(let bucket):
            let keys: [(String, String?)] = [
                ("endpoint", quoted(bucket.endpoint)), ("bucket", quoted(bucket.bucket)),
                ("prefix", bucket.prefix.isEmpty ? nil : quoted(bucket.prefix)), ("region", bucket.region.map(quoted)),
                ("storage-class", bucket.storageClass.isEmpty ? nil : quoted(bucket.storageClass)),
                ("bucket-lookup", bucket.lookup == .auto ? nil : bucket.lookup.rawValue),
                ("lock", bucket.lock.map(lengthText)),
                ("lock-mode", bucket.lockMode == .compliance ? nil : bucket.lockMode.rawValue),
                ("connections", bucket.connections.map { "\($0)" }), ("certificates", bucket.certificates.map(quoted)),
                ("prices", bucket.prices.map(text)), ("budget", text(of: bucket.budget)),
            ]
            parts.append("s3: { \(flow(keys)) }")
        case .rest(let server):
            let keys: [(String, String?)] = [
                ("url", quoted(server.url)), ("append-only", server.isAppendOnly ? "true" : nil),
                ("connections", server.connections.map { "\($0)" }),
                ("certificates", server.certificates.map(quoted)),
            ]
            parts.append("rest: { \(flow(keys)) }")
        case .sftp(let folder):
            let keys: [(String, String?)] = [
                ("host", quoted(folder.host)), ("path", quoted(folder.path)), ("user", folder.user.map(quoted)),
                ("port", folder.port.map { "\($0)" }), ("key", folder.key.map(quoted)),
                ("connections", folder.connections.map { "\($0)" }),
            ]
            parts.append("sftp: { \(flow(keys)) }")
        }
        if let credentials = medium.credentials { parts.append("credentials: \(quoted(credentials.text))") }
        if let readOnly = medium.readOnly { parts.append("read-only: \(quoted(readOnly.text))") }
        if let pruning = medium.pruning { parts.append("pruning: \(quoted(pruning.text))") }
        if let identity = medium.identity { parts.append("identity: \(quoted(identity))") }
        if medium.isMountedForRuns { parts.append("mount: true") }
        return parts.joined(separator: ", ")
    }

    private func text(of prices: BucketPrices) -> String {
        let none = Money(billionths: 0)
        func amount(_ money: Money) -> String? { money == none ? nil : money.text }
        let keys: [(String, String?)] = [
            ("currency", quoted(prices.currency)), ("storage", prices.storage.text), ("writes", amount(prices.writes)),
            ("reads", amount(prices.reads)), ("egress", amount(prices.egress)),
            ("free-egress", prices.freeEgress > 0 ? quoted(sizeText(prices.freeEgress)) : nil),
            ("free-egress-times", prices.freeEgressTimes > 0 ? "\(prices.freeEgressTimes)" : nil),
        ]
        return "{ \(flow(keys)) }"
    }

    private func text(of budget: BucketBudget) -> String? {
        guard budget != BucketBudget() else { return nil }
        return "{ \(flow([("cost", budget.cost?.text), ("egress", budget.egress.map { quoted(sizeText($0)) })])) }"
    }

    private func flow(_ keys: [(String, String?)]) -> String {
        keys.compactMap { key, text in text.map { "\(key): \($0)" } }.joined(separator: ", ")
    }

    private func lines(of budget: ProcessBudget) -> [String] {
        var parts = budget.threads.map { ["threads: \($0)"] } ?? []
        if let nice = budget.nice { parts.append("nice: \(nice)") }
        if budget.diskUse != .normal { parts.append("io: \(budget.diskUse.rawValue)") }
        return parts.isEmpty ? [] : ["budget: { \(parts.joined(separator: ", ")) }"]
    }

    private func text(of budget: TransferBudget) -> String {
        let rates = [("upload", budget.upload), ("download", budget.download)]
        let parts = rates.compactMap { way, rate in rate.map { "\(way): \(quoted($0.text))" } }
        return parts.isEmpty ? "" : ", budget: { \(parts.joined(separator: ", ")) }"
    }

    private func lines(of vault: VaultDeclaration) -> [String] {
        let keys: [(String, String?)] = [
            ("address", vault.address), ("email", vault.email), ("password", vault.password?.text),
            ("client-id", vault.clientID?.text), ("client-secret", vault.clientSecret?.text),
            ("certificates", vault.certificates), ("sealed-copy", vault.sealedCopy),
            ("sealed-by", vault.sealedBy?.text),
        ]
        let lines = keys.compactMap { key, text in text.map { "  \(key): \(quoted($0))" } }
        let sealed = vault.sealedCopy == nil ? [] : ["  sealed-for: \(lengthText(vault.sealedFor))"]
        return ["vault:"] + lines + sealed + (vault.data.isEmpty ? [] : ["  data: [\(flow(vault.data))]"])
    }

    private func lines(of kit: KitDeclaration) -> [String] {
        guard kit != KitDeclaration() else { return [] }
        var lines = ["", "kit:"]
        if !kit.holders.isEmpty { lines.append("  holders: [\(flow(kit.holders))]") }
        if !kit.accounts.isEmpty { lines.append("  accounts: [\(flow(kit.accounts))]") }
        if !kit.secrets.isEmpty { lines.append("  secrets:") }
        for secret in kit.secrets { lines.append("    \(secret.name): \(quoted(secret.reference.text))") }
        return lines + ["  test-every: \(lengthText(kit.testEvery))"]
    }

    /// Only their names: what they say stands with each workload.
    private var roles: [String] {
        let names = lab.roles.map(\.name)
        return names.isEmpty ? [] : ["", "roles:"] + names.map { "  \($0): {}" }
    }

    private func lines(of workload: Workload) -> [String] {
        var lines = ["  - name: \(quoted(workload.name))"]
        lines += self.lines(of: workload.host)
        lines.append("    to: [\(workload.repositories.joined(separator: ", "))]")
        if let role = workload.role { lines.append("    role: \(role)") }
        if workload.priority != Workload.usualPriority { lines.append("    priority: \(workload.priority)") }
        if !workload.before.isEmpty { lines.append("    before: [\(flow(workload.before))]") }
        if !workload.after.isEmpty { lines.append("    after: [\(flow(workload.after))]") }
        if !workload.before.isEmpty || !workload.after.isEmpty {
            lines.append("    command-deadline: \(lengthText(workload.commandDeadline))")
        }
        lines.append("    objective: { \(self.text(of: workload.objective)) }")
        lines.append("    backup:")
        if let schedule = workload.backup.schedule { lines.append("      schedule: \(quoted(schedule.text))") }
        lines.append("      grace: \(lengthText(workload.backup.grace))")
        if let keep = workload.backup.keep { lines.append("      keep: { \(self.text(of: keep)) }") }
        lines.append("    verify: { every: \(lengthText(workload.verifyEvery)) }")
        return lines
    }

    private func lines(of host: HostPaths) -> [String] {
        var lines = ["    host:", "      paths: [\(flow(host.paths))]"]
        if !host.exclude.isEmpty { lines.append("      exclude: [\(flow(host.exclude))]") }
        if let size = host.excludeLargerThan { lines.append("      exclude-larger-than: \(size) B") }
        if host.excludesCaches { lines.append("      exclude-caches: true") }
        if host.isOneFileSystem { lines.append("      one-file-system: true") }
        return lines
    }

    private func text(of objective: Objective) -> String {
        let rpo =
            switch objective.rpo {
            case .lastScheduled: "last-scheduled"
            case .atMost(let age): lengthText(age)
            }
        return "rpo: \(rpo)" + (objective.rto.map { ", rto: \(lengthText($0))" } ?? "")
    }

    private func text(of keep: KeepPolicy) -> String {
        var parts: [String] = []
        for period in KeepPolicy.Period.allCases {
            switch keep.counts[period] {
            case .atMost(let count): parts.append("\(period.rawValue): \(count)")
            case .unlimited: parts.append("\(period.rawValue): all")
            case nil: break
            }
            if let span = keep.withinPeriods[period] { parts.append("within-\(period.rawValue): \(span.text)") }
        }
        if keep.within != .zero { parts.append("within: \(keep.within.text)") }
        let tags = keep.tags.flatMap { $0 }.map(\.display)
        if !tags.isEmpty { parts.append("tags: [\(flow(tags))]") }
        return parts.joined(separator: ", ")
    }

    private func list<Item>(_ key: String, _ items: [Item], _ text: (Item) -> String) -> [String] {
        items.isEmpty ? [] : ["", "\(key):"] + items.map { "  - { \(text($0)) }" }
    }

    private func flow(_ texts: [String]) -> String { texts.map(quoted).joined(separator: ", ") }

    private func quoted(_ text: String) -> String { DeclarationTemplate.quoted(text) }
}
