import Bytes
import Console
import Outcome
import ResticFormat
import ResticRepository

extension Session {
    /// `tag [SNAPSHOT…]`: sets, adds or removes tags; each changed snapshot gets a new ID.
    func runTag() async throws -> ExitStatus {
        let change = try tagChange()
        let filter = try snapshotFilter(isPathLiteral: !words.contains(ByteString(SnapshotName.latest)))
        printer.normal("create exclusive lock for repository")
        return try await withRepository(.exclusive) { repository in
            var changed = 0
            for snapshot in try await namedSnapshots(filter, repository) {
                if try await retag(snapshot, change, repository) { changed += 1 }
            }
            summarize(changed)
            return .success
        }
    }

    private func tagChange() throws(CommandFailure) -> TagChange {
        let (isSetting, isEditing) = (values.isSet("set"), values.isSet("add") || values.isSet("remove"))
        guard isSetting || isEditing else { throw .fatal("nothing to do!") }
        guard !isSetting || !isEditing else {
            throw .fatal("--set and --add/--remove cannot be given at the same time")
        }
        let wanted = tags("set")
        return wanted.isEmpty ? .edit(adding: tags("add"), removing: tags("remove")) : .set(wanted)
    }

    /// The tags of all occurrences, without empty ones.
    private func tags(_ flag: String) -> [ByteString] {
        values.texts(flag).flatMap { $0.split(0x2c).map(\.trimmed) }.filter { !$0.isEmpty }
    }

    /// Changes one snapshot, or says why that could not be; true when it was changed.
    ///
    /// As in restic a snapshot that cannot be changed does not change the exit status; a lost lock and an interruption do.
    private func retag(_ snapshot: Snapshot, _ change: TagChange, _ repository: Repository) async throws -> Bool {
        try Task.checkCancellation()
        guard let tags = change.applied(to: snapshot.document.tags) else { return false }
        var document = snapshot.document
        document.tags = tags
        let id: SnapshotID
        do {
            id = try await repository.replaceSnapshot(snapshot, by: document)
        } catch is CancellationError {
            throw CancellationError()
        } catch let failure as RepositoryFailure where failure.code == .lockLost {
            throw failure
        } catch {
            let name = quoted(ByteString(snapshot.id.hex))
            printer.error("unable to modify the tags for snapshot ID \(name), ignoring: \(causeText(error))")
            return false
        }
        report(snapshot.id, id)
        return true
    }

    private func report(_ old: SnapshotID, _ new: SnapshotID) {
        guard options.isJSON else {
            return printer.verbose("old snapshot ID: \(old.hex) -> new snapshot ID: \(new.hex)")
        }
        var line = JSONLine(messageType: "changed")
        line.add("old_snapshot_id", old.hex)
        line.add("new_snapshot_id", new.hex)
        printer.result(line.text)
    }

    private func summarize(_ changed: Int) {
        guard options.isJSON else {
            return printer.normal(changed == 0 ? "no snapshots were modified" : "modified \(changed) snapshots")
        }
        var line = JSONLine(messageType: "summary")
        line.add("changed_snapshots", changed)
        printer.result(line.text)
    }
}
