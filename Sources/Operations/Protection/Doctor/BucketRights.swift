import ObjectStorage
import Outcome
import Strategy

/// What the doctor says of what keys can do in a bucket.
struct BucketRights {
    let medium: Medium

    private var policy: String { "holdfast media policy \(medium.name): rights to paste" }

    /// The key that runs hold.
    func ofRuns(_ rights: S3Rights) -> Examined {
        let object = "\(medium.name), the key of runs"
        let needed = [
            ("list", rights.list), ("read", rights.read), ("write", rights.write), ("remove lock files", rights.remove),
        ]
        let missing = refused(needed)
        guard missing.isEmpty else { return Examined(.bad, object, "cannot \(missing)", next: policy) }
        guard rights.destroy.isGranted else {
            return Examined(.good, object, "lists, reads and writes, and cannot destroy a copy")
        }
        let what = "lists, reads and writes, and can delete copies for good"
        guard medium.lock == nil else { return Examined(.good, object, "\(what) once their locks have ended") }
        return Examined(
            .doubtful,
            object,
            what,
            next: "docs/manual/immutable.md: locks, and a key of its own for pruning"
        )
    }

    /// The key that the kit carries.
    func ofKit(_ rights: S3Rights) -> Examined {
        let object = "\(medium.name), the key of the kit"
        let missing = refused([("list", rights.list), ("read", rights.read)])
        guard missing.isEmpty else { return Examined(.bad, object, "cannot \(missing)", next: policy) }
        let more = [("write", rights.write), ("delete", rights.destroy)].filter(\.1.isGranted).map(\.0)
        guard more.isEmpty else {
            let what =
                "can \(more.joined(separator: " and ")), too: whoever finds the paper could destroy what it opens"
            return Examined(medium.kind == .standIn ? .doubtful : .bad, object, what, next: policy)
        }
        return Examined(.good, object, "lists and reads, and can do nothing else")
    }

    private func refused(_ rights: [(String, S3Rights.Right)]) -> String {
        rights.compactMap { name, right in
            if case .refused(let said) = right { "\(name) (\(said))" } else { nil }
        }.joined(separator: ", nor ")
    }
}
