import ArgumentParser
import Bytes
import Console
import HostSystem
import Journal
import Outcome
import Protection
import ResticRepository
import SecretStore
import Strategy
import Synchronization

/// What every verb that works with a declaration takes from the command line.
struct LabOptions: ParsableArguments {
    @OptionGroup var declaration: DeclarationOptions

    @Flag(help: "One JSON object per line instead of text.")
    var json = false

    @Flag(name: .shortAndLong, help: "Only the result.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "More of what happens.")
    var verbose = false

    func printer(on screen: Screen) -> Printer {
        Printer(screen: screen, verbosity: quiet ? .quiet : verbose ? .verbose : .normal, isJSON: json)
    }
}

/// A verb's view of the lab: the declaration, and all that its flows need.
struct LabSession {
    private(set) var environment: ProtectionEnvironment
    let place: DeclarationPlace
    let printer: Printer

    /// With `ask` a person is there, and the vault is asked in any case.
    init(_ options: LabOptions, screen: Screen, ask: VaultSecrets.Question? = nil) throws {
        try self.init(options.declaration.place(), printer: options.printer(on: screen), machine: .current(), ask: ask)
    }

    init(
        _ place: DeclarationPlace,
        printer: Printer,
        machine: LabEnvironment,
        ask: VaultSecrets.Question? = nil
    ) throws {
        let reading = try place.readWithFiles()
        let told = ToldOnce()
        let warn: @Sendable (String) -> Void = { text in
            // Each once: some are met at every step.
            guard told.isFirst(text) else { return }
            printer.error(Text("warning: \(text)"))
        }
        let zones = MachineZones(reading.lab, warn: warn)
        var environment = ProtectionEnvironment(
            repository: machine.repository,
            lab: reading.lab,
            secrets: try LabSecrets(reading.lab, ask: ask, report: { warn("\($0.object): \($0.what); \($0.next)") }),
            stateFolder: try reading.lab.state ?? defaultStateFolder(of: reading.lab),
            declarationFiles: reading.files,
            programVersion: "holdfast \(holdfastVersion)",
            zone: { zones.rules(for: $0) },
            warn: warn
        )
        environment.keyCost = machine.keyCost
        self.environment = environment
        self.place = place
        self.printer = printer
    }

    var lab: Lab { environment.lab }

    /// Shows what a run does.
    var reporter: RunReporter { RunReporter(printer: printer, time: environment.repository.time) }

    /// The same with the journal open; for verbs that change something.
    func recording() async -> LabSession {
        var copy = self
        copy.environment.journal = await openJournal()
        return copy
    }

    /// The same for a look: with the journal where the look mounts any of these media, so that a mount is never nobody's.
    func recordingMounts(of media: some Sequence<String>) async -> LabSession {
        environment.mountsAny(of: media) ? await recording() : self
    }

    /// The journal in the state folder, which is made where it is missing; nil where no thread can be had for it.
    func openJournal() async -> RunJournal? {
        let pool: WorkerPool
        do throws(Errno) { pool = try WorkerPool(width: 1, name: "journal") } catch {
            environment.warn("this run is not in the journal, since no thread can be had for it: \(error)")
            return nil
        }
        return await RunJournal.open(
            folder: environment.stateFolder,
            on: pool,
            host: environment.repository.hostName.display,
            time: environment.repository.time,
            entropy: environment.repository.entropy,
            warn: environment.warn
        )
    }

    /// The same within the lab's budget of this machine, which counts for the whole process; for verbs that run.
    ///
    /// A budget that cannot be kept is told, and the work goes on.
    func withinBudget() -> LabSession {
        var copy = self
        do throws(Errno) {
            if let threads = lab.budget.threads { copy.environment.repository.pool = try WorkerPool(width: threads) }
        } catch {
            environment.warn("budget.threads cannot be kept: \(error); \(error.remedy)")
        }
        do throws(Errno) {
            let nice = lab.budget.nice.map { Int32($0) }
            try ProcessPriority(nice: nice, isIdleOnDisks: lab.budget.diskUse == .idle).apply()
        } catch {
            environment.warn("budget.nice and budget.io cannot be kept: \(error); \(error.remedy)")
        }
        return copy
    }

    /// Runs `body` on the pool, where calls may block.
    func onPool<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        try await LabCommands.onPool(environment.repository.pool, body)
    }
}

/// Runs `body` on a pool, where calls may block.
func onPool<Result: Sendable>(
    _ pool: WorkerPool,
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask(executorPreference: pool) { try await body() }
        guard let result = try await group.next() else { throw CancellationError() }
        return result
    }
}

/// Where a lab's state lies unless the declaration says: of the machine for the superuser, else of the user.
///
/// Errors: `E-FOLDER` where nothing says which; a folder that everybody can write to is no place for it.
func defaultStateFolder(of lab: Lab) throws -> String {
    if isSuperuser { return "/var/lib/holdfast/state/\(lab.name)" }
    if let base = environmentText("XDG_STATE_HOME"), base.hasPrefix("/") { return "\(base)/holdfast/\(lab.name)" }
    if let home = environmentText("HOME"), home.hasPrefix("/") { return "\(home)/.local/state/holdfast/\(lab.name)" }
    throw LabFailure(
        .folder,
        operation: "find",
        object: "the state folder of \(lab.name)",
        what: "is nowhere: neither HOME nor XDG_STATE_HOME is set",
        state: "nothing was changed",
        next: "set HOME, or name the folder in the declaration, as in state: /var/lib/holdfast"
    )
}

/// Remembers what was said, at most a thousand texts.
private final class ToldOnce: Sendable {
    private static let most = 1000
    private let texts = Mutex<Set<String>>([])

    func isFirst(_ text: String) -> Bool {
        texts.withLock { $0.count < Self.most && $0.insert(text).inserted }
    }
}
