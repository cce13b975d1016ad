import ArgumentParser

/// The verb `holdfast kit`.
struct KitVerb: ParsableCommand, ExampledCommand {
    static let examples = ["holdfast kit create /root/kit.txt", "holdfast kit test /root/kit.txt"]

    static let configuration = CommandConfiguration(
        commandName: "kit",
        abstract: "The recovery kit: the paper that opens the backups when nothing else is left.",
        subcommands: [KitCreateVerb.self, KitShowVerb.self, KitTestVerb.self]
    )
}
