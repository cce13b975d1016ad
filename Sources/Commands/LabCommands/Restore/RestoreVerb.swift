import ArgumentParser
import Bytes
import Console
import HostSystem
import Outcome
import Protection
import Recovery
import ResticRepository
import Strategy

/// The verb `holdfast restore`.
struct RestoreVerb: ParsableCommand, FileNamingVerb {
    static let examples = [
        "holdfast restore home /home/ann/letters --at \"2026-11-20 12:00\"", "holdfast restore etc /etc/ssh --in-place",
    ]

    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Brings a workload's files back: the newest complete copy, from the nearest medium that has it.",
        discussion: """
            Goes to a new folder here unless told otherwise, and overwrites nothing unasked. In place, what would be lost is saved in a \
            snapshot first, and that is read back. Each piece is checked while it is read; what turns out damaged is taken from another medium, or \
            from an older copy, when you agree. Whenever another copy than the one that was asked for would be taken, that is said, and asked. \
            Broken off, the same command goes on where it was. Where nobody can be asked, --yes agrees.

            Ends in 0; 3 when something could not be written; 20 when the copy is damaged and no other one helped; 21 when something would be lost, \
            or taken from elsewhere, and nobody agreed, or the medium is away; 1 when there is no such copy.
            """
    )

    @Argument(help: "The workload's name in the declaration.")
    var workload: String

    @Argument(help: "Absolute paths to bring back; else all of it.")
    var paths: [ByteArgument] = []

    @Option(help: "Take the copy on this medium, or in this repository.")
    var from: String?

    @Option(
        help: "The newest copy that is not newer: 2026-11-20 (its end), \"2026-11-20 12:00\", or 3d for three days ago."
    )
    var at: String?

    @Option(help: "This snapshot: the beginning of its name.")
    var snapshot: String?

    @Option(help: "Folder that receives it; else a new one here, named after workload and copy.")
    var to: ByteArgument?

    @Flag(name: .customLong("in-place"), help: "To where it came from.")
    var inPlace = false

    @Flag(help: "What is in the folder given by --to may be overwritten.")
    var overwrite = false

    @Flag(help: "Remove what is at the place, below the paths, and not in the copy.")
    var delete = false

    @Flag(name: .customLong("no-safety-copy"), help: "In place: overwrite without saving what is there.")
    var noSafetyCopy = false

    @Flag(help: "Agree to all that would be asked.")
    var yes = false

    @Flag(help: "Show which copies there are, and change nothing.")
    var list = false

    @Flag(name: .customLong("dry-run"), help: "Say what would be done, and change nothing.")
    var dryRun = false

    @OptionGroup var options: LabOptions

    func validate() throws {
        if inPlace, to != nil { throw ValidationError("give either --to or --in-place") }
        if at != nil, snapshot != nil { throw ValidationError("give either --at or --snapshot") }
        if overwrite, to == nil { throw ValidationError("--overwrite belongs to --to") }
        if noSafetyCopy, !inPlace { throw ValidationError("--no-safety-copy belongs to --in-place") }
        if delete, !inPlace, !overwrite {
            throw ValidationError("--delete belongs to --in-place, or to --to with --overwrite")
        }
        if let to, SourcePath.clean(to.bytes) == "/" {
            throw ValidationError(
                "--to / is where everything came from: say --in-place, and what is there is saved first"
            )
        }
        if let snapshot, snapshot.isEmpty || !snapshot.allSatisfy(\.isHexDigit) {
            throw ValidationError("--snapshot takes the beginning of a snapshot's name: hexadecimal digits")
        }
        for path in paths.map(\.bytes) where path.bytes.first != UInt8(ascii: "/") {
            throw ValidationError("\"\(path.display)\" is no absolute path: write it from the root, as it was saved")
        }
    }

    func perform(on screen: Screen) async throws -> Int32 {
        let plain = try LabSession(options, screen: screen)
        let wish = try wish(plain)
        let media = media(of: wish, plain.environment)
        let session = await plain.recordingMounts(of: media)
        return try await session.onPool {
            try await session.environment.withMounted(media) { mounted in
                guard !list else { return try await CopyPage(wish: wish, session: session).show(mounted) }
                return try await restore(wish, session, mounted)
            }
        }
    }

    private func restore(_ wish: CopyWish, _ session: LabSession, _ environment: ProtectionEnvironment) async throws
        -> Int32
    {
        let restore = WorkloadRestore(environment)
        let page = RestorePage(session: session)
        let asked = try request(wish)
        let prepared = try await page.whileShown(RestorePage.comparing) {
            try await restore.prepare(asked, counters: $0)
        }
        page.show(prepared)
        try refuseLosses(prepared)
        guard !dryRun else { return ExitStatus.success.rawValue }
        try agree(to: prepared, page)
        var saved: SavedBefore?
        if !noSafetyCopy { saved = try await restore.saveFirst(prepared) }
        if let saved { page.saved(saved, prepared) }
        let first = try await page.whileShown("restored") { try await restore.perform(prepared, counters: $0) }
        let result = try await retried(first, prepared, restore, page)
        return page.end(result, prepared, saved)
    }

    // MARK: what is asked for

    private func wish(_ session: LabSession) throws -> CopyWish {
        var wish = CopyWish(workload)
        wish.medium = from
        wish.snapshot = snapshot?.lowercased()
        if let at {
            let time = session.environment.repository.time
            do throws(NotationError) {
                wish.moment = try readMoment(at, now: time.now()) { time.localOffsetSeconds(at: $0) }
            } catch {
                throw RecoveryFailure(
                    .unknown,
                    operation: "restore",
                    object: "--at",
                    what: error.what,
                    state: "nothing was changed",
                    next: error.next
                )
            }
        }
        return wish
    }

    /// The media that are looked at.
    private func media(of wish: CopyWish, _ environment: ProtectionEnvironment) -> Set<String> {
        guard let workload = environment.lab.workloads.first(where: { $0.name == wish.workload }) else { return [] }
        let stores = environment.stores(of: workload)
        guard let name = wish.medium else { return Set(stores.map(\.medium.name)) }
        // What is saved before a restore in place goes to the nearest of all.
        let asked = inPlace ? stores : stores.filter { $0.medium.name == name || $0.name == name }
        return Set(asked.map(\.medium.name))
    }

    private func request(_ wish: CopyWish) throws -> WorkloadRestoreRequest {
        var request = WorkloadRestoreRequest(wish, to: try place())
        request.paths = paths.map { SourcePath.clean($0.bytes) }.filter { $0 != "/" }
        request.deletes = delete
        return request
    }

    /// The folder of `--to`, or a new one below the working directory.
    private func place() throws -> RestorePlace {
        if inPlace { return .original }
        let here: ByteString
        do throws(Errno) { here = try currentDirectory() } catch { throw LabFailure.folder("start in", ".", error) }
        guard let to else { return .newFolder(below: here) }
        let path = to.bytes
        return .folder(SourcePath.isAbsolute(path) ? SourcePath.clean(path) : SourcePath.join(here, path))
    }

    // MARK: what is agreed to

    /// What is in a folder is overwritten only with the word for it.
    private func refuseLosses(_ prepared: PreparedRestore) throws {
        guard !prepared.isInPlace, !overwrite, !prepared.preview.isHarmless else { return }
        let shown = prepared.preview.losses.prefix(3).map(\.display).joined(separator: ", ")
        let count = prepared.preview.replaced + prepared.preview.deleted
        throw RecoveryFailure(
            .occupied,
            operation: "restore",
            object: prepared.target.display,
            what: "\(counted(count, "item")) there would be overwritten: \(shown)\(count > 3 ? ", …" : "")",
            state: "nothing was changed",
            next: to == nil
                ? "name an empty or new folder with --to, or move that one away"
                : "name an empty or new folder, or say that they may be: --overwrite"
        )
    }

    private func agree(to prepared: PreparedRestore, _ page: RestorePage) throws {
        var reasons = prepared.choice.concessions
        if !prepared.preview.isHarmless {
            let count = counted(prepared.preview.replaced + prepared.preview.deleted, "item")
            let isSaved = prepared.isInPlace && !noSafetyCopy
            reasons.append(
                "\(count) there would be overwritten or removed, \(isSaved ? "saved in a snapshot before" : "and not saved before")"
            )
        }
        guard !reasons.isEmpty, !yes, !page.asks("Go on?") else { return }
        throw RecoveryFailure(
            .notAgreed,
            operation: "restore",
            object: workload,
            what: reasons.joined(separator: "; "),
            state: "nothing was changed",
            next: "agree to it with --yes, or choose another copy or place: --from, --at, --snapshot, --to"
        )
    }

    /// Takes what was damaged from other copies, one after the other, as far as that is agreed to.
    private func retried(
        _ first: WorkloadRestored,
        _ prepared: PreparedRestore,
        _ restore: WorkloadRestore,
        _ page: RestorePage
    ) async throws -> WorkloadRestored {
        var result = first
        for other in prepared.choice.others {
            let damaged = result.damaged
            guard !damaged.isEmpty else { break }
            let stand = other.standsIn(for: prepared.choice.copy)
            page.damaged(damaged, in: prepared.choice.copy, next: stand)
            guard yes || page.asks("Take \(damaged.count == 1 ? "it" : "them") from there?") else { break }
            let again = try await page.whileShown("restored") { counters in
                try await restore.perform(prepared, only: damaged, from: other, counters: counters)
            }
            page.took(damaged.count - again.damaged.count, of: damaged.count, from: stand)
            result.add(again)
        }
        return result
    }
}
