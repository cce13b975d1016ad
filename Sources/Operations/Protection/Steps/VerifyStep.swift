import Bytes
import Outcome
import ResticFormat
import ResticRepository
import Strategy

/// The rotating verification of one repository: its structure, and the groups of packs that are due.
///
/// While a finding of damage is open, the packs that it names are read first: it is closed when they are right or gone, and the structure
/// is whole.
struct VerifyStep: Sendable {
    let store: OpenStore
    let history: RepositoryHistory
    let period: Duration
    /// All groups, whatever is due.
    let isWhole: Bool
    let observer: any RunObserver

    var step: RunStep { RunStep(.verify, repository: store.name) }

    /// What was read, and what it showed.
    struct Verdict: Sendable {
        var groups: Range<Int>
        var bytes: UInt64
        var findings: [Finding]
        var brokenPacks: [PackID]
        /// How fast packs came; nil when it was too little to tell.
        var rate: ReadingRate?
    }

    /// The groups to read; nil when nothing is due.
    func due(now: Timestamp) -> Range<Int>? {
        if isWhole { return 0..<VerifyRotation.groups }
        let groups = history.rotation.due(now: now, period: period)
        return groups.isEmpty && history.finding == nil ? nil : groups
    }

    /// Whether finding nothing in these groups closes an open finding.
    func closesFinding(_ groups: Range<Int>) -> Bool {
        guard let finding = history.finding else { return false }
        return !finding.isCut || groups == 0..<VerifyRotation.groups
    }

    /// Verifies; takes a shared lock on a handle of its own.
    ///
    /// Errors: those of the engine, cancellation.
    func run(_ groups: Range<Int>) async throws -> Verdict {
        let listener = CheckListener(step: step, observer: observer, time: store.repository.environment.time)
        var verdict = Verdict(groups: groups, bytes: 0, findings: [], brokenPacks: [])
        let suspects = Set((history.finding?.packs ?? []).compactMap { Digest(hex: $0).map { PackID($0) } })
        if !suspects.isEmpty, groups.count < VerifyRotation.groups {
            try await read(.packs(suspects), &verdict, listener)
        }
        let bytes = Set(groups.map { UInt8($0) })
        try await read(bytes.isEmpty ? .none : .firstBytes(bytes), &verdict, listener)
        verdict.bytes = listener.bytes
        verdict.rate = listener.rate
        return verdict
    }

    private func read(_ amount: ReadDataAmount, _ verdict: inout Verdict, _ listener: CheckListener) async throws {
        let repository = store.repository.forProof()
        let result = try await repository.locked(.shared) {
            try await check(CheckRequest(readData: amount), in: repository, observer: listener)
        }
        let known = Set(verdict.findings)
        verdict.findings += result.findings.filter { $0.severity == .damage && !known.contains($0) }
        verdict.brokenPacks = Array(Set(verdict.brokenPacks + result.brokenPacks)).sorted()
    }
}
