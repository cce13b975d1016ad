import ArgumentParser
import Bytes
import Console
import HostSystem
import Outcome
import Protection
import Strategy

/// The verb `holdfast config`.
struct ConfigVerb: ParsableCommand, ExampledCommand {
    static let examples = ["holdfast config check", "holdfast config schema > holdfast.schema.json"]

    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Looks at holdfast.yaml: is it right, what does it mean, which keys are there.",
        subcommands: [ConfigCheckVerb.self, ConfigShowVerb.self, ConfigSchemaVerb.self]
    )
}

/// Which declaration a verb is about.
struct DeclarationOptions: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: "The declaration; else $HOLDFAST_CONFIG, ./holdfast.yaml, /etc/holdfast/holdfast.yaml."
    )
    var file: String?

    /// Finds and reads it.
    func read() throws -> Lab { try place().read() }

    func place() throws -> DeclarationPlace {
        let folder: ByteString
        do throws(Errno) { folder = try currentDirectory() } catch { throw LabFailure.folder("start in", ".", error) }
        return try DeclarationPlace(named: file, workingDirectory: String(decoding: folder.bytes, as: UTF8.self))
    }
}

/// The verb `holdfast config check`.
struct ConfigCheckVerb: ParsableCommand, LabVerb {
    static let examples = [
        "holdfast config check", "holdfast config check --config /etc/holdfast/holdfast.yaml --json",
    ]

    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Says all that is wrong with the declaration, with line, column and remedy.",
        discussion: """
            No medium is opened, no secret is read, nothing is changed. Ends in 0 when the declaration can be used, warnings included; 1 when it cannot.
            """
    )

    @OptionGroup var declaration: DeclarationOptions

    @Flag(help: "One JSON object per line.")
    var json = false

    func perform(on screen: Screen) async throws -> Int32 {
        let place = try declaration.place()
        var lab: Lab
        do {
            lab = try place.decode().lab
        } catch let refused as StrategyProblems {
            for problem in refused.problems { show(problem, isError: true, screen) }
            if !json {
                let count = counted(refused.problems.count, "problem")
                screen.errorLine(
                    Text("\(count); nothing was changed, and nothing runs with this file until they are mended")
                )
            }
            return ExitStatus.failed.rawValue
        }
        lab.warnings += promiseWarnings(lab, screen) + certificateWarnings(lab) + linkWarnings(lab)
        for warning in lab.warnings { show(warning, isError: false, screen) }
        summarize(lab, place, screen)
        return ExitStatus.success.rawValue
    }

    /// What the schedules, and the runs that this machine remembers, cannot keep.
    private func promiseWarnings(_ lab: Lab, _ screen: Screen) -> [StrategyProblem] {
        let zones = MachineZones(lab) { _ in }
        let ledger = (lab.state ?? (try? defaultStateFolder(of: lab))).flatMap { LedgerFile.read($0) }
        return lab.workloads.compactMap { workload in
            let longest = ledger?.workloads[workload.name]?.runSeconds.max() ?? 0
            let zone = workload.backup.schedule.map { zones.rules(for: $0) } ?? .utc
            let now = SystemTime().now()
            return PromiseCheck.warning(workload, longestRun: .seconds(longest), now: now, zone: zone)
        }
    }

    /// What is not on this machine; no error, since the file may be checked on another one.
    private func certificateWarnings(_ lab: Lab) -> [StrategyProblem] {
        CertificateFiles(lab).all.compactMap { file in
            file.trouble.map { StrategyProblem(file.place, key: file.key, what: "\(file.path) \($0)", next: file.next) }
        }
    }

    private func linkWarnings(_ lab: Lab) -> [StrategyProblem] {
        lab.workloads.flatMap { workload in
            workload.host.linkedPaths.map { link in
                let what = "\(link.path) \(link.what)"
                return StrategyProblem(workload.place, key: "protect.host.paths", what: what, next: link.next)
            }
        }
    }

    private func show(_ problem: StrategyProblem, isError: Bool, _ screen: Screen) {
        guard json else { return screen.errorLine(Text((isError ? "" : "warning: ") + problem.description)) }
        screen.line(JSONErrors.line(problem, isError: isError))
    }

    private func summarize(_ lab: Lab, _ place: DeclarationPlace, _ screen: Screen) {
        let counts = [
            counted(lab.workloads.count, "workload"), counted(lab.repositories.count, "repository", "repositories"),
            counted(lab.media.count, "medium", "media"),
        ]
        guard json else {
            let warned = lab.warnings.isEmpty ? "" : ", \(counted(lab.warnings.count, "warning"))"
            return screen.line(Text("\(place.name) is right: \(counts.joined(separator: ", "))\(warned)"))
        }
        var line = JSONLine(messageType: "summary")
        line.add("workloads", lab.workloads.count)
        line.add("repositories", lab.repositories.count)
        line.add("media", lab.media.count)
        line.add("warnings", lab.warnings.count)
        screen.line(line.text)
    }
}

/// The verb `holdfast config show`.
struct ConfigShowVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast config show"]

    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Prints the declaration as it counts: files joined, defaults and roles filled in.",
        discussion:
            "What is printed is a declaration itself, in one file. Secrets are shown as the references that they are."
    )

    @OptionGroup var declaration: DeclarationOptions

    func perform(on screen: Screen) async throws -> Int32 {
        screen.line(Text(EffectiveDeclaration(lab: try declaration.read()).text))
        return ExitStatus.success.rawValue
    }
}

/// The verb `holdfast config schema`.
struct ConfigSchemaVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast config schema > holdfast.schema.json"]

    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Prints the JSON Schema of holdfast.yaml, so that editors complete and check it.",
        discussion: """
            In editors with a YAML language server, write as the first line of the file:
            # yaml-language-server: $schema=holdfast.schema.json
            """
    )

    func perform(on screen: Screen) async throws -> Int32 {
        screen.line(Text(labJSONSchema().text))
        return ExitStatus.success.rawValue
    }
}

/// `1 medium`, `2 media`.
func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
    count == 1 ? "1 \(one)" : "\(count) \(many ?? one + "s")"
}
