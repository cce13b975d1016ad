import Bytes
import Console
import Outcome
import ResticRepository

extension Session {
    /// `migrate [NAME…]`: lists the migrations that apply, or applies those named.
    ///
    /// As in restic the words are the same with `--json`, but for those of the check.
    func runMigrate() async throws -> ExitStatus {
        var session = inWords
        // What a check says must come from the store.
        session.options.noCache = true
        return try await session.migrate(checkingAs: self)
    }

    private func migrate(checkingAs checker: Session) async throws -> ExitStatus {
        try await withRepository(.exclusive) { repository in
            if words.isEmpty {
                list(in: repository)
                return .success
            }
            var first: (any Error)?
            for name in words {
                try Task.checkCancellation()
                guard let migration = Migration(rawValue: name.display) else {
                    printer.error("unknown migration \(printer.name(name))")
                    continue
                }
                guard isWanted(migration, repository) else { continue }
                printer.normal("checking repository integrity...")
                try await checker.requireSound(repository)
                do { try await apply(migration, repository) } catch let error where !(error is CancellationError) {
                    printer.error("migration \(migration.rawValue) failed: \(migrationCause(error))")
                    first = first ?? error
                }
            }
            if let first { throw reported(first) }
            return .success
        }
    }

    private func list(in repository: Repository) {
        printer.normal("available migrations:")
        let found = Migration.allCases.filter { $0.obstacle(in: repository) == nil }
        for migration in found { printer.normal("  \(migration.rawValue)\t\(migration.summary)") }
        if found.isEmpty { printer.normal("no migrations found") }
    }

    private func isWanted(_ migration: Migration, _ repository: Repository) -> Bool {
        guard let obstacle = migration.obstacle(in: repository) else { return true }
        guard values.isOn("force") else {
            printer.error(
                "migration \(migration.rawValue) cannot be applied: \(obstacle)\nIf you want to apply this migration anyway, re-run with option --force"
            )
            return false
        }
        printer.error("check for migration \(migration.rawValue) failed, continuing anyway")
        return true
    }

    private func apply(_ migration: Migration, _ repository: Repository) async throws {
        printer.normal("applying migration \(migration.rawValue)...")
        switch migration {
        case .upgradeRepositoryV2:
            try await repository.upgradeToVersion2(temporary: context.environment.value("TMPDIR") ?? "/tmp")
        }
        printer.normal("migration \(migration.rawValue): success")
    }

    private func migrationCause(_ error: any Error) -> Text {
        guard let failure = error as? RepositoryFailure else { return causeText(error) }
        return Text(escapedControl(failure.what))
    }

    /// As restic prints it a second time, without code; state and next step only where something was tried.
    private func reported(_ error: any Error) -> any Error {
        guard let failure = error as? RepositoryFailure, failure.code == .unsupported else { return error }
        return CommandFailure(Text(escapedControl(failure.what)))
    }
}
