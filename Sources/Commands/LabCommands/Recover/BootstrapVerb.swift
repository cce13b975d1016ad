import ArgumentParser
import Bytes
import Console
import HostSystem
import KitFormat
import Outcome
import Protection
import Recovery
import ResticRepository
import Strategy

/// The verb `holdfast recover bootstrap`.
struct BootstrapVerb: ParsableCommand, LabVerb {
    static let examples = [
        "holdfast recover bootstrap --kit /root/kit.txt", "holdfast recover bootstrap --kit - --write /root/recovered",
    ]

    static let configuration = CommandConfiguration(
        commandName: "bootstrap",
        abstract:
            "Finds the repositories with a recovery kit alone, and shows what can come back, from where, and in what time.",
        discussion: """
            Disks may be mounted anywhere: the end of each location is looked for below all mounts, and the identifier in the kit decides. The \
            declaration and what runs remembered are read out of the newest record in the repositories. Nothing is written, to no \
            repository and not here, unless --write names a folder: it receives the declaration and the evidence, and must be new or empty.

            Ends in 0; 3 when a repository of the kit could not be looked at; 1 when none could; 25 when the kit's text is wrong.
            """
    )

    @Option(help: "The kit's file, or - for standard input: the numbered lines are enough.")
    var kit: String

    @Option(help: "A new or empty folder that receives holdfast.yaml and the evidence.")
    var write: String?

    @Flag(help: "One JSON object per line instead of text.")
    var json = false

    @OptionGroup var input: KitInput
    @OptionGroup var places: KitPlaces

    func perform(on screen: Screen) async throws -> Int32 {
        let machine = try LabEnvironment.current()
        let printer = Printer(screen: screen, verbosity: .normal, isJSON: json)
        let target = try write.map { try RecordTarget($0) }
        return try await onPool(machine.repository.pool) {
            let kit = try await input.read(kit, screen: screen).kit
            let places = try places.read(for: kit)
            var found = try await Bootstrap(kit, machine.repository, places: places).run()
            found.missing = Self.missing(found)
            let page = BootstrapPage(kit: kit, found: found, printer: printer, now: machine.repository.time.now())
            page.show()
            if let target {
                let names = try target.write(found, machine.repository.entropy)
                page.wrote(names, in: target.path)
            }
            return page.status.rawValue
        }
    }

    /// Workloads of the declaration without any copy; empty where it cannot be read.
    private static func missing(_ found: Bootstrapped) -> [String] {
        guard let lab = RecordedDeclaration(files: found.files).lab else { return [] }
        return lab.workloads.map(\.name).filter { name in !found.items.contains { $0.workload == name } }
    }
}

/// The declaration as a record holds it, read without its folder: paths that are not absolute count from nowhere that matters.
struct RecordedDeclaration {
    let files: [(name: String, bytes: [UInt8])]

    /// Nil where it is none, or names what this machine has not.
    var lab: Lab? {
        guard let main = files.first(where: { $0.name == DeclarationPlace.fileName }) else { return nil }
        var count = 0
        let rules = DeclarationRules(
            load: { path throws(StrategyProblem) in
                count += 1
                // In the order in which they were read when they were left.
                guard let file = files.first(where: { $0.name.hasPrefix("include-\(count)-") }) else {
                    throw StrategyProblem(Place(file: path), what: "is not in the record", next: "")
                }
                return DeclarationFile(name: file.name, folder: "/", bytes: file.bytes)
            },
            patternProblem: { _ in nil }
        )
        return try? readDeclaration(DeclarationFile(name: main.name, folder: "/", bytes: main.bytes), rules)
    }
}

/// The folder that receives what was recorded.
struct RecordTarget: Sendable {
    let path: String

    /// Errors: `E-OCCUPIED` for a folder that has something in it.
    init(_ folder: String) throws {
        let here: ByteString
        do throws(Errno) { here = try currentDirectory() } catch { throw LabFailure.folder("start in", ".", error) }
        let named = ByteString(folder)
        path = (SourcePath.isAbsolute(named) ? SourcePath.clean(named) : SourcePath.join(here, named)).display
        guard let entries = try? Directory.open(ByteString(path)).entries(), !entries.isEmpty else { return }
        throw KitFailure(
            .place,
            operation: "write to",
            object: path,
            what: "is not empty, and nothing is overwritten",
            state: "nothing was written",
            next: "name a new folder"
        )
    }

    /// Writes what was found, mode 0600; returns the names.
    func write(_ found: Bootstrapped, _ entropy: any EntropySource) throws -> [String] {
        var files = found.files
        if let ledger = found.ledger { files.append(("ledger.json", ledger.encode())) }
        guard !files.isEmpty else { return [] }
        do throws(Errno) {
            let directory = try Directory.createAll(ByteString(path))
            for file in files {
                try writeDurably(
                    file.bytes,
                    to: ByteString(file.name),
                    in: directory,
                    ifExists: .fail,
                    entropy: entropy
                )
            }
        } catch {
            throw LabFailure.folder("write to", path, error)
        }
        return files.map(\.name)
    }
}
