import ArgumentParser

/// The verb `holdfast recover`.
struct RecoverVerb: ParsableCommand, ExampledCommand {
    static let examples = ["holdfast recover bootstrap --kit /root/kit.txt"]

    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "The worst day: begins with the recovery kit on a machine that has nothing else.",
        subcommands: [BootstrapVerb.self]
    )
}
