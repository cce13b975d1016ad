import ArgumentParser
import Console
import Outcome
import Strategy

/// The verb `holdfast media policy`.
struct MediaPolicyVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast media policy cloud"]

    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract:
            "Prints what each key of a bucket needs and no more, and the bucket's own rules, to paste at the service.",
        discussion: "Nothing is asked and nothing is changed. Ends in 0; 1 for a medium that is no bucket."
    )

    @Argument(help: "The medium's name in the declaration.")
    var name: String

    @OptionGroup var options: LabOptions

    func perform(on screen: Screen) async throws -> Int32 {
        let session = try LabSession(options, screen: screen)
        guard case .s3(let bucket)? = session.lab.medium(named: name)?.location else {
            let buckets = session.lab.media.filter { if case .s3 = $0.location { true } else { false } }.map(\.name)
            throw LabFailure(
                .declaration,
                operation: "print the policy of",
                object: "\"\(name)\"",
                what: "is no medium with a bucket",
                state: "nothing was changed",
                next: buckets.isEmpty ? "declare one with s3" : "name one of: \(buckets.joined(separator: ", "))"
            )
        }
        for part in BucketPolicy(bucket).parts {
            session.printer.normal(Text("# \(part.what)"))
            session.printer.result(Text(part.json))
        }
        return ExitStatus.success.rawValue
    }
}
