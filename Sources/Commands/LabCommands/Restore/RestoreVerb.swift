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
struct RestoreVerb: ParsableCommand, LabVerb {
    static let examples = [
        "holdfast restore home", "holdfast restore home /home/ann/letters --at \"2026-11-20 12:00\" --to /tmp/letters",
        "holdfast restore etc /etc/ssh --in-place",
    ]

    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Brings a workload's files back: the newest complete copy, from the nearest medium that has it.",
        discussion: """
            Goes to a new folder unless told otherwise, and overwrites nothing unasked. In place, what would be overwritten is saved in a \
            snapshot first. Each piece is checked while it is read; what turns out damaged is taken from another medium when you agree. \
            Whenever another copy than the one that was asked for would be taken, that is said, and asked. Broken off, the same command goes on \
            where it was.

            Ends in 0; 3 when something could not be written; 20 when the copy is damaged and no other one helped; 21 when something would be lost, \
            or taken from elsewhere, and nobody agreed; 1 when there is no such copy.
            """
    )

    @Argument(help: "The workload's name in the declaration.")
    var workload: String

    @Argument(help: "Absolute paths to bring back; else all of it.")
    var paths: [String] = []

    @Option(help: "Take the copy on this medium, or in this repository.")
    var from: String?

    @Option(
        help: "The newest copy that is not newer: 2026-11-20 (its end), \"2026-11-20 12:00\", or 3d for three days ago."
    )
    var at: String?

    @Option(help: "This snapshot: the beginning of its name.")
    var snapshot: String?

    @Option(help: "Folder that receives it; else a new one here.")
    var to: String?

    @Flag(name: .customLong("in-place"), help: "To where it came from.")
    var inPlace = false

    @Flag(help: "Files in the folder given by --to may be overwritten.")
    var overwrite = false

    @Flag(help: "Remove what is in the place and not in the snapshot, below the paths.")
    var delete = false

    @Flag(name: .customLong("no-safety-copy"), help: "In place: overwrite without saving what is there.")
    var noSafetyCopy = false

    @Flag(help: "Agree to all that would be asked.")
    var yes = false

    @Flag(name: .customLong("list"), help: "Show which copies there are, and change nothing.")
    var list = false

    @Flag(name: .customLong("dry-run"), help: "Say what would be done, and change nothing.")
    var dryRun = false

    @OptionGroup var options: LabOptions

    func validate() throws {
        if inPlace, to != nil { throw ValidationError("give either --to or --in-place") }
        if at != nil, snapshot != nil { throw ValidationError("give either --at or --snapshot") }
        if overwrite, to == nil { throw ValidationError("--overwrite belongs to --to") }
        if delete, !inPlace, !overwrite {
            throw ValidationError("--delete belongs to --in-place, or to --to with --overwrite")
        }
        if let snapshot, snapshot.isEmpty || !snapshot.allSatisfy(\.isHexDigit) {
            throw ValidationError("--snapshot takes the beginning of a snapshot's name: hexadecimal digits")
        }
        for path in paths where !path.hasPrefix("/") { throw ValidationError("\(path) is no absolute path") }
    }

    func perform(on screen: Screen) async throws -> Int32 {
        let session = try LabSession(options, screen: screen)
        let wish = try wish(session)
        guard !list else { return try await CopyPage(wish: wish, session: session).show() }
        let restore = WorkloadRestore(session.environment)
        let page = RestorePage(session: session)
        let asked = try request(wish, session)
        let prepared = try await session.onPool { try await restore.prepare(asked) }
        page.show(prepared)
        try refuseLosses(prepared)
        guard !dryRun else { return ExitStatus.success.rawValue }
        try agree(to: prepared, page)
        if !noSafetyCopy {
            let saved = try await session.onPool { try await restore.saveFirst(prepared) }
            if let saved { page.saved(saved, prepared) }
        }
        let first = try await page.whileShown { counters in
            try await session.onPool { try await restore.perform(prepared, counters: counters) }
        }
        let result = try await retried(first, prepared, restore, page)
        return page.end(result, prepared)
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
            } catch { throw ValidationError("--at: \(error.what); \(error.next)") }
        }
        return wish
    }

    private func request(_ wish: CopyWish, _ session: LabSession) throws -> WorkloadRestoreRequest {
        var request = WorkloadRestoreRequest(wish, to: inPlace ? .original : .folder(try folder(session)))
        request.paths = paths.map { ByteString($0) }
        request.deletes = delete
        return request
    }

    /// The folder of `--to`, or one named after workload and present time, below the working directory.
    private func folder(_ session: LabSession) throws -> ByteString {
        let here: String
        do throws(Errno) { here = try currentDirectory().display } catch {
            throw LabFailure.folder("start in", ".", error)
        }
        guard let to else {
            let now = session.environment.repository.zonedNow().dayAndTime.filter(\.isNumber)
            return ByteString("\(here)/restored-\(workload)-\(now)")
        }
        return ByteString(to.hasPrefix("/") ? to : "\(here)/\(to)")
    }

    // MARK: what is agreed to

    /// Files in a folder are overwritten only with the word for it.
    private func refuseLosses(_ prepared: PreparedRestore) throws {
        guard prepared.request.place != .original, !overwrite, !prepared.preview.isHarmless else { return }
        throw RecoveryFailure(
            .occupied,
            operation: "restore",
            object: prepared.request.place.path.display,
            what: "\(counted(prepared.preview.overwritten, "file")) there would be overwritten",
            state: "nothing was changed",
            next: "name an empty or new folder, or say that they may be: --overwrite"
        )
    }

    private func agree(to prepared: PreparedRestore, _ page: RestorePage) throws {
        var reasons = prepared.choice.concessions
        if prepared.request.place == .original {
            reasons.append("it goes to where it came from, over what is there")
        } else if !prepared.preview.isHarmless {
            reasons.append("what is in the folder is overwritten")
        }
        guard !reasons.isEmpty, !yes, !page.asks("Go on?") else { return }
        throw RecoveryFailure(
            .notAgreed,
            operation: "restore",
            object: workload,
            what: reasons.joined(separator: "; "),
            state: "nothing was changed",
            next: "say yes to it with --yes, or choose another copy or place: --from, --at, --snapshot, --to"
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
        for twin in prepared.choice.twins {
            let damaged = result.failed.filter(\.isDamage).map(\.path)
            guard !damaged.isEmpty else { break }
            page.damaged(damaged, in: prepared.choice.copy, next: twin)
            guard yes || page.asks("Take them from \(twin.store.name) on \(twin.store.medium.name)?") else { break }
            let environment = page.session
            let again = try await page.whileShown { counters in
                try await environment.onPool {
                    try await restore.perform(prepared, only: damaged, from: twin, counters: counters)
                }
            }
            result.add(again)
        }
        return result
    }
}

extension WorkloadRestored {
    /// What a second attempt brought takes the place of the damage that it was for.
    fileprivate mutating func add(_ again: WorkloadRestored) {
        failed = failed.filter { !$0.isDamage } + again.failed
        progress.filesFinished += again.progress.filesFinished
        progress.bytesWritten += again.progress.bytesWritten
        seconds += again.seconds
        warnings += again.warnings
    }
}
