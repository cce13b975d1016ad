import Bytes
import HostSystem
import Journal
import Outcome
import ResticRepository
import Strategy

/// The commands after backups that are owed: noted before an app is stopped, struck out when it was started again.
///
/// ```
/// NOTE > command before > backup, copies, read-back > command after > STRIKE OUT
/// ```
/// 1. The note is on the disk before the command before the backup is run: a file in the state folder, and the journal's, where there is
///    one. Either alone does; that neither can be made is told, and keeps no run from running.
/// 2. What a process that is gone has left, or what failed, is run again by the next run and at the start of the daemon: under the lock
///    of its workload, so that it is never run twice at once, nor while its owner is at it.
/// 3. It is struck out only after it succeeded. A crash between the two runs it once more: such a command bears that.
package struct OwedCommands: Sendable {
    private let environment: ProtectionEnvironment

    package init(_ environment: ProtectionEnvironment) { self.environment = environment }

    private var folder: String { StateFolder.owed(in: environment.stateFolder) }

    // MARK: notes

    /// Notes the command after the backup of a workload; nil when it has none.
    func owe(_ workload: Workload) async -> OwedCommand? {
        guard !workload.after.isEmpty else { return nil }
        let id = RunJournal.newID(environment.repository.entropy)
        let owed = OwedCommand(id: id, workload, since: environment.now)
        await note(owed)
        return owed
    }

    private func note(_ owed: OwedCommand) async {
        do {
            let directory = try StateFolder.open(folder)
            do throws(Errno) {
                try writeDurably(
                    owed.encoded,
                    to: ByteString(owed.id),
                    in: directory,
                    ifExists: .replace,
                    entropy: environment.repository.entropy
                )
            } catch {
                throw ProtectionFailure.folder("write", "\(folder)/\(owed.id)", error)
            }
        } catch {
            environment.warn(
                "the command after the backup of \"\(owed.workload)\" is not noted: \(reason(of: error)); should this run be cut off, run it yourself"
            )
        }
        let entry = OwedCleanup(
            id: owed.id,
            kind: OwedCommand.journalKind,
            object: owed.workload,
            text: String(decoding: owed.encoded, as: UTF8.self),
            since: owed.since
        )
        await environment.journal?.record([.owed(entry)])
    }

    /// It was run and failed: the next run tries it again.
    func failed(_ owed: OwedCommand?) async {
        guard var owed else { return }
        owed.process = nil
        await note(owed)
    }

    /// It was run; so was what earlier runs owed, where it is the same.
    func settle(_ owed: OwedCommand?) async {
        guard let owed else { return }
        for other in await all() where other.workload == owed.workload && other.words == owed.words {
            await strikeOut(other)
        }
    }

    /// The file goes last: a journal that was lost brings nothing back.
    private func strikeOut(_ owed: OwedCommand) async {
        await environment.journal?.record([.settled(id: owed.id)])
        do throws(Errno) {
            let directory = try Directory.open(ByteString(folder))
            try directory.remove(ByteString(owed.id))
            try directory.sync()
        } catch  where error.kind == .missing {
            return
        } catch {
            environment.warn(
                "that the command after the backup of \"\(owed.workload)\" was run cannot be noted: \(error)"
            )
        }
    }

    /// All that is owed, the oldest first.
    func all() async -> [OwedCommand] {
        var found: [String: OwedCommand] = [:]
        for entry in await environment.journal?.owedCleanups() ?? [] where entry.kind == OwedCommand.journalKind {
            found[entry.id] = OwedCommand(decoding: Array(entry.text.utf8))
        }
        let directory = try? Directory.open(ByteString(folder))
        for entry in (try? directory?.entries()) ?? [] {
            let name = entry.name.display
            guard let bytes = try? readFile(ByteString("\(folder)/\(name)"), limit: OwedCommand.bytesMax),
                let owed = OwedCommand(decoding: bytes), owed.id == name
            else {
                // One that was being written when its process ended: the app was not stopped yet.
                guard !name.contains("-tmp-"), found[name] == nil else { continue }
                environment.warn(
                    "\(folder)/\(name) cannot be read: an app may be stopped since then; look whether all of them run, then remove the file"
                )
                continue
            }
            found[owed.id] = owed
        }
        return found.values.sorted { ($0.since, $0.id) < ($1.since, $1.id) }
    }

    /// What nobody will run but a later run.
    package func left() async -> [OwedCommand] {
        let now = environment.now
        return await all().filter { $0.isLeft(at: now) }
    }

    // MARK: running

    /// Runs what is owed by processes that are gone, and what failed before.
    func run(_ run: ProtectionRun) async -> [RunReport.Line] {
        var lines: [RunReport.Line] = []
        var names: [String] = []
        for owed in await all() where !names.contains(owed.workload) { names.append(owed.workload) }
        for name in names {
            do {
                guard let lock = try StateFolder.takeLock("workload-\(name)", in: environment.stateFolder) else {
                    continue
                }
                defer { lock.unlock() }
                // Looked at again: another process may have run it before the lock was ours.
                var done: Set<[String]> = []
                for owed in await all() where owed.workload == name && owed.isLeftBehind {
                    guard done.insert(owed.words).inserted else { continue }
                    lines.append(await self.run(owed, run))
                }
            } catch {
                environment.warn("what is owed to \"\(name)\" is not looked after: \(reason(of: error))")
            }
        }
        return lines
    }

    private func run(_ owed: OwedCommand, _ run: ProtectionRun) async -> RunReport.Line {
        let hook = HookStep(owed)
        let begun = environment.repository.time.monotonicNanoseconds()
        run.observer.began(hook.step)
        do {
            try await hook.run()
            await settle(owed)
            let age = ageText(environment.now.length(since: owed.since))
            let why = owed.hasFailed ? "failed" : "was cut off"
            return run.end(hook.step, .done("\(owed.words[0]), owed by a run that \(why) \(age) ago"), since: begun)
        } catch {
            await failed(owed)
            let failure = (error as? any ReportableFailure) ?? hook.failure("\(error)", next: "run it by hand")
            return run.end(hook.step, .failed(failure), since: begun)
        }
    }
}
