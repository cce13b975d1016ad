import ArgumentParser
import Bytes
import Console
import HostSystem
import KitFormat
import Outcome
import Protection
import Recovery
import ResticRepository
import Sealing
import Strategy

/// The verb `holdfast kit create`.
struct KitCreateVerb: ParsableCommand, LabVerb {
    static let examples = [
        "holdfast kit create /root/kit.txt", "holdfast kit create - --passphrase | lp -o media=a4",
    ]

    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Writes a recovery kit: text to print that opens every repository with nothing else.",
        discussion: """
            Each repository that is here is opened with its password first. The file has mode 0600 and must not exist yet; it may not lie on a medium \
            that it opens. This machine remembers the kit's serial and date, and tags by which it notices when a secret changes; never a secret. \
            Print it, test it with `holdfast kit test`, give copies to those who keep them, and remove the file.

            Ends in 0; 3 when the disk of a repository is away, so that its password is not proven; 12 when a password does not open its \
            repository; 21 when the file exists or lies on a medium; 1 when something cannot be had.
            """
    )

    @Argument(help: "The file to write, or - for standard output.")
    var file: String

    @Flag(help: "Seal it with a passphrase of at least 20 characters, which is asked for twice.")
    var passphrase = false

    @Option(
        name: .customLong("passphrase-from"),
        help: "Seal it with a passphrase that is found there: file:PATH, env:NAME."
    )
    var passphraseFrom: String?

    @Option(help: "A repository that this kit does not open; may be given several times.")
    var without: [String] = []

    @OptionGroup var options: LabOptions

    func validate() throws {
        if file == "-", options.json { throw ValidationError("--json belongs to a file: standard output has the kit") }
    }

    func perform(on screen: Screen) async throws -> Int32 {
        let session = try await LabSession(options, screen: screen, ask: masterPasswordQuestion(screen)).recording()
        let place = file == "-" ? nil : try KitPlace(file, session.lab)
        let leftOut = Set(without)
        return try await session.onPool {
            let making = KitMaking(session.environment)
            let made = try await making.make(program: programText(), leavingOut: leftOut)
            let text = try await sealed(made.kit, session, screen)
            if let place {
                try place.write(text, session.environment.repository.entropy)
            } else {
                screen.raw(text.withBytes { Array($0) })
            }
            await making.record(made)
            return show(made, place?.path, session.printer)
        }
    }

    /// The text to print, under a passphrase where one was asked for.
    private func sealed(_ kit: RecoveryKit, _ session: LabSession, _ screen: Screen) async throws -> Secret {
        guard passphrase || passphraseFrom != nil else { return KitPage.text(kit) }
        let typed = try await KitInput.passphrase(passphraseFrom, "passphrase, at least six words: ", screen)
        if passphraseFrom == nil {
            let again = try await KitInput.passphrase(nil, "the same again: ", screen)
            let isSame = typed.withBytes { typed in again.withBytes { typed.elementsEqual($0) } }
            guard isSame else { throw Self.refused("differs from the first one") }
        }
        guard typed.count >= SealedKit.passphraseMin else {
            throw Self.refused("has \(typed.count) bytes: who finds the paper tries all short ones")
        }
        let machine = session.environment
        do throws(ScryptError) {
            let cost = machine.keyCost.map { $0.n < SealedKit.usualCost.n ? $0 : SealedKit.usualCost }
            return KitPage.text(
                try SealedKit(
                    kit,
                    passphrase: typed,
                    cost: cost ?? SealedKit.usualCost,
                    entropy: machine.repository.entropy
                )
            )
        } catch {
            throw Self.refused("cannot be used: there are no 128 MiB of memory to spare")
        }
    }

    private static func refused(_ what: String) -> KitFailure {
        KitFailure(
            .passphrase,
            operation: "seal kit with",
            object: "the passphrase",
            what: what,
            state: "no kit was written",
            next: "take at least six words, \(SealedKit.passphraseMin) characters, and write them down elsewhere"
        )
    }

    // MARK: what is said

    private func show(_ made: KitMaking.Made, _ path: String?, _ printer: Printer) -> Int32 {
        let kit = made.kit
        let status: ExitStatus = made.unproven.isEmpty ? .success : .incomplete
        guard !printer.isJSON else {
            var line = JSONLine(messageType: "kit_created")
            line.add("serial", kit.serial)
            line.add("file", path ?? "-")
            line.add("repositories", kit.repositories.map { ByteString($0.name) })
            line.add("secrets", kit.secrets.map { ByteString($0.name) })
            line.add("unproven", made.unproven.map { ByteString("\($0.name): \($0.why)") })
            printer.result(line.text)
            return status.rawValue
        }
        // Standard output may be the paper itself.
        for text in words(made, path) where !options.quiet { printer.error(Text(text)) }
        return status.rawValue
    }

    private func words(_ made: KitMaking.Made, _ path: String?) -> [String] {
        let kit = made.kit
        let isSealed = passphrase || passphraseFrom != nil
        var lines = [
            "kit \(kit.serial) \(path.map { "is in \($0), mode 0600" } ?? "was written")\(isSealed ? ", sealed" : "")"
        ]
        for repository in kit.repositories {
            lines.append(
                "  opens \(repository.name) on \(repository.medium) (\(repository.location)); \(repository.state)"
            )
        }
        for secret in kit.secrets { lines.append("  carries \(secret.name)") }
        for account in kit.accounts { lines.append("  names \(account)") }
        lines.append(
            "  does not carry: passwords of channels and of the vault's account, and anything that could write or delete off-site"
        )
        if kit.holders.isEmpty { lines.append("  nobody is named who keeps it: kit.holders in holdfast.yaml") }
        for (name, why) in made.unproven {
            lines.append("warning: \(name) was not opened, so its password is not proven: \(why)")
        }
        let test = path.map { "holdfast kit test \($0)" } ?? "holdfast kit test -"
        lines.append(
            "print it, then: \(test); \(path == nil ? "" : "then remove the file, and ")keep the paper away from the disks"
        )
        return lines
    }
}

