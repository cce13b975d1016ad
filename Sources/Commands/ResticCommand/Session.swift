import Bytes
import Compression
import Console
import HostSystem
import ObjectStorage
import Outcome
import ResticFormat
import ResticRepository

/// One run of one command: what was asked for, and with what.
struct Session: Sendable {
    let context: CommandContext
    let values: FlagValues
    /// What is not an option.
    let words: [ByteString]
    var options: GlobalOptions
    /// From file, command or environment; nil when a person has to be asked.
    let password: Secret?
    let printer: Printer

    private static let promptsMax = 3

    /// The process as the engine knows it.
    var repositoryEnvironment: RepositoryEnvironment {
        let accounts = Accounts()
        let (uid, gid) = currentUser()
        return RepositoryEnvironment(
            time: context.time,
            entropy: context.entropy,
            pool: context.pool,
            hostName: hostName(),
            userName: currentUserName(accounts),
            userID: uid,
            groupID: gid,
            processID: currentProcessID(),
            isAlive: isProcessAlive,
            processMark: { ProcessMark(of: $0) }
        )
    }

    /// The same run for commands whose words restic prints with `--json`, too.
    var inWords: Session {
        var options = options
        options.isJSON = false
        return Session(
            context: context,
            values: values,
            words: words,
            options: options,
            password: password,
            printer: Printer(screen: context.screen, verbosity: options.verbosity, isJSON: false)
        )
    }

    // MARK: storage

    /// The store that the location names; nothing is touched yet.
    func storage(_ options: GlobalOptions) throws -> (store: any ObjectStorage, location: ByteString) {
        let location = try options.location()
        let store: any ObjectStorage
        switch try RepositoryLocation.parse(location) {
        case .local(let path):
            let connections = try options.extended.localConnections()
            store = LocalStorage(path, connections: connections ?? 2, entropy: context.entropy)
        case .s3(let location):
            let s3 = try S3Options(options.extended, context.environment)
            let credentials = s3.credentials
            let settings = try s3.settings(location, options.network)
            let find: @Sendable () throws -> S3Credentials? = { try credentials.find() }
            let plain: any ObjectStorage =
                if let moment = try s3.pointInTime() {
                    try S3PastStorage(settings, at: moment, time: context.time, credentials: find)
                } else {
                    try S3Storage(settings, time: context.time, credentials: find)
                }
            store = remote(plain, try s3.policy())
        case .rest(let location):
            let rest = try RESTOptions(options.extended, context.environment)
            store = remote(try RESTStorage(rest.settings(location, options.network)), RetryPolicy())
        case .sftp(let location):
            let settings = try SFTPOptions(options.extended).settings(location, options.network)
            store = remote(SFTPStorage(settings, entropy: context.entropy), RetryPolicy())
        case .rclone(let name):
            let printer = printer
            var settings = try RcloneOptions(options.extended).settings(name, options.network) {
                printer.error(Text("rclone: \($0.display)"))
            }
            // rclone is told by its variables what remotes are; the repository's password is not its business.
            settings.environment = context.environment.variables.filter { !$0.key.hasPrefix("RESTIC_PASSWORD") }.map {
                ($0.key, $0.value)
            }
            store = remote(RESTStorage(settings, entropy: context.entropy), RetryPolicy())
        }
        guard options.uploadKiB > 0 || options.downloadKiB > 0 else { return (store, location) }
        return (
            LimitedStorage(
                store,
                uploadBytesPerSecond: UInt64(options.uploadKiB) << 10,
                downloadBytesPerSecond: UInt64(options.downloadKiB) << 10,
                time: context.time
            ), location
        )
    }

    /// A store behind a network, whose failed tries are told while they are repeated.
    private func remote(_ store: any ObjectStorage, _ policy: RetryPolicy) -> RemoteStorage {
        let printer = printer
        return RemoteStorage(store, policy: policy, time: context.time, entropy: context.entropy) {
            what,
            failure,
            seconds in
            let tenths = Int((seconds * 10).rounded())
            printer.error(
                Text("\(what) returned error, retrying after \(tenths / 10).\(tenths % 10)s: ") + causeText(failure)
            )
        }
    }

