import Bytes
import HostSystem
import Outcome
package import Protection
import ResticFormat
package import ResticRepository
import Strategy

/// Brings a workload's files back.
///
/// ```
/// choose the copy > find the paths in it > preview: a dry run against the place                                    (prepare: changes nothing)
/// save what would be lost in place, and read that back > RESTORE, each blob checked while it is read                (saveFirst, perform)
/// what was damaged: from another copy                                                                             (perform(only:from:))
/// ```
/// 1. Nothing at the place is lost before `perform`, and what `perform` replaces in place is in a snapshot that was read back.
/// 2. Each file appears under its name when it is whole, also where another one stands; broken off, the same command goes on.
/// 3. Damage that is met is entered in the ledger, as that of a verification is.
/// 4. Another copy than the one that was asked for is never taken in silence: it is among the concessions, or asked for by the caller.
package struct WorkloadRestore: Sendable {
    let environment: ProtectionEnvironment

    package init(_ environment: ProtectionEnvironment) { self.environment = environment }

    /// Looks for the copy and the paths, and at the place; a copy that cannot be read gives way to the next one.
    ///
    /// Errors: those of `CopySearch`, `E-UNKNOWN` for a path that is not in the snapshot, `E-OCCUPIED` for a place that is not what it was,
    /// `E-DAMAGE` when no copy can be read, those of the engine, cancellation.
    package func prepare(
        _ request: WorkloadRestoreRequest,
        counters: RestoreCounters = RestoreCounters()
    ) async throws -> PreparedRestore {
        var choice = try await CopySearch(environment).choose(request.wish)
        while true {
            do {
                let prepared = try await look(request, choice, counters)
                // An older copy stands in for single items later, and not for all of them.
                guard let fault = prepared.preview.faultText, !choice.twins.isEmpty, choice.fallBack(because: fault)
                else {
                    try requireFolders(prepared)
                    return withRoom(prepared)
                }
            } catch let failure as RecoveryFailure {
                throw failure
            } catch {
                guard isFaultOfCopy(error) else { throw error }
                var damage = MetDamage()
                damage.add("/", error)
                await enter(damage, of: choice.copy)
                guard choice.fallBack(because: reason(of: error)) else { throw unreadable(choice, error) }
            }
        }
    }

    private func look(
        _ request: WorkloadRestoreRequest,
        _ choice: CopyChoice,
        _ counters: RestoreCounters
    ) async throws -> PreparedRestore {
        let target = target(of: request, choice.copy.snapshot)
        var prepared = PreparedRestore(request: request, choice: choice, preview: RestorePreview(), target: target)
        try await choice.copy.repository.loadIndex()
        try await requirePaths(request.paths, in: choice.copy)
        let counter = PreviewCounter()
        var restoring = try prepared.engineRequest(choice.copy, only: prepared.paths)
        restoring.isDryRun = true
        _ = try await restore(restoring, from: choice.copy.repository, observer: counter, counters: counters)
        prepared.preview = counter.preview
        await enter(prepared.preview.damage, of: choice.copy)
        return prepared
    }

    private func target(of request: WorkloadRestoreRequest, _ snapshot: Snapshot) -> ByteString {
        switch request.place {
        case .original: return "/"
        case .folder(let path): return path
        case .newFolder(let folder):
            let moment = snapshot.document.time.dayAndTime.filter { $0.isNumber || $0 == " " }
            let name = "restored-\(request.wish.workload)-\(moment)".map { $0 == " " ? "-" : $0 }
            return SourcePath.join(folder, ByteString(String(name)))
        }
    }

    // MARK: refusing

    private func requirePaths(_ paths: [ByteString], in copy: FoundCopy) async throws {
        guard let tree = copy.snapshot.document.tree else { return }
        let worker = copy.repository.makeWorker()
        for path in paths {
            guard let missing = try await copy.repository.missingPart(of: path, in: tree, worker: worker) else {
                continue
            }
            let held = copy.snapshot.document.paths.prefix(10).map(\.display).joined(separator: ", ")
            throw RecoveryFailure(
                .unknown,
                operation: "restore",
                object: path.display,
                what:
                    "is not in the snapshot of \(copy.snapshot.document.time.dayAndTime): no \(missing.display) there",
                state: "nothing was changed",
                next: "it holds \(held); look for the name in all copies: holdfast find '\(path.lastName.display)'"
            )
        }
    }

    /// In place, the folders above are what they were: a link that would give way to a folder is not ours to take away.
    private func requireFolders(_ prepared: PreparedRestore) throws {
        guard prepared.isInPlace, !prepared.preview.isHarmless else { return }
        let above = Set(prepared.paths.flatMap(\.foldersAbove))
        guard let link = prepared.preview.losses.first(where: above.contains) else { return }
        throw RecoveryFailure(
            .occupied,
            operation: "restore",
            object: link.display,
            what: "is no folder any more, and would have to give way to one",
            state: "nothing was changed",
            next: "restore to another place with --to, and put the files where they belong now"
        )
    }

    private func unreadable(_ choice: CopyChoice, _ error: any Error) -> RecoveryFailure {
        RecoveryFailure(
            .damaged,
            retry: .afterRepair,
            operation: "restore",
            object: "snapshot \(choice.copy.snapshot.id.short) in \(choice.copy.place)",
            what: "cannot be read: \(reason(of: error))",
            state: (["nothing was changed"] + choice.concessions).joined(separator: "; "),
            next:
                "take another copy with --from, --at or --snapshot, attach a disk that is away, or mend the repository: holdfast restic repair",
            cause: error
        )
    }

    /// What the file system says of its free room is advice: it is asked about.
    private func withRoom(_ prepared: PreparedRestore) -> PreparedRestore {
        var folder = prepared.target
        while folder != "/", (try? status(at: folder, followLinks: true)) == nil { folder = folder.folderAbove }
        guard let free = (try? FileSystemSpace.at(folder))?.freeBytes, free < prepared.preview.bytes else {
            return prepared
        }
        var prepared = prepared
        let text = "\(amount(prepared.preview.bytes)) are to be written, and \(amount(free)) are free there"
        if prepared.isInPlace { prepared.choice.notes.append(text) } else { prepared.choice.concessions.append(text) }
        return prepared
    }
}

extension Repository {
    /// The first part of a path that a snapshot does not have; nil when it has all of it.
    func missingPart(of path: ByteString, in tree: BlobID, worker: BlobWorker) async throws -> ByteString? {
        do {
            _ = try await dumpItem(path, in: tree, worker: worker)
            return nil
        } catch let problem as DumpProblem {
            switch problem {
            case .notFound(let part), .notADirectory(let part, _): return part
            // A link or a device: it is there.
            case .notAFile, .unwritable, .member: return nil
            }
        }
    }
}

extension ByteString {
    fileprivate var folderAbove: ByteString { foldersAbove.last ?? "/" }
}
