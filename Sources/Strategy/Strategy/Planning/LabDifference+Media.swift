/// What changes in the media.
extension LabDifference {
    private static func budget(of medium: Medium, _ before: Medium) -> [Change] {
        func cost(_ medium: Medium) -> String { medium.bucketBudget.cost?.text ?? "no bound" }
        func egress(_ medium: Medium) -> String { medium.bucketBudget.egress.map(sizeText) ?? "no bound" }
        return text("\(medium.name), a month's cost,", "has", cost(before), cost(medium))
            + text("\(medium.name), a month's egress,", "has", egress(before), egress(medium))
    }

    /// Where copies lie, and by what a disk is known.
    static func media(from old: Lab, to new: Lab) -> [Change] {
        new.media.flatMap { medium -> [Change] in
            guard let before = old.medium(named: medium.name) else { return [] }
            var changes: [Change] = []
            if before.text != medium.text {
                changes.append(Change(.neutral, medium.name, "moves from \(before.text) to \(medium.text)"))
            }
            changes += budget(of: medium, before)
            if before.text == medium.text, before.location.withoutCosts != medium.location.withoutCosts {
                changes.append(Change(.neutral, medium.name, "is reached in another way"))
            }
            if before.credentials != medium.credentials {
                let (old, now) = (before.credentials?.text ?? "none", medium.credentials?.text ?? "none")
                changes.append(Change(.neutral, medium.name, "is entered with \(now) (was: \(old))"))
            }
            if before.readOnly != medium.readOnly {
                let (old, now) = (before.readOnly?.text ?? "nothing", medium.readOnly?.text ?? "nothing")
                changes.append(Change(.neutral, medium.name, "is read by a kit with \(now) (was: \(old))"))
            }
            if before.pruning != medium.pruning {
                let (old, now) = (before.pruning?.text ?? "what runs hold", medium.pruning?.text ?? "what runs hold")
                changes.append(Change(.neutral, medium.name, "is pruned with \(now) (was: \(old))"))
            }
            if before.kind != medium.kind {
                let effect: Change.Effect = medium.kind == .standIn ? .less : before.kind == .standIn ? .more : .neutral
                let counts = medium.kind == .standIn ? ": its copies count no more" : ""
                let what = "was \(before.kind.rawValue), is \(medium.kind.rawValue)\(counts)"
                changes.append(Change(effect, medium.name, what))
            }
            if before.identity != medium.identity {
                let what =
                    medium.identity.map { "is known by \($0) (was: \(before.identity ?? "any disk"))" }
                    ?? "is known by nothing any more: every disk in its place is taken for it (was: \(before.identity ?? ""))"
                let effect: Change.Effect = medium.identity == nil ? .less : before.identity == nil ? .more : .neutral
                changes.append(Change(effect, medium.name, what))
            }
            if before.isMountedForRuns != medium.isMountedForRuns {
                let what = medium.isMountedForRuns ? "is mounted for runs alone" : "is no longer mounted by runs"
                changes.append(Change(.neutral, medium.name, what))
            }
            return changes
        }
    }
}

extension MediumLocation {
    /// As it is reached: what it costs changes nothing of that.
    fileprivate var withoutCosts: MediumLocation {
        guard case .s3(var bucket) = self else { return self }
        bucket.prices = nil
        bucket.budget = BucketBudget()
        return .s3(bucket)
    }
}
