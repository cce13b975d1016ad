/// What changes beside workloads and their copies: budgets, who hears of it.
extension LabDifference {
    static func settings(from old: Lab, to new: Lab) -> [Change] {
        budgets(from: old, to: new) + channels(from: old, to: new)
            + kit(from: old.kit, to: new.kit)
            + text("serve.health", "answers on", old.health?.text ?? "no address", new.health?.text ?? "no address")
    }

    /// A kit on paper does not follow the declaration: what changed is not in it before the next one.
    private static func kit(from old: KitDeclaration, to new: KitDeclaration) -> [Change] {
        func list(_ texts: [String]) -> String { texts.isEmpty ? "nobody" : texts.joined(separator: "; ") }
        var changes = text("kit.holders", "names", list(old.holders), list(new.holders))
        changes += text("kit.test-every", "is", lengthText(old.testEvery), lengthText(new.testEvery))
        let isSame =
            old.accounts == new.accounts
            && old.secrets.map { [$0.name, $0.reference.text] } == new.secrets.map { [$0.name, $0.reference.text] }
        if !isSame {
            changes.append(
                Change(.neutral, "kit", "is to carry something else: make a new one, holdfast kit create FILE")
            )
        }
        return changes
    }

    private static func budgets(from old: Lab, to new: Lab) -> [Change] {
        var changes: [Change] = []
        for repository in new.repositories {
            guard let before = old.repository(named: repository.name)?.budget else { continue }
            let rates = [
                ("uploads", before.upload, repository.budget.upload),
                ("downloads", before.download, repository.budget.download),
            ]
            for (verb, before, after) in rates {
                changes += text(repository.name, verb, rate(before), rate(after))
            }
        }
        func number(_ value: Int?) -> String { value.map { "\($0)" } ?? "as the machine has it" }
        changes += text("budget.threads", "is", number(old.budget.threads), number(new.budget.threads))
        changes += text("budget.nice", "is", number(old.budget.nice), number(new.budget.nice))
        changes += text("budget.io", "is", old.budget.diskUse.rawValue, new.budget.diskUse.rawValue)
        return changes
    }

    private static func rate(_ rate: RateTimetable?) -> String {
        rate.map { "at most \($0.text)" } ?? "without a bound"
    }

    /// Where an entry stands in the file is no change of it.
    private static func channels(from old: Lab, to new: Lab) -> [Change] {
        func key(_ channel: Channel) -> String { "notify.\(channel.name)" }
        var changes: [Change] = []
        for channel in old.channels where !new.channels.contains(where: { $0.name == channel.name }) {
            changes.append(Change(.neutral, key(channel), "is gone: nothing is told there any more"))
        }
        for channel in new.channels {
            guard var before = old.channels.first(where: { $0.name == channel.name }) else {
                changes.append(Change(.neutral, key(channel), "is new"))
                continue
            }
            before.place = channel.place
            guard before != channel else { continue }
            if before.carrier != channel.carrier {
                changes.append(Change(.neutral, key(channel), "goes another way: try `holdfast notify test`"))
            }
            changes += text(key(channel), "hears", events(before), events(channel))
            changes += text(key(channel), "is reminded", reminder(before), reminder(channel))
            changes += text(
                key(channel),
                "gets its sign of life",
                before.signOfLife.text,
                channel.signOfLife.text
            )
        }
        return changes
    }

    private static func events(_ channel: Channel) -> String {
        let names = AlarmEvent.allCases.filter(channel.events.contains).map(\.rawValue)
        return names.isEmpty ? "nothing" : names.joined(separator: ", ")
    }

    private static func reminder(_ channel: Channel) -> String {
        channel.remind.map { "after \(lengthText($0))" } ?? "never"
    }

    /// One line, where the two differ.
    static func text(_ object: String, _ verb: String, _ before: String, _ after: String) -> [Change] {
        before == after ? [] : [Change(.neutral, object, "\(verb) \(after) (was: \(before))")]
    }
}
