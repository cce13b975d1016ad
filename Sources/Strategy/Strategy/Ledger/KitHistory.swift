package import Bytes

/// What is known of the newest recovery kit; never a secret of it.
package struct KitHistory: Sendable, Hashable {
    package var serial: String
    package var made: Timestamp
    /// Which key made the tags: those of another one cannot be compared.
    package var tagKey: String
    /// Keyed tags of its secrets, by the key of the declaration: `repositories.host-os.password`.
    package var tags: [String: String] = [:]
    /// Identifiers of the repositories that it names; empty where it knows none.
    package var ids: [String: String] = [:]
    /// When each repository was last opened and read with this kit alone.
    package var passed: [String: Timestamp] = [:]
    /// What went wrong when a repository was last tried with it.
    package var failures: [String: String] = [:]

    package init(serial: String, made: Timestamp, tagKey: String) {
        self.serial = serial
        self.made = made
        self.tagKey = tagKey
    }

    /// The one that counts of two: the newer kit, with all that was proven of it.
    package func merged(with other: KitHistory?) -> KitHistory {
        guard let other else { return self }
        guard other.serial == serial else { return made < other.made ? other : self }
        var merged = self
        for (name, moment) in other.passed where (passed[name] ?? .distantPast) < moment {
            merged.passed[name] = moment
        }
        return merged
    }
}

/// What a kit is not good for any more.
package enum KitConcern: Sendable, Hashable {
    /// There is none.
    case missing
    /// Repositories that it does not name, or names by another identifier.
    case lacks([String])
    /// Secrets that are others now, by the keys of the declaration.
    case outdated([String])
    /// What it carries cannot be compared with what counts now.
    case incomparable
    /// Repositories that it did not open, with the reason.
    case failed(String, String)
    /// Repositories that it never opened.
    case untested([String])
    /// Repositories that it opened so long ago, the longest time.
    case overdue([String], Duration)
}

extension Lab {
    /// What is wrong with the newest kit.
    ///
    /// `ids` are those of the repositories that were ever seen; `tags` those of the secrets as they are now, as far as they are known, made with the key
    /// `tagKey`.
    package func kitConcerns(
        _ history: KitHistory?,
        ids: [String: String],
        tags: [String: String],
        tagKey: String?,
        now: Timestamp
    ) -> [KitConcern] {
        let seen = repositories.map(\.name).filter { ids[$0] != nil }
        guard let history else { return seen.isEmpty ? [] : [.missing] }
        var concerns: [KitConcern] = []
        let lacking = seen.filter { name in
            guard let known = history.ids[name] else { return true }
            return !known.isEmpty && known != ids[name]
        }
        if !lacking.isEmpty { concerns.append(.lacks(lacking)) }
        let named = kit.references.map(\.key).filter { history.tags[$0] == nil }
        if tagKey == history.tagKey {
            let changed = tags.keys.filter { key in history.tags[key].map { $0 != tags[key] } ?? false }.sorted()
            if !(changed + named).isEmpty { concerns.append(.outdated(changed + named)) }
        } else {
            concerns.append(.incomparable)
        }
        let kept = seen.filter { !lacking.contains($0) }
        for name in kept { if let why = history.failures[name] { concerns.append(.failed(name, why)) } }
        let tried = kept.filter { history.failures[$0] == nil }
        let never = tried.filter { history.passed[$0] == nil }
        if !never.isEmpty { concerns.append(.untested(never)) }
        let old = tried.compactMap { name in history.passed[name].map { (name, now.length(since: $0)) } }
            .filter { $0.1 > kit.testEvery }
        if let longest = old.map(\.1).max() { concerns.append(.overdue(old.map(\.0), longest)) }
        return concerns
    }
}
