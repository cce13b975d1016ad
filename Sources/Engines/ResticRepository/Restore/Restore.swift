package import Bytes
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat

/// Restores a snapshot, or a directory of it, below a target.
///
/// walk trees: create directories, compare what is there > plan: blobs grouped by pack, by offset > ranged get > open > unzip
/// > verify digest (L3) > write at offset under a temporary name > owner, attributes, times, mode > RENAME
/// > walk again: links, devices, further names, directory metadata, deepest first > sync the file system
///
/// The rename is the commit point of each file (L4): a killed restore leaves whole files and `.holdfast-….partial` ones, and the
/// next run compares, keeps what is right, and goes on. Weakness: a file that exists already is patched in place where restic
/// does so, and a crash leaves it mixed until the next run.
///
/// Errors: of the target and of the top tree; what is wrong with single items goes to `observer` and into the counters. The caller
/// has loaded the index.
package func restore(
    _ request: RestoreRequest,
    from repository: Repository,
    observer: any RestoreObserver,
    counters: RestoreCounters = RestoreCounters()
) async throws -> RestoreResult {
    let started = repository.environment.time.monotonicNanoseconds()
    let guarded = TargetGuard(repository)
    let (target, isNew) = try openTarget(request, guarded)
    let flow = RestoreFlow(
        request: request,
        repository: repository,
        observer: observer,
        counters: counters,
        guarded: guarded,
        target: target,
        targetIsNew: isNew
    )
    let worker = repository.makeWorker()
    let plan = try await flow.plan(worker: worker)
    var temporary: TemporaryNames?
    defer { temporary?.release() }
    if !request.isDryRun, let target {
        let names = try TemporaryNames(target: target, taken: plan.takenNames, entropy: repository.environment.entropy)
        temporary = names
        try await flow.writeContents(plan, names, worker: worker)
    }
    try await flow.finish(plan, temporary, worker: worker)
    if !request.isDryRun { try target?.syncFileSystem() }
    if let losses = flow.metadata.losses.summary { observer.warned(losses) }
    return RestoreResult(
        progress: counters.progress,
        files: plan.files.filter { !$0.isFailed }.map { file in
            RestoredFile(
                path: plan.directories.shownPath(file.directory, file.name),
                content: file.content
            )
        },
        duration: Double(repository.environment.time.monotonicNanoseconds() &- started) / 1e9
    )
}

private func openTarget(_ request: RestoreRequest, _ guarded: TargetGuard) throws -> (Directory?, isNew: Bool) {
    do {
        let present = try openPresent(request.target, hooks: request.hooks)
        // Asked before anything is created, so that not even a directory appears in a repository.
        if let near = try present ?? nearestDirectory(request.target), try guarded.surrounds(near) {
            throw insideRepository(request.target)
        }
        if request.isDryRun { return (present, false) }
        let directory =
            try present ?? Directory.createAll(request.target, permissions: 0o700, hooks: request.hooks)
        // And once more, for a target that came about meanwhile.
        if try guarded.surrounds(directory) { throw insideRepository(request.target) }
        return (directory, present == nil)
    } catch let error as Errno {
        throw RepositoryFailure(
            .invalidRequest,
            operation: "restore",
            object: request.target.display,
            what: "cannot create target directory: \(error)",
            state: "nothing was restored",
            next: error.remedy,
            cause: error
        )
    }
}

/// The directory, or nil when there is none.
private func openPresent(_ path: ByteString, hooks: SystemHooks?) throws(Errno) -> Directory? {
    do throws(Errno) { return try Directory.open(path, hooks: hooks) } catch {
        if error.kind == .missing { return nil }
        throw error
    }
}

/// The deepest directory above the path that exists.
private func nearestDirectory(_ path: ByteString) throws(Errno) -> Directory? {
    var rest = path.bytes
    while let slash = rest.lastIndex(of: UInt8(ascii: "/")) {
        rest.removeSubrange(slash...)
        if let directory = try openPresent(rest.isEmpty ? "/" : ByteString(rest), hooks: nil) { return directory }
    }
    return try Directory.open(".")
}

/// A restore into the repository would damage what it reads from (H-14).
private func insideRepository(_ target: ByteString) -> RepositoryFailure {
    RepositoryFailure(
        .invalidRequest,
        operation: "restore",
        object: target.display,
        what: "the target lies inside the repository that is restored from, or inside the cache",
        state: "nothing was restored",
        next: "choose another target"
    )
}

/// Reads restored files again and compares every blob; `checked` hears of each file.
///
/// Returns how many were read.
package func verifyRestored(
    _ files: [RestoredFile],
    below target: ByteString,
    in repository: Repository,
    observer: any RestoreObserver,
    checked: () -> Void = {}
) async throws -> Int {
    let worker = repository.makeWorker()
    let root = try Directory.open(target)
    var buffer = Scratch()
    var count = 0
    for file in files {
        try Task.checkCancellation()
        count += 1
        do {
            let descriptor = try root.openFileBeneath(
                ByteString(Array(file.path.bytes.drop { $0 == UInt8(ascii: "/") }))
            )
            var offset: UInt64 = 0
            for id in file.content {
                try Task.checkCancellation()
                let length = repository.index.plainLength(.data, id) ?? 0
                buffer.reserve(length)
                let room = buffer.slice(length)
                guard try descriptor.read(into: room, at: offset) == length,
                    worker.digest(UnsafeRawBufferPointer(room)) == id.digest
                else { throw RestoreVerificationProblem(offset: offset) }
                offset += UInt64(length)
            }
            guard try descriptor.status().size == offset else { throw RestoreVerificationProblem(offset: offset) }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            observer.failed(path: file.path, error: error)
        }
        checked()
    }
    return count
}

/// A restored file does not hold what the snapshot says.
struct RestoreVerificationProblem: Error, CustomStringConvertible {
    let offset: UInt64
    var description: String { "content differs from the snapshot from byte \(offset) on" }
}
