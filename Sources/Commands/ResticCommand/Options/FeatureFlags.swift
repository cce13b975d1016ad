package import Bytes
package import Console

/// The feature flags of restic 0.19.1, checked as restic checks `RESTIC_FEATURES`.
package enum FeatureFlags {
    private enum Maturity { case alpha, beta, stable }

    private static let known: [(name: ByteString, maturity: Maturity)] = [
        ("backend-error-redesign", .beta), ("deprecate-legacy-index", .stable), ("deprecate-s3-legacy-layout", .stable),
        ("device-id-for-hardlinks", .alpha), ("explicit-s3-anonymous-auth", .stable),
        ("safe-forget-keep-tags", .stable),
        ("s3-restore", .alpha),
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
