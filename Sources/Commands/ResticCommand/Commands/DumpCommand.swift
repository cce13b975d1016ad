import Bytes
import Console
import HostSystem
import Outcome
import ResticFormat
import ResticRepository

extension Session {
    /// `dump SNAPSHOT PATH`: a file's bytes, or a directory as an archive, to standard output or `--target`.
    func runDump() async throws -> ExitStatus {
        guard words.count == 2 else { throw CommandFailure.fatal("no file and no snapshot ID specified") }
        let formatName = values.text("archive") ?? "tar"
        guard let format = ArchiveFormat(rawValue: formatName.display) else {
            throw CommandFailure("unknown archive format \(quoted(formatName))")
        }
        let name = SnapshotName(words[0])
        let path = words[1]
        let filter = try snapshotFilter()
        return try await withRepository(readLock) { repository in
            let snapshot: Snapshot
            do { snapshot = try await repository.findSnapshot(name, filter: filter) } catch let failure
                as RepositoryFailure
                where failure.code == .notFound || failure.code == .ambiguous
            {
                throw CommandFailure.fatal("failed to find snapshot: \(causeText(failure))")
            }
            try await loadIndex(repository)
            let tree = try await findDirectory(name.subfolder, in: snapshot, repository)
            do {
                try await dump(path, of: tree, as: format, repository)
            } catch let problem as DumpProblem {
                throw CommandFailure.fatal("cannot dump file: \(dumpText(problem))")
            } catch let error as Errno {
                // Nobody reads on (`… | head`): no error to speak of.
                if error.code == 32, values.text("target") == nil { throw OutputGone() }
                let place = values.text("target") ?? "/dev/stdout"
                throw CommandFailure.fatal("cannot dump file: write \(quotedForDisplay(place)): \(goMessage(error))")
            }
            return .success
        }
    }

    private func dump(_ path: ByteString, of tree: BlobID, as format: ArchiveFormat, _ repository: Repository)
        async throws
    {
        let worker = repository.makeWorker()
        // What is asked for is found before a target is emptied.
        let item = try await repository.dumpItem(path, in: tree, worker: worker)
        guard let target = values.text("target"), !target.isEmpty else {
            if case .directory = item, context.screen.facts.outputIsTerminal {
                throw CommandFailure.fatal("cannot dump file: stdout is the terminal, please redirect output")
            }
            let screen = context.screen
            return try await repository.dump(item, as: format, to: DumpOutput { try screen.stream($0) }, worker: worker)
        }
        let file: FileDescriptor
        do throws(Errno) { file = try openForOverwriting(target) } catch {
            throw CommandFailure("cannot dump to file: open \(quotedForDisplay(target)): \(goMessage(error))")
        }
        try await repository.dump(item, as: format, to: DumpOutput { try file.write($0) }, worker: worker)
        try file.close()
    }

    private func dumpText(_ problem: DumpProblem) -> Text {
        switch problem {
        case .notFound(let path): "path \(quoted(path)) not found in snapshot"
        case .notADirectory(let path, let type): "\(quoted(path)) should be a dir, but is a \"\(type.word)\""
        case .notAFile(let path, let type): "\(quoted(path)) should be a file, but is a \"\(type.word)\""
        case .unwritable(let why): Text(why)
        case .member(_, let why): Text(why)
        }
    }
}

extension NodeType {
    /// The type as stored and shown.
    fileprivate var word: String { "\(name)" }
}
