import Strategy

/// What is said of a recovery kit that is missing, outdated or untested.
struct KitReminder {
    private static let make = "holdfast kit create kit.txt; print it, then: holdfast kit test kit.txt"
    private static let test = "holdfast kit test kit.txt, with their media here"

    var severity = LabStatus.Problem.Severity.amber
    var kind: LabStatus.Problem.Kind
    var object: String
    var what: String
    var next: String

    /// `serial` is that of the newest kit; nil: there is none.
    init(_ concern: KitConcern, serial: String?) {
        let kit = serial.map { "kit \($0)" } ?? "kit"
        func names(_ list: [String]) -> String { list.joined(separator: ", ") }
        (kind, object, next) = (.kitStale, kit, Self.make)
        switch concern {
        case .missing:
            kind = .noKit
            what = "no recovery kit is known: with this machine all that opens the backups may be lost"
        case .lacks(let repositories): what = "does not open \(names(repositories)): made or replaced since"
        case .outdated(let keys):
            object = "\(kit) and its secrets"
            what = "carries no longer what counts for \(names(keys))"
        case .incomparable:
            object = "\(kit) and its secrets"
            what = "cannot be compared with the passwords of now: this machine lost what it remembered"
            next = "holdfast kit test kit.txt"
        case .failed(let repository, let why):
            (severity, kind, object) = (.wrong, .kitFailed, "\(kit) on \(repository)")
            what = "did not open it: \(why)"
        case .untested(let repositories):
            (kind, next) = (.kitUntested, Self.test)
            what = "was never tested on \(names(repositories))"
        case .overdue(let repositories, let age):
            (kind, object, next) = (.kitUntested, "\(kit) again", Self.test)
            what = "was last tested on \(names(repositories)) \(ageText(age)) ago"
        }
    }
}

extension StatusProblems {
    mutating func judge(_ concern: KitConcern, _ status: LabStatus) {
        let reminder = KitReminder(concern, serial: status.kitMade?.serial)
        add(reminder.severity, reminder.kind, reminder.object, reminder.what, reminder.next)
    }
}

extension ProtectionEnvironment {
    /// What is wrong with the recovery kit; `opened` are the identifiers of repositories that were opened just now.
    func kitConcerns(_ ledger: Ledger, opened: [String: String]) async -> [KitConcern] {
        let ids = ledger.repositories.mapValues(\.id).merging(opened) { $1 }
        let tags = SecretTags.read(in: stateFolder)
        var known: [String: String] = [:]
        if let tags { known = await tagsNow(tags) }
        return lab.kitConcerns(ledger.kit, ids: ids, tags: known, tagKey: tags?.name, now: now)
    }
}
