package import Bytes
import Console
import Outcome

/// True when the program was called through a link or copy named `restic`.
package func isRestic(_ programPath: ByteString) -> Bool {
    programPath.bytes.split(separator: 0x2f).last?.elementsEqual("restic".utf8) ?? false
}

/// Runs one command of restic's command line and answers its exit status.
///
/// `arguments` are those after the program's name (and after `restic` in `holdfast restic …`). Nothing is thrown: every failure was
/// printed, as text or, with `--json`, as an object of type `exit_error`. Isolation: call it in a task on `context.pool`; it blocks.
package func runRestic(arguments: [ByteString], context: CommandContext) async -> Int32 {
    var isJSON = false
    defer { context.screen.flush() }
    do {
        for warning in try FeatureFlags.check(context.environment.value("RESTIC_FEATURES")) {
            context.screen.errorLine(warning)
        }
        let found = findVerb(arguments)
        if let unknown = found.unknown { throw unknownCommand(unknown, calledAs: "restic") }
        guard let verb = found.verb else {
            try printOverview(found.arguments, context, isJSON: &isJSON)
            return ExitStatus.success.rawValue
        }
        let status = try await run(verb, found.arguments, context, isJSON: &isJSON)
        return status.rawValue
    } catch {
        let report = ExitReport(error)
        context.screen.setStatus([])
        report.print(on: context.screen, isJSON: isJSON)
        return report.status.rawValue
    }
}

private func printOverview(_ arguments: [ByteString], _ context: CommandContext, isJSON: inout Bool) throws {
    var parser = FlagParser(globalFlags)
    defer { isJSON = parser.values.isOn("json") }
    try parser.parse(arguments)
    context.screen.line(overviewHelp(calledAs: context.programName))
}

private func run(
    _ verb: Verb,
    _ arguments: [ByteString],
    _ context: CommandContext,
    isJSON: inout Bool
) async throws -> ExitStatus {
    guard verb.isSupported else {
        // What it will take is told, and nothing done.
        if arguments.contains("--help") || arguments.contains("-h") {
            context.screen.line(help(for: verb, calledAs: context.programName))
            return .success
        }
        isJSON = arguments.contains("--json")
        throw CommandFailure.notYet("the command \"\(verb.rawValue)\"")
    }
    var parser = FlagParser(globalFlags + verb.flags)
    do { try parser.parse(arguments) } catch {
        isJSON = parser.values.isOn("json")
        throw error
    }
    isJSON = parser.values.isOn("json")
    for warning in parser.warnings { context.screen.errorLine(warning) }
    if parser.values.isOn("help") {
        context.screen.line(help(for: verb, calledAs: context.programName))
        return .success
    }
    if verb == .help { return printHelp(parser.words, context) }
    if verb == .list { try checkListWords(parser.words) }
    if try !isComplete(verb, parser) {
        context.screen.line(help(for: verb, calledAs: context.programName))
        return .success
    }
    let options = try GlobalOptions(parser.values, context.environment)
    var password: Secret?
    if verb.needsPassword {
        try context.selfTest()
        do { password = try await options.password.resolve(context.environment) } catch let failure as CommandFailure {
            throw CommandFailure.fatal("Resolving password failed: \(failure.message)")
        }
    }
    let session = Session(
        context: context,
        values: parser.values,
        words: parser.words,
        options: options,
        password: password,
        printer: Printer(screen: context.screen, verbosity: options.verbosity, isJSON: options.isJSON)
    )
    return try await session.run(verb)
}

/// False when a command of several actions is not told which: it shows its help then.
private func isComplete(_ verb: Verb, _ parser: FlagParser) throws(CommandFailure) -> Bool {
    switch verb {
    case .key: try keyAction(parser.words, parser.values) != nil
    case .repair: try repairAction(parser.words, parser.values) != nil
    default: true
    }
}

private func printHelp(_ words: [ByteString], _ context: CommandContext) -> ExitStatus {
    guard let word = words.first else {
        context.screen.line(overviewHelp(calledAs: context.programName))
        return .success
    }
    if let verb = Verb(rawValue: word.display) {
        context.screen.line(help(for: verb, calledAs: context.programName))
    } else {
        context.screen.errorLine("Unknown help topic [`\(word)`]")
        context.screen.errorLine(overviewHelp(calledAs: context.programName))
    }
    return .success
}

private func checkListWords(_ words: [ByteString]) throws(CommandFailure) {
    guard words.count == 1 else { throw CommandFailure("accepts 1 arg(s), received \(words.count)") }
    guard Verb.listableKinds.contains(words[0].display) else {
        throw CommandFailure("invalid argument \(quoted(words[0])) for \"restic list\"")
    }
}

extension Session {
    /// The command itself.
    ///
    /// Commands that are not there yet were refused before.
    fileprivate func run(_ verb: Verb) async throws -> ExitStatus {
        switch verb {
        case .backup: return try await runBackup()
        case .restore: return try await runRestore()
        case .check: return try await runCheck()
        case .initialize: return try await runInit()
        case .snapshots: return try await runSnapshots()
        case .ls: return try await runLs()
        case .copy: return try await runCopy()
        case .prune: return try await runPrune()
        case .repair: return try await runRepair()
        case .rebuildIndex: return try await runRepairIndex()
        case .dump: return try await runDump()
        case .generate: return try runGenerate()
        case .features: return try runFeatures()
        case .options: return runOptions()
        case .cache: return try runCache()
        case .diff: return try await runDiff()
        case .stats: return try await runStats()
        case .find: return try await runFind()
        case .forget: return try await runForget()
        case .tag: return try await runTag()
        case .key: return try await runKey()
        case .rewrite: return try await runRewrite()
        case .recover: return try await runRecover()
        case .migrate: return try await runMigrate()
        case .cat: return try await runCat()
        case .list: return try await runList()
        case .unlock: return try await runUnlock()
        case .version: return runVersion()
        default: throw CommandFailure.notYet("the command \"\(verb.rawValue)\"")
        }
    }
}