/// The file that a kit is written to.
struct KitPlace {
    let path: String

    /// Errors: `E-OCCUPIED` for one that exists, or lies on a medium.
    init(_ file: String, _ lab: Lab) throws {
        let here: ByteString
        do throws(Errno) { here = try currentDirectory() } catch { throw LabFailure.folder("start in", ".", error) }
        let named = ByteString(file)
        path = (SourcePath.isAbsolute(named) ? SourcePath.clean(named) : SourcePath.join(here, named)).display
        if (try? status(at: ByteString(path))) != nil {
            throw Self.refused(path, "exists, and nothing is overwritten", "name a file that does not exist")
        }
        let path = path
        if let medium = lab.media.first(where: { $0.folder.map { path.hasPrefix($0 + "/") } ?? false }) {
            let what = "lies on \(medium.name): who has that disk would have its passwords"
            throw Self.refused(path, what, "name a file elsewhere, print it and remove it")
        }
    }

    /// Writes it durably, mode 0600.
    func write(_ text: Secret, _ entropy: any EntropySource) throws {
        let (folder, name) = splitPath(path)
        do throws(Errno) {
            let directory = try Directory.open(ByteString(folder))
            var bytes = text.withBytes { Array($0) }
            defer { wipe(&bytes) }
            try writeDurably(bytes, to: ByteString(name), in: directory, ifExists: .fail, entropy: entropy)
        } catch {
            if error.kind == .exists {
                throw Self.refused(path, "exists, and nothing is overwritten", "name a file that does not exist")
            }
            throw LabFailure.folder("write kit to", path, error)
        }
    }

    private static func refused(_ path: String, _ what: String, _ next: String) -> KitFailure {
        KitFailure(.place, operation: "write kit to", object: path, what: what, state: "no kit was written", next: next)
    }
}
