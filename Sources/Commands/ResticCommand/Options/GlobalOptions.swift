package import Bytes
package import Compression
import Console
import HostSystem
import Outcome

/// The options that every command takes, after environment and command line were put together.
package struct GlobalOptions: Sendable {
    package var repository: ByteString?
    var repositoryFile: ByteString?
    var password: PasswordSource
    var keyHint: ByteString?
    var verbosity: Verbosity
    var isQuiet: Bool
    var isJSON: Bool
    var noLock: Bool
    var retryLockNanoseconds: Int64
    var cacheDirectory: ByteString?
    /// Where it is remembered what was seen in repositories, when that is not the cache directory.
    var recordDirectory: ByteString?
    var noCache: Bool
    var cleanupCache: Bool
    package var compression: CompressionMode
    /// MiB, 0 for the default.
    package var packSizeMiB: UInt64
    var extraVerify: Bool
    var uploadKiB: Int64
    var downloadKiB: Int64
    var extended: ExtendedOptions
    var network: NetworkOptions

    /// The most that a pack may be aimed at, and the least, in MiB.
    private static let packSizes: ClosedRange<UInt64> = 4...128

    /// Puts flags over environment.
    ///
    /// Errors are those of restic's checks before a command runs.
    package init(_ values: FlagValues, _ environment: Environment) throws(CommandFailure) {
        func text(_ flag: String, _ variable: String) -> ByteString? {
            let given = values.isSet(flag) ? values.text(flag) : environment.value(variable)
            return given.flatMap { $0.isEmpty ? nil : $0 }
        }
        repository = text("repo", "RESTIC_REPOSITORY")
        repositoryFile = text("repository-file", "RESTIC_REPOSITORY_FILE")
        password = PasswordSource(
            file: text("password-file", "RESTIC_PASSWORD_FILE"),
            command: text("password-command", "RESTIC_PASSWORD_COMMAND"),
            variable: "RESTIC_PASSWORD",
            isInsecureWithoutPassword: values.isOn("insecure-no-password")
        )
        keyHint = text("key-hint", "RESTIC_KEY_HINT")
        packSizeMiB = try Self.packSize(values, environment)
        compression = try Self.compression(values, environment)
        isQuiet = values.isOn("quiet")
        isJSON = values.isOn("json")
        let loudness = values.integer("verbose") ?? 0
        if isQuiet, loudness > 0 { throw .fatal("--quiet and --verbose cannot be specified at the same time") }
        verbosity = loudness >= 2 ? .detailed : loudness > 0 ? .verbose : isQuiet ? .quiet : .normal
        noLock = values.isOn("no-lock")
        retryLockNanoseconds = values.integer("retry-lock") ?? 0
        cacheDirectory = text("cache-dir", "RESTIC_CACHE_DIR")
        noCache = values.isOn("no-cache")
        cleanupCache = values.isOn("cleanup-cache")
        extraVerify = !values.isOn("no-extra-verify")
        uploadKiB = max(0, values.integer("limit-upload") ?? 0)
        downloadKiB = max(0, values.integer("limit-download") ?? 0)
        extended = try ExtendedOptions(values.texts("option"))
        network = NetworkOptions(values, environment)
    }

    private static func packSize(_ values: FlagValues, _ environment: Environment) throws(CommandFailure) -> UInt64 {
        if let given = values.unsigned("pack-size") { return given }
        guard let text = environment.value("RESTIC_PACK_SIZE") else { return 0 }
        do { return try parseGoUInt(text, base: 10, bits: 32) } catch {
            throw .fatal("invalid value for RESTIC_PACK_SIZE \(quoted(text)): \(error.text)")
        }
    }

    private static func compression(
        _ values: FlagValues,
        _ environment: Environment
    ) throws(CommandFailure) -> CompressionMode {
        if let given = values.text("compression") { return CompressionMode(rawValue: given.display) ?? .auto }
        guard let text = environment.value("RESTIC_COMPRESSION") else { return .auto }
        if let complaint = compressionComplaint(text) {
            throw .fatal("invalid value for RESTIC_COMPRESSION \(quoted(text)): \(complaint)")
        }
        return CompressionMode(rawValue: text.display) ?? .auto
    }

    /// Refuses pack sizes that restic refuses; asked when a repository is opened.
    func checkPackSize() throws(CommandFailure) {
        if packSizeMiB > Self.packSizes.upperBound {
            throw .fatal("pack size larger than limit of \(Self.packSizes.upperBound) MiB")
        }
        if packSizeMiB != 0, packSizeMiB < Self.packSizes.lowerBound {
            throw .fatal("pack size smaller than minimum of \(Self.packSizes.lowerBound) MiB")
        }
    }

    /// The location as typed, from option or file.
    func location() throws(CommandFailure) -> ByteString {
        if repository != nil, repositoryFile != nil {
            throw .fatal("Options -r and --repository-file are mutually exclusive, please specify only one")
        }
        if let repository { return repository }
        guard let file = repositoryFile else {
            throw .fatal("Please specify repository location (-r or --repository-file)")
        }
        do {
            let text = ByteString(decodedText(try readFile(file, limit: 1 << 20))).trimmed
            guard !text.isEmpty else { throw CommandFailure.fatal("\(file) holds no repository location") }
            return text
        } catch let error as Errno {
            if error.kind == .missing { throw .fatal("\(file) does not exist") }
            throw CommandFailure("open \(file): \(goMessage(error))")
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure("\(String(describing: error))")
        }
    }
}
