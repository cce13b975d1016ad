import ArgumentParser

/// The verb `holdfast media`.
struct MediaVerb: ParsableCommand, ExampledCommand {
    static let examples = ["holdfast media replace usb-ssd", "holdfast media policy cloud"]

    static let configuration = CommandConfiguration(
        commandName: "media",
        abstract:
            "Looks after the places of copies: a new disk for a dead one, rights in a bucket, pruning apart from runs.",
        subcommands: [MediaReplaceVerb.self, MediaPruneVerb.self, MediaPolicyVerb.self]
    )
}