    private func repositoryOptions(_ options: GlobalOptions, isDryRun: Bool) throws -> RepositoryOptions {
        try options.checkPackSize()
        var result = RepositoryOptions()
        result.compression = options.compression
        if options.packSizeMiB > 0 { result.packSizeBytes = Int(options.packSizeMiB) << 20 }
        result.extraVerify = options.extraVerify
        result.isDryRun = isDryRun
        let printer = printer
        result.warn = { printer.error(Text($0)) }
        result.recordDirectory = options.recordDirectory
        if !options.noCache {
            result.cacheDirectory = options.cacheDirectory ?? defaultCacheDirectory
            if result.recordDirectory == nil { result.recordDirectory = result.cacheDirectory }
            if result.cacheDirectory == nil {
                printer.error(
                    "unable to open cache: unable to locate cache directory: neither $XDG_CACHE_HOME nor $HOME are defined"
                )
            }
        }
        return result
    }

    /// `restic` in the user's cache directory; nil when the environment names none.
    var defaultCacheDirectory: ByteString? {
        if let base = context.environment.value("XDG_CACHE_HOME") {
            return ByteString(base.bytes + Array("/restic".utf8))
        }
        return context.environment.value("HOME").map { ByteString($0.bytes + Array("/.cache/restic".utf8)) }
    }

    // MARK: opening

    /// Opens the repository; asks for the password where a person can answer, three times.
    func openRepository(_ given: GlobalOptions? = nil, password: Secret? = nil, isDryRun: Bool = false) async throws
        -> Repository
    {
        let options = given ?? self.options
        let (store, location) = try storage(options)
        guard let found = try await Repository.find(store: store) else {
            throw noRepository(location, await store.absence())
        }
        let repositoryOptions = try repositoryOptions(options, isDryRun: isDryRun)
        let password = password ?? (given == nil ? self.password : nil)
        let environment = repositoryEnvironment
        func open(_ password: Secret) async throws -> Repository {
            try await Repository.open(
                store: store,
                found: found,
                password: password,
                keyHint: options.keyHint?.display,
                environment: environment,
                options: repositoryOptions
            )
        }
        let repository: Repository
        if password == nil, !options.password.isInsecureWithoutPassword, context.screen.facts.inputIsTerminal {
            repository = try await askAndOpen(options, open)
        } else {
            repository = try await open(
                try readPassword(password, options.password, prompt: "enter password for repository: ")
            )
        }
        printInformation(repository, options)
        return repository
    }

    private func askAndOpen(
        _ options: GlobalOptions,
        _ open: (Secret) async throws -> Repository
    ) async throws -> Repository {
        var triesLeft = Self.promptsMax
        while true {
            triesLeft -= 1
            do {
                return try await open(
                    try readPassword(nil, options.password, prompt: "enter password for repository: ")
                )
            } catch let failure as RepositoryFailure where failure.code == .wrongPassword && triesLeft > 0 {
                printer.error("\(failure.what). Try again")
            } catch let failure as CommandFailure where triesLeft > 0 {
                printer.error("\(failure.message). Try again")
            }
        }
    }

    /// The password given, the empty one where that is wanted, or what a person or pipe answers.
    func readPassword(_ given: Secret?, _ source: PasswordSource, prompt: String) throws -> Secret {
        if source.isInsecureWithoutPassword {
            guard given == nil else {
                throw CommandFailure.fatal(
                    "--insecure-no-password must not be specified together with providing a password via a cli option or environment variable"
                )
            }
            return Secret([])
        }
        if let given { return given }
        let answer: Secret
        do { answer = try PasswordPrompt.read(prompt, screen: context.screen) } catch {
            throw CommandFailure.fatal("unable to read password: \(goMessage(error))")
        }
        guard !answer.isEmpty else {
            throw CommandFailure.fatal(
                "an empty password is not allowed by default. Pass the flag `--insecure-no-password` to restic to disable this check"
            )
        }
        return answer
    }

