import Bytes
import HostSystem
import Strategy

/// The commented `holdfast.yaml` of an `init`: what was found, what was decided, and what was not.
struct InitDeclaration {
    let findings: InitFindings
    let answers: InitAnswers
    /// UUID of the file system that holds the second medium, and whether its disk can be unplugged.
    let second: (identity: String?, isRemovable: Bool)

    /// Nil: the usual one.
    var state: String?

    private func quoted(_ text: String) -> String { DeclarationTemplate.quoted(text) }

    /// The whole file.
    var text: String {
        var lines = [
            "# Written by `holdfast init`; from now on it is yours. `holdfast config check` says what is wrong with it.",
            "# Keys: docs/manual/holdfast-yaml.md. Passwords never stand here, only where they are found.",
            "lab: \(quoted(answers.labName))",
        ]
        if let state { lines.append("state: \(quoted(state))") }
        lines.append("")
        lines += media + repositories + roles + protect + undecided + exclude
        return lines.joined(separator: "\n") + "\n"
    }

    private var media: [String] {
        var lines = [
            "# Where copies live. A copy on the disk of its source adds no medium: `holdfast status` says so.",
            "media:",
        ]
        lines.append("  os-disk: { kind: internal, path: \(quoted(answers.internalPath)) }")
        if let path = answers.secondPath {
            let kind = second.isRemovable ? "removable" : "internal"
            let identity = second.identity.map { ", identity: \(quoted($0))" } ?? ""
            lines.append(
                "  # Another file system in its place is refused, and nothing is written into an empty mount point."
            )
            lines.append("  second-disk: { kind: \(kind), path: \(quoted(path))\(identity) }")
        } else {
            let found =
                findings.diskProblem.map { "disks could not be looked at (\($0))" } ?? "no second disk was found"
            lines.append("  # undecided: \(found). With the disk of this machine the only copy dies.")
        }
        for disk in findings.disks where answers.secondPath?.hasPrefix(disk.mount.point.display) != true {
            lines.append("  # found, not used: \(describe(disk))")
        }
        lines.append("  # undecided: no copy leaves the house yet.")
        return lines + [""]
    }

    private var repositories: [String] {
        var lines = [
            "# Repositories in restic's format, one on each medium; stock restic reads them.", "repositories:",
        ]
        lines.append("  host-os: { medium: os-disk, password: \"file:secrets/host-os.password\" }")
        if answers.secondPath != nil {
            lines.append("  host-second: { medium: second-disk, password: \"file:secrets/host-second.password\" }")
        }
        for path in findings.repositories { lines.append("  # found, not used: a restic repository in \(path)") }
        return lines + [""]
    }

    private var names: String { answers.secondPath == nil ? "[host-os]" : "[host-os, host-second]" }

    private var roles: [String] {
        [
            "# A class of workloads: what is promised, when it runs, what stays.", "roles:", "  production:",
            "    objective: { rpo: last-scheduled, rto: 4h }",
            "    backup: { schedule: \(quoted(answers.schedule)), keep: { daily: 7, weekly: 4, monthly: 6 } }",
            "    verify: { every: 30d }", "",
        ]
    }

    private var protect: [String] {
        var lines = ["protect:", "  - name: host", "    host:", "      paths:"]
        lines += answers.folders.map { "        - \(quoted($0))" }
        lines += [
            "      exclude: [\"*.cache\"]", "      exclude-caches: true", "    to: \(names)", "    role: production",
        ]
        return lines
    }

    /// What was found, lives while it is read, and has no command yet that dumps or stops it.
    var undecidedItems: [FoundItem] {
        findings.undecided.filter { !isChosen($0) || ($0.kind != .folder && $0.kind != .home) }
    }

    /// It lies in a folder that was chosen.
    private func isChosen(_ item: FoundItem) -> Bool {
        answers.folders.contains { item.path == $0 || item.path.hasPrefix($0 + "/") }
    }

    /// What lives while it is read, with the entry that would protect it, to be uncommented.
    private var undecided: [String] {
        guard !undecidedItems.isEmpty else { return [""] }
        var lines: [String] = []
        if !findings.engines.isEmpty {
            lines.append("  # container engine: \(findings.engines.joined(separator: ", "))")
        }
        let inside = undecidedItems.filter(isChosen)
        if !inside.isEmpty {
            lines.append(
                "  # undecided: these lie in the paths above and change while they are read: such a copy is as after a crash. Give each an entry of its own,"
            )
            lines.append("  # with a command that dumps or stops it, and add its path to the exclude above.")
            lines += inside.flatMap(listed)
        }
        let outside = undecidedItems.filter { !isChosen($0) }
        if !outside.isEmpty {
            lines.append(
                "  # undecided: these change while they are read. Protect each with a command that dumps or stops it, or exclude it below."
            )
            lines += outside.flatMap(listed)
        }
        return lines + [""]
    }

    private func listed(_ item: FoundItem) -> [String] {
        let projects = findings.undecided.filter { $0.kind == .composeProject }.map(\.path)
        let proposal = InitProposal(item, projects: projects, targets: names)
        return ["  # \(item.path): \(item.what)"] + proposal.lines.map { "  #   \($0)" }
    }

    private var exclude: [String] {
        [
            "# What was found and needs no protection, with the reason that `holdfast coverage` shows.",
            "# exclude:", "#   - { paths: [/srv/scratch], because: \"made again by the builds\" }",
        ]
    }
}
