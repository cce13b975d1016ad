import Bytes
import ObjectStorage
import Outcome

/// The words for what does not fit.
extension HighWaterSurprises {
    private static let namesShown = 5

    private static let advice =
        "if the repository was restored from a copy, or another machine removes snapshots here, all is well; otherwise remove nothing, and compare it with another copy"

    /// Most certain first.
    func findings(_ scope: SurpriseScope) -> [Finding] {
        var findings: [Finding] = []
        for kind in HighWaterRecord.kinds {
            guard let back = returned[kind] else { continue }
            findings.append(
                finding(
                    .storeSetBack,
                    kind == .index ? "index files" : "snapshots",
                    "\(Self.list(back)) \(back.count == 1 ? "was gone, and is" : "were gone, and are") there again: the store was set back to an earlier state, or old files were put back"
                )
            )
        }
        for newest in newestGone {
            findings.append(
                finding(
                    .snapshotGone,
                    "snapshot \(newest.id.short)",
                    "is gone, though it was the newest that this machine saved of its host and paths, there is no newer one, and this machine did not remove it"
                )
            )
        }
        guard scope != .unexplained else { return findings }
        if !indexesGone.isEmpty {
            findings.append(
                finding(
                    .indexGone,
                    "index files",
                    "\(Self.wereThere(indexesGone)); no newer ones took their place"
                )
            )
        }
        let others = (scope == .own ? ownGone : snapshotsGone).subtracting(newestGone.map(\.id))
        if !others.isEmpty {
            findings.append(
                finding(
                    .snapshotGone,
                    "snapshots",
                    "\(Self.wereThere(others)); this machine did not remove \(others.count == 1 ? "it" : "them")"
                )
            )
        }
        return findings
    }

    private func finding(_ code: CheckCode, _ object: String, _ what: String) -> Finding {
        Finding(.warning, code, object: object, what: what, next: Self.advice)
    }

    private static func wereThere(_ ids: Set<Digest>) -> String {
        "\(list(ids)) \(ids.count == 1 ? "was there before, and is gone" : "were there before, and are gone")"
    }

    private static func list(_ ids: Set<Digest>) -> String {
        let shown = ids.sorted().prefix(namesShown).map(\.short).joined(separator: ", ")
        return ids.count > namesShown ? "\(shown) and \(ids.count - namesShown) more" : shown
    }
}