    private func noRepository(_ location: ByteString, _ absence: String?) -> CommandFailure {
        let shown = quotedForDisplay(RepositoryLocation.shown(location))
        if let absence {
            return .fatal(
                """
                repository does not exist: unable to open config file: \(Text(escapedControl(absence)))
                Is there a repository at the following location?
                \(shown)
                  state: nothing was written
                  next:  check the repository's location; to make a new repository there run `init`
                """,
                status: .noRepository
            )
        }
        return .fatal(
            """
            repository does not exist: unable to open config file: stat \(shown)/config: no such file or directory
            Is there a repository at the following location?
            \(shown)
              state: nothing was written
              next:  if it is on a removable disk, attach and mount it; to make a new repository there run `init`
            """,
            status: .noRepository
        )
    }

    private func printInformation(_ repository: Repository, _ options: GlobalOptions) {
        let version = repository.config.version
        let compression = version >= 2 ? ", compression level \(options.compression.rawValue)" : ""
        printer.onTerminal("repository \(repository.config.id.short) opened (version \(version)\(compression))")
        guard let base = repository.options.cacheDirectory,
            let old = try? CacheDirectories.old(base: base, now: context.time.now()), !old.isEmpty
        else { return }
        guard options.cleanupCache else {
            printer.onTerminal(
                "found \(old.count) old cache directories in \(base), run `restic cache --cleanup` to remove them"
            )
            return
        }
        printer.onTerminal("removing \(old.count) old cache dirs from \(base)")
        for entry in old {
            do { try CacheDirectories.remove(entry.name, base: base) } catch {
                printer.error("unable to remove \(base)/\(entry.name): \(goMessage(error))")
            }
        }
    }

    /// Says what happened to the repository since this machine's last run and is not explained by it.
    ///
    /// Errors: refused once before data is removed that lost snapshots may need (P-06).
    func heedSurprises(_ repository: Repository, beforePruning: Bool = false) async throws(CommandFailure) {
        for finding in await repository.surprises(.unexplained) { printer.error(Text(finding.checkText)) }
        guard beforePruning, await repository.takeDoubt() else { return }
        throw CommandFailure.fatal(
            "prune refused: this run or one before it warned that snapshots or index files are gone or came back, and what only lost snapshots need would be removed\n  state: nothing was removed\n  next:  when it is explained, run the same command again; it will go on",
            status: .refusedByGuard
        )
    }

    // MARK: locking

    /// Opens the repository and runs `body` under a lock; `--retry-lock` says how long to wait for others.
    func withRepository<Result: Sendable>(
        _ mode: LockMode,
        isDryRun: Bool = false,
        readsSnapshots: Bool = false,
        goesOnWithoutRoom: Bool = false,
        _ body: (Repository) async throws -> Result
    ) async throws -> Result {
        let repository = try await openRepository(isDryRun: isDryRun)
        return try await withLock(
            mode,
            on: repository,
            readsSnapshots: readsSnapshots,
            goesOnWithoutRoom: goesOnWithoutRoom
        ) { try await body(repository) }
    }

    /// Runs `body` under a lock on an open repository.
    func withLock<Result: Sendable>(
        _ mode: LockMode,
        on repository: Repository,
        readsSnapshots: Bool = false,
        goesOnWithoutRoom: Bool = false,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let patience = GoDuration(nanoseconds: max(0, options.retryLockNanoseconds))
        let printer = printer
        let isSaid = OnceFlag()
        return try await repository.withLock(
            mode,
            retryFor: UInt64(patience.nanoseconds / 1_000_000_000),
            waiting: { _ in
                guard isSaid.raise() else { return }
                printer.normal("repo already locked, waiting up to \(patience.description) for the lock")
            },
            readsSnapshots: readsSnapshots,
            goesOnWithoutRoom: goesOnWithoutRoom,
            body
        )
    }

    /// The lock of a command that only reads.
    var readLock: LockMode { options.noLock ? .none : .shared }

    /// Loads the index, with a counter on terminals.
    func loadIndex(_ repository: Repository) async throws {
        guard context.screen.facts.outputIsTerminal, printer.verbosity >= .normal, !options.isJSON else {
            return try await repository.loadIndex()
        }
        let counter = ProgressCounter("index files loaded", session: self)
        try await repository.loadIndex { counter.set(UInt64($0), of: UInt64($1)) }
        counter.finish()
    }
}
