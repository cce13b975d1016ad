import ArgumentParser

/// The verb `holdfast verify`.
struct VerifyVerb: ParsableCommand, ExampledCommand {
    static let examples = ["holdfast verify immutability cloud"]

    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Proves what is promised of copies beside their bytes; those are read by every run.",
        subcommands: [VerifyImmutabilityVerb.self]
    )
}
