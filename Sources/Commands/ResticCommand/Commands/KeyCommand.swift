import Bytes
import Console
import ObjectStorage
import Outcome
import ResticFormat
import ResticRepository

/// What `key` does.
enum KeyAction: String, CaseIterable {
    case add, list, passwd, remove

    /// True when it makes a key, and takes the options for that.
    var isMaking: Bool { self == .add || self == .passwd }
}

/// What `key` is asked to do, nil when no word or an unknown one says it.
///
/// Errors: an option that this action does not take.
func keyAction(_ words: [ByteString], _ values: FlagValues) throws(CommandFailure) -> KeyAction? {
    let action = words.first.flatMap { KeyAction(rawValue: $0.display) }
    guard action?.isMaking != true else { return action }
    if let flag = keyFlags.first(where: { values.isSet($0.name) }) {
        throw CommandFailure("unknown flag: --\(flag.name)")
    }
    return action
}

extension Session {
    /// `key add|list|passwd|remove`: the passwords of the repository.
    func runKey() async throws -> ExitStatus {
        guard let action = try keyAction(words, values) else {
            printer.result(help(for: .key, calledAs: context.programName))
            return .success
        }
        let arguments = words.dropFirst()
        if action == .remove {
            guard arguments.count == 1, let name = arguments.first else {
                throw CommandFailure("key remove expects one argument as the key id")
            }
            return try await withRepository(.exclusive) { try await removeKey(name, $0) }
        }
        guard arguments.isEmpty else {
            throw CommandFailure(
                "the key \(action.rawValue) command expects no arguments, only options - please see `restic help key \(action.rawValue)` for usage and flags"
            )
        }
        switch action {
        case .list: return try await withRepository(readLock) { try await listKeys($0) }
        case .passwd: return try await withRepository(.exclusive) { try await makeKey($0, isReplacing: true) }
        case .add, .remove: return try await withRepository(.shared) { try await makeKey($0, isReplacing: false) }
        }
    }

    // MARK: listing

    private func listKeys(_ repository: Repository) async throws -> ExitStatus {
        let keys = try await repository.listKeys { _, error in printer.error("LoadKey() failed: \(causeText(error))") }
        if options.isJSON {
            printer.result(Text(bytes: array(keys.map { keyJSON($0, isCurrent: $0.id == repository.keyID) })))
            return .success
        }
        func shown(_ name: ByteString) -> [Text] { [Text(bytes: printer.name(name).bytes)] }
        var table = Table([" ID", "User", "Host", "Created"])
        for key in keys {
            let mark = key.id == repository.keyID ? "*" : " "
            let created = Text(localText(key.file.created.moment))
            table.add([["\(mark)\(key.id.short)"], shown(key.file.username), shown(key.file.hostname), [created]])
        }
        for line in table.lines() { printer.result(line) }
        return .success
    }

    private func keyJSON(_ key: KeyEntry, isCurrent: Bool) -> [UInt8] {
        var line = JSONLine()
        line.add("current", isCurrent)
        line.add("id", key.id.hex)
        line.add("userName", key.file.username)
        line.add("hostName", key.file.hostname)
        line.add("created", localText(key.file.created.moment))
        return line.object
    }

    // MARK: making

    /// The new key, and with `isReplacing` the end of the one in use; the words come in JSON runs too, as in restic.
    private func makeKey(_ repository: Repository, isReplacing: Bool) async throws -> ExitStatus {
        let password = try newKeyPassword()
        let (user, host) = (keyName("user"), keyName("host"))
        let words = Printer(screen: context.screen, verbosity: printer.verbosity, isJSON: false)
        guard isReplacing else {
            let key = try await repository.addKey(password: password, userName: user, hostName: host)
            words.normal("saved new key with ID \(key.id.hex)")
            return .success
        }
        let key = try await repository.changePassword(to: password, userName: user, hostName: host)
        let maker = "\(printer.name(key.file.username).display)@\(printer.name(key.file.hostname).display)"
        words.normal("saved new key as <Key of \(maker), created on \(goText(key.file.created))>")
        return .success
    }

    private func keyName(_ flag: String) -> ByteString? { values.text(flag).flatMap { $0.isEmpty ? nil : $0 } }

    /// From the file, empty where that is wanted, or asked for, twice where a person answers.
    private func newKeyPassword() throws -> Secret {
        let file = keyName("new-password-file")
        if values.isOn("new-insecure-no-password") {
            guard file == nil else {
                throw CommandFailure(
                    "only either --new-password-file or --new-insecure-no-password may be specified"
                )
            }
            return Secret([])
        }
        guard let file else { return try askNewPassword() }
        guard let password = try PasswordSource.readFile(file) else {
            throw CommandFailure(
                "an empty password is not allowed by default. Pass the flag `--new-insecure-no-password` to restic to disable this check"
            )
        }
        return password
    }

    private func askNewPassword() throws -> Secret {
        let source = PasswordSource(variable: "")
        let first = try readPassword(nil, source, prompt: "enter new password: ")
        guard context.screen.facts.inputIsTerminal else { return first }
        let second = try readPassword(nil, source, prompt: "enter password again: ")
        let isSame = first.withBytes { left in
            second.withBytes { right in left.elementsEqual(right) }
        }
        guard isSame else { throw CommandFailure.fatal("passwords do not match") }
        return first
    }

    // MARK: removing

    private func removeKey(_ name: ByteString, _ repository: Repository) async throws -> ExitStatus {
        let id: KeyID
        do { id = KeyID(try await repository.find(.key, prefix: name.display)) } catch let failure as RepositoryFailure
        {
            throw CommandFailure(Text(failure.what) + "\n  next:  list the keys with `key list`")
        }
        guard id != repository.keyID else {
            throw CommandFailure.fatal("refusing to remove key currently used to access repository")
        }
        try await repository.removeKey(id)
        printer.normal("removed key \(id.hex)")
        return .success
    }
}
