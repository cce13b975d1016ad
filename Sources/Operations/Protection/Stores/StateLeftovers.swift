import Bytes
import HostSystem

/// Temporary files that writers who were killed have left in the state folder.
///
/// 1. In `record/` whoever writes holds the lock of the ledger: what lies there under that lock is nobody's.
/// 2. In the state folder itself writers hold no lock: what is old enough is nobody's, and only names that are ours are looked at, since the operator
///    chose the folder. A time that lies ahead of the clock is not old.
/// 3. Nothing depends on it: what cannot be removed stays, and the next run tries again.
struct StateLeftovers {
    /// Far longer than the two syncs of a write take on any disk, in seconds.
    private static let ageSeconds: Int64 = 3600
    /// What is written in the state folder itself: by `doctor`, and by the journal.
    private static let ownNames = ["probe", "journal-pending.jsonl.unread-"]

    let folder: String
    let now: Timestamp

    /// Whether there is anything to look through.
    var isMade: Bool { (try? status(at: ByteString(StateFolder.record(in: folder))))?.kind == .directory }

    /// Removes them; the caller holds the lock of the ledger.
    func remove() {
        remove(in: StateFolder.record(in: folder)) { _, _ in true }
        remove(in: folder) { name, status in
            status.modified.seconds < now.seconds - Self.ageSeconds
                && Self.ownNames.contains { name.bytes.starts(with: $0.utf8) }
        }
    }

    private func remove(in path: String, where isNobodys: (ByteString, FileStatus) -> Bool) {
        guard let directory = try? Directory.open(ByteString(path)), let entries = try? directory.entries() else {
            return
        }
        for entry in entries {
            guard let name = durableName(ofTemporary: entry.name), let status = try? directory.status(entry.name),
                status.kind == .regular, isNobodys(name, status)
            else { continue }
            try? directory.remove(entry.name)
        }
    }
}
