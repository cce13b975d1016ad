package import Bytes
package import Console

/// The feature flags of restic 0.19.1, checked as restic checks `RESTIC_FEATURES`.
package enum FeatureFlags {
    /// How settled a flag is: `stable` ones are always on.
    enum Maturity: String { case alpha, beta, stable }

    /// All of them by name, and what each does.
    static let known: [(name: ByteString, maturity: Maturity, text: String)] = [
        ("backend-error-redesign", .beta, "repeat network requests that hang, and judge errors of storage anew"),
        (
            "deprecate-legacy-index", .stable,
            "refuse the index format of restic 0.1.0; `repair index` turns it into today's"
        ),
        (
            "deprecate-s3-legacy-layout", .stable,
            "refuse the S3 layout of restic before 0.7.1; restic 0.17.3 can migrate it"
        ),
        (
            "device-id-for-hardlinks", .alpha,
            "record device numbers of files with several names only, so that trees change less between mounts"
        ),
        ("explicit-s3-anonymous-auth", .stable, "sign S3 requests unless `-o s3.unsafe-anonymous-auth=true` is given"),
        ("s3-restore", .alpha, "bring S3 objects back from cold storage when `-o s3.enable-restore=true` is given"),
        ("safe-forget-keep-tags", .stable, "keep `forget --keep-tag` with an unknown tag from removing every snapshot"),
    ]

    /// The flag that this program would have to obey and does not yet.
    private static let unsupported: Set<ByteString> = ["device-id-for-hardlinks"]

    /// Reads `NAME[=BOOL],…`; answers warnings about flags that no longer do anything.
    package static func check(_ value: ByteString?) throws(CommandFailure) -> [Text] {
        guard let value else { return [] }
        var selection: [(name: ByteString, isOn: Bool)] = []
        for part in value.split(0x2c) {
            let (name, word) = part.cut(0x3d) ?? (part, "true")
            do { selection.append((name, try parseGoBool(word))) } catch {
                throw CommandFailure("failed to parse value \(quoted(word)) for feature flag \(name): \(error.text)")
            }
        }
        var warnings: [Text] = []
        for (name, isOn) in selection {
            guard let flag = known.first(where: { $0.name == name }) else {
                throw CommandFailure("unknown feature flag \(quoted(name))")
            }
            switch flag.maturity {
            case .stable:
                warnings.append(
                    "feature flag \(quoted(name)) is always enabled and will be removed in a future release"
                )
            case .alpha, .beta:
                if isOn, unsupported.contains(name) { throw CommandFailure.notYet("the feature flag \(name)") }
            }
        }
        return warnings
    }
}
