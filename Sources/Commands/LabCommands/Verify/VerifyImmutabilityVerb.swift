import ArgumentParser
import Bytes
import Console
import ObjectStorage
import Outcome
import Protection
import Strategy

/// The verb `holdfast verify immutability`.
struct VerifyImmutabilityVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast verify immutability cloud", "holdfast verify immutability cloud --json"]

    static let configuration = CommandConfiguration(
        commandName: "immutability",
        abstract:
            "Tries to destroy copies in a bucket or on a server with the credentials that runs hold, and remembers what came of it.",
        discussion: """
            Beside each kind of object of each repository there, a canary of a few bytes is put with the lock of every object. Then it is tried to shorten that lock, \
            to delete that version by its id, both by the bypass of governance too, and to hide it behind a delete marker. After each attempt the version is \
            looked at again. No object of a repository is touched; canaries stay until their lock ends, and stock tools pass over them.

            On a REST server a pack that no index names is put, and it is tried to delete and to replace it, and to delete an index, a snapshot and a key that \
            are not there.

            Ends in 0 when everything was withstood; 21 when something was not, and then the copies count as destroyable; 1 when it could not be tried.
            """
    )

    @Argument(help: "The medium's name in the declaration.")
    var name: String

    @OptionGroup var options: LabOptions

    func perform(on screen: Screen) async throws -> Int32 {
        let session = await (try LabSession(options, screen: screen)).recording()
        let isBucket = session.lab.medium(named: name).map { if case .s3 = $0.location { true } else { false } }
        let page = ImmutabilityPage(medium: name, isBucket: isBucket ?? false, printer: session.printer)
        let proof = try await session.onPool {
            try await ImmutabilityTrial(session.environment).run(name) { page.show($1, in: $0) }
        }
        return page.end(proof)
    }
}

/// What is said of attempts to destroy canaries.
struct ImmutabilityPage: Sendable {
    let medium: String
    /// It has rights and rules to paste.
    let isBucket: Bool
    let printer: Printer

    func show(_ trial: CanaryTrial, in repository: String) {
        guard !printer.isJSON else { return showJSON(trial, repository) }
        let until = trial.lockedUntil.map { ": locked until \(LocalTime(utc: $0)) UTC" }
        printer.result(Text("\(repository) \(trial.canary.name)\(until ?? (trial.hasLocks ? ": NOT LOCKED" : ""))"))
        for (attempt, outcome) in trial.attempts {
            printer.result(Text("  \(word(outcome)) \(attempt.rawValue): \(outcome.text)"))
        }
    }

    /// The line below, and the exit status.
    func end(_ proof: DestructionProof) -> Int32 {
        if printer.isJSON {
            var line = JSONLine(messageType: "summary")
            line.add("medium", medium)
            line.add("immutable", proof.isProven)
            line.add("what", proof.what)
            printer.result(line.text)
        } else if proof.isProven {
            printer.result(Text("\(medium) immutable: yes, all of it was withstood"))
        } else {
            printer.result(Text("\(medium) immutable: no: \(proof.what)"))
            printer.result(
                Text(
                    "  next: docs/manual/immutable.md\(isBucket ? "; what the bucket and its keys need: holdfast media policy \(medium)" : "")"
                )
            )
        }
        return (proof.isProven ? ExitStatus.success : .refusedByGuard).rawValue
    }

    private func word(_ outcome: AttemptOutcome) -> String {
        switch outcome {
        case .withstood: "withstood"
        case .gaveWay: "GAVE WAY "
        case .unclear: "unclear  "
        }
    }

    private func showJSON(_ trial: CanaryTrial, _ repository: String) {
        for (attempt, outcome) in trial.attempts {
            var line = JSONLine(messageType: "attempt")
            line.add("repository", repository)
            line.add("canary", trial.canary.name)
            line.add("attempt", attempt.rawValue)
            line.add("withstood", outcome.isWithstood)
            line.add("answer", outcome.text)
            printer.result(line.text)
        }
    }
}
