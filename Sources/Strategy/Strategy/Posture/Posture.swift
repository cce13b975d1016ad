/// What is known of one copy of a workload, for the count of copies.
package struct CopyFacts: Sendable, Hashable {
    package var medium: String
    package var kind: MediumKind
    /// Names of the physical disks that hold it, below every layer; nil when they cannot be told.
    package var disks: Set<String>?
    /// It holds a good snapshot within the promise.
    package var isGood: Bool
    /// A delete was tried there and refused, or the disk is unplugged.
    package var isOutOfReach: Bool

    package init(medium: String, kind: MediumKind, disks: Set<String>?, isGood: Bool, isOutOfReach: Bool) {
        self.medium = medium
        self.kind = kind
        self.disks = disks
        self.isGood = isGood
        self.isOutOfReach = isOutOfReach
    }
}

/// 3-2-1-1-0: three copies, on two media, one off-site, one out of reach, no errors in the last proof.
///
/// The live data is a copy and its disk a medium. Copies that share a disk with each other count as one, and with the source as none; a
/// stand-in counts as nothing. What cannot be told counts as the worse: copies on unknown disks of this machine share one disk,
/// and a source on an unknown disk shares that of one copy.
package struct Posture: Sendable, Hashable {
    package var copies: Int
    package var media: Int
    package var offsite: Int
    package var outOfReach: Int
    /// Nil: nothing was proven yet.
    package var errors: Int?

    /// Counts; `source` are the disks that hold the live data, nil when they cannot be told.
    package init(_ facts: [CopyFacts], source: Set<String>?, errors: Int?) {
        let good = facts.filter { $0.isGood && $0.kind != .standIn }
        let near = good.filter { $0.kind != .offsite }
        var taken = source ?? []
        var isUnknownTaken = source == nil
        var separate = 0
        var far: Set<String> = []
        outOfReach = good.filter(\.isOutOfReach).count
        for copy in near {
            guard let disks = copy.disks, !disks.isEmpty else {
                if !isUnknownTaken { separate += 1 }
                isUnknownTaken = true
                continue
            }
            if taken.isDisjoint(with: disks) { separate += 1 }
            taken.formUnion(disks)
        }
        // The source may lie on any one of them.
        if source == nil, separate > 0 { separate -= 1 }
        for copy in good where copy.kind == .offsite { far.insert(copy.medium) }
        offsite = far.count
        copies = 1 + separate + far.count
        media = 1 + separate + far.count
        self.errors = errors
    }

    /// True when all five hold.
    package var isWhole: Bool { copies >= 3 && media >= 2 && offsite >= 1 && outOfReach >= 1 && errors == 0 }

    /// `2-2-0-1-?`: what is there, in the order of the rule.
    package var text: String { "\(copies)-\(media)-\(offsite)-\(outOfReach)-\(errors.map(String.init) ?? "?")" }
}
