import ArgumentParser
import Bytes
import Console
import HostSystem
import Outcome
import Protection
import ResticRepository
import Strategy

/// The verb `holdfast init`.
struct InitVerb: ParsableCommand, LabVerb {
    static let examples = [
        "holdfast init", "holdfast init --yes --config /etc/holdfast/holdfast.yaml --second /mnt/usb/holdfast",
    ]

    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract:
            "Looks at this machine, writes a commented holdfast.yaml, and creates the repositories that it names.",
        discussion: """
            Asks at most five questions; with --yes none. What it cannot decide stands in the file as undecided. A file that is there is \
            never overwritten, and neither is a repository or a password.
            """
    )

    @Option(help: "The file to write; ./holdfast.yaml unless given.")
    var config: String?

    @Flag(name: .shortAndLong, help: "Ask nothing, and take what is proposed.")
    var yes = false

    @Option(help: "Folder for copies on a disk of this machine.")
    var `internal`: String?

    @Option(help: "Folder for copies on a second disk; - for none.")
    var second: String?

    @Option(
        name: .customLong("protect"),
        help: "A folder to protect, instead of those that are proposed; may be repeated."
    )
    var folders: [String] = []

    @Option(help: "The folder in which this machine keeps what it remembers, instead of the usual one.")
    var state: String?

    func perform(on screen: Screen) async throws -> Int32 {
        let machine = try LabEnvironment.current()
        let path = absolute(config ?? DeclarationPlace.fileName, machine)
        try refuseExisting(path)
        let printer = Printer(screen: screen, verbosity: .normal, isJSON: false)
        screen.line("Looking at disks and folders")
        let named = folders.map { absolute($0, machine) }
        var findings = try await onPool(machine.repository.pool) { InitFindings(below: named) }
        var answers = InitAnswers(findings, home: environmentText("HOME"))
        if let path = `internal` { answers.internalPath = absolute(path, machine) }
        if let second { answers.secondPath = second == "-" ? nil : absolute(second, machine) }
        if !named.isEmpty { answers.folders = named }
        if !yes {
            guard Terminal.isTerminal(.standardInput) else { throw notAsked }
            try answers.ask(findings, on: screen)
            let typed = answers.folders
            if typed != named { findings = try await onPool(machine.repository.pool) { InitFindings(below: typed) } }
        }
        guard !answers.folders.isEmpty else { throw nothingFound }
        guard !answers.internalPath.isEmpty else {
            throw refusal("the first medium", "has no place: HOME is not set", "name one with --internal FOLDER")
        }
        try requireFolders(answers)
        var declaration = InitDeclaration(findings: findings, answers: answers, second: secondDisk(answers))
        declaration.state = state.map { absolute($0, machine) }
        let text = declaration.text
        let lab = try read(text, path)
        let kept = try await onPool(machine.repository.pool) { try await PasswordsInPlace(lab).files() }
        // Before the file, which is never overwritten: what is refused here can be said again.
        for folder in [answers.internalPath, answers.secondPath].compactMap({ $0 }) { _ = try StateFolder.open(folder) }
        try write(text, to: path, machine)
        screen.line(Text("Wrote \(path)"))
        for file in kept { screen.line(Text("Uses the password that is there: \(file)")) }
        let place = try DeclarationPlace(named: path, workingDirectory: machine.workingDirectory)
        let session = try LabSession(place, printer: printer, machine: machine)
        try await session.onPool {
            try await session.environment.createRepositories { store, isNew in
                session.printer.normal("\(isNew ? "Created" : "Found") \(store.name) in \(store.path)")
            }
        }
        tell(declaration, path, screen)
        return ExitStatus.success.rawValue
    }

    private func tell(_ declaration: InitDeclaration, _ path: String, _ screen: Screen) {
        let undecided = declaration.undecidedItems.count
        if undecided > 0 { screen.line(Text("\(counted(undecided, "thing")) undecided; the file names each")) }
        let option = config == nil ? "" : " --config \(path)"
        for line in [
            "Next", "  1. Read \(path), and keep a copy of the folder secrets beside it elsewhere.",
            "  2. holdfast run --all\(option)", "  3. holdfast status\(option)",
        ] { screen.line(Text(line)) }
    }

    /// Refuses folders that are not there, and a medium whose disk is known to the machine and not mounted (B-09).
    private func requireFolders(_ answers: InitAnswers) throws {
        for folder in answers.folders where (try? status(at: ByteString(folder), followLinks: true)) == nil {
            throw refusal(folder, "is not there", "name folders that are there with --protect")
        }
        for path in [answers.internalPath, answers.secondPath].compactMap({ $0 }) {
            let points = fstabPoints().filter { path == $0 || path.hasPrefix($0 + "/") }
            guard let point = points.max(by: { $0.utf8.count < $1.utf8.count }) else { continue }
            let mounted = try? Mount.holding(ByteString(nearestFolder(to: path)))?.point.display
            guard mounted != point else { continue }
            throw refusal(
                path,
                "lies below \(point), which /etc/fstab mounts and which is not mounted now",
                "mount \(point)"
            )
        }
    }

    /// Mount points of `/etc/fstab`, but for the root.
    private func fstabPoints() -> [String] {
        let bytes = (try? readFile("/etc/fstab", limit: 1 << 20)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count >= 2, !words[0].hasPrefix("#"), words[1].hasPrefix("/"), words[1] != "/" else {
                return nil
            }
            return String(words[1])
        }
    }

    private func refusal(_ path: String, _ what: String, _ next: String) -> LabFailure {
        LabFailure(.folder, operation: "init", object: path, what: what, state: "nothing was changed", next: next)
    }

    /// The folder itself, or the nearest one above it that is there.
    private func nearestFolder(to path: String) -> String {
        var folder = path
        while folder.count > 1, (try? status(at: ByteString(folder))) == nil { folder = splitPath(folder).folder }
        return folder
    }

    // MARK: the file

    private func absolute(_ path: String, _ machine: LabEnvironment) -> String {
        path.hasPrefix("/") ? path : "\(machine.workingDirectory)/\(path)"
    }

    private func refuseExisting(_ path: String) throws {
        guard (try? status(at: ByteString(path))) != nil else { return }
        throw LabFailure(
            .declaration,
            operation: "init",
            object: path,
            what: "is there already, and is never overwritten",
            state: "nothing was changed",
            next: "edit it; or name another file with --config FILE"
        )
    }

    /// Reads it back before it is written: what `init` writes is right.
    private func read(_ text: String, _ path: String) throws -> Lab {
        let (folder, name) = splitPath(path)
        let file = DeclarationFile(name: name, folder: folder, bytes: Array(text.utf8))
        let rules = DeclarationRules(
            load: { path throws(StrategyProblem) in
                throw StrategyProblem(Place(file: path), what: "no includes", next: "")
            },
            patternProblem: { _ in nil },
            isKnownZone: { MachineZones.read($0) != nil }
        )
        do { return try readDeclaration(file, rules) } catch { throw LabFailure.declaration(error, path: path) }
    }

    private func write(_ text: String, to path: String, _ machine: LabEnvironment) throws {
        let (folder, name) = splitPath(path)
        do throws(Errno) {
            let directory = try Directory.createAll(ByteString(folder))
            try writeDurably(
                Array(text.utf8),
                to: ByteString(name),
                in: directory,
                ifExists: .fail,
                entropy: machine.repository.entropy
            )
        } catch {
            throw LabFailure.folder("write", path, error)
        }
    }

    private func secondDisk(_ answers: InitAnswers) -> (identity: String?, isRemovable: Bool) {
        guard let path = answers.secondPath else { return (nil, false) }
        let folder = nearestFolder(to: path)
        let sources = DiskSources()
        let identity = try? sources.identity(of: ByteString(folder))
        let isOwnMount = identity.map { $0.mount.point != "/" } ?? false
        let disks = try? sources.disks(below: ByteString(folder))
        // One of a form that no check knows would only refuse the disk.
        let uuid = identity?.uuid.text.flatMap { isFileSystemUUID($0) ? $0 : nil }
        return (isOwnMount ? uuid : nil, disks?.isRemovable ?? false)
    }

    private var notAsked: LabFailure {
        LabFailure(
            .declaration,
            operation: "init",
            object: "questions",
            what: "cannot be asked: this is no terminal",
            state: "nothing was changed",
            next: "run it on a terminal, or with --yes"
        )
    }

    private var nothingFound: LabFailure {
        LabFailure(
            .declaration,
            operation: "init",
            object: "this machine",
            what: "has no folder that is worth protecting and can be read",
            state: "nothing was changed",
            next: "name one with --protect FOLDER, or run as root"
        )
    }
}
