import Bytes
import Outcome
import ResticRepository
import Journal
package import KitFormat
package import Protection
import Strategy

extension ProtectionEnvironment {
    /// Notes in the journal which kit this is, who did what with it, and the tags of what it carries.
    func noteInJournal(_ history: KitHistory, _ what: String) async {
        let tags = history.tags.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        let who = "\(repository.userName.display)@\(repository.hostName.display)"
        await journal?.record([
            .fact(key: "kit/\(history.serial)", value: tags, when: history.made),
            .audit(AuditRecord(who: who, what: what, object: "kit \(history.serial) of lab \(lab.name)", when: now)),
        ])
    }

    /// Remembers what a test of a kit showed; evidence of each repository goes into the journal.
    ///
    /// A kit that this machine does not know is taken as the newest where none that is newer is known.
    package func record(_ trials: [KitTrial], of kit: RecoveryKit) async throws {
        let tags = try SecretTags.open(in: stateFolder, entropy: repository.entropy)
        var tested = KitHistory(serial: kit.serial, made: kit.moment ?? now, tagKey: tags.name)
        for entry in kit.repositories {
            tested.tags["repositories.\(entry.name).password"] = tags.tag(of: entry.password)
            tested.ids[entry.name] = entry.id ?? ""
        }
        for named in kit.secrets { tested.tags["kit.secrets.\(named.name)"] = tags.tag(of: named.secret) }
        for trial in trials {
            switch trial.result {
            case .passed: tested.passed[trial.repository] = trial.when
            case .failed(let failure): tested.failures[trial.repository] = failure.what
            case .notTested: break
            }
        }
        let seen = tested
        await LedgerFile(self).update { ledger in
            guard var known = ledger.kit, known.serial == seen.serial else {
                ledger.kit = seen.merged(with: ledger.kit)
                return
            }
            known.tags = seen.tags
            known.tagKey = seen.tagKey
            known.ids.merge(seen.ids) { old, new in new.isEmpty ? old : new }
            known.passed.merge(seen.passed) { $1 }
            for name in seen.passed.keys { known.failures[name] = nil }
            known.failures.merge(seen.failures) { $1 }
            ledger.kit = known
        }
        await noteInJournal(seen, "kit test")
        await journal?.record(trials.map { .evidence($0.evidence(of: kit, repository.entropy)) })
    }
}

extension RecoveryKit {
    /// When it was made; nil where that cannot be read.
    var moment: Timestamp? {
        let text = made.replacing(" UTC", with: "")
        guard let moment = try? readMoment(text, now: Timestamp(seconds: 0), offset: { _ in 0 }) else { return nil }
        return moment
    }
}

extension KitTrial {
    fileprivate func evidence(of kit: RecoveryKit, _ entropy: any EntropySource) -> EvidenceRecord {
        var record = EvidenceRecord(
            id: RunJournal.newID(entropy),
            kind: "kit",
            repository: repository,
            medium: medium,
            when: when,
            outcome: .inconclusive,
            detail: "{\"serial\":\"\(kit.serial)\"}"
        )
        switch result {
        case .passed(let reading):
            record.outcome = .passed
            record.snapshot = reading.snapshot
            record.bytes = reading.bytes
        case .failed: record.outcome = .failed
        case .notTested: break
        }
        return record
    }
}
