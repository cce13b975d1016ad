import Journal

extension ProtectionEnvironment {
    /// Why runs are not recorded, in a sentence about the journal: a newer program wrote it; nil when that is not so.
    var journalRefusal: String? {
        guard let journal else { return NewerSchema(in: stateFolder)?.text }
        guard case .refused(let text) = journal.opening.state else { return nil }
        return String(text.prefix { $0 != ";" })
    }
}

/// What is right all the same, and what mends it.
enum JournalRefusal {
    static let state =
        "copies, ages and promises are as shown, and runs go on; that they ran is noted beside it and taken over later"
    static let next = "upgrade this holdfast to the newer one; or move journal.sqlite away to begin anew"
}
