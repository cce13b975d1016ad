import Bytes

/// A value of a column, of an emergency line, of both alike.
enum JournalValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case text(String)
}

/// An entry in the form that both the database and the emergency file take: its kind and its values in the order of the
/// columns.
struct EntryRow: Sendable, Hashable {
    var kind: EntryKind
    var values: [JournalValue]
}

extension EntryRow {
    /// The row of an entry; texts are cut to their bounds.
    ///
    /// `process` names the process that a running run belongs to.
    init(_ entry: JournalEntry, host: String, process: String) {
        switch entry {
        case .run(let run): self.init(run, host: host, process: run.outcome == .running ? process : nil)
        case .step(let step): self.init(step)
        case .evidence(let evidence): self.init(evidence)
        case .owed(let owed):
            self.init(
                kind: .owed,
                values: [.id(owed.id), .id(owed.kind), .short(owed.object), .short(owed.text), .time(owed.since)]
            )
        case .settled(let id): self.init(kind: .settled, values: [.id(id)])
        case .audit(let audit):
            self.init(
                kind: .audit,
                values: [.time(audit.when), .short(audit.who), .short(audit.what), .short(audit.object)]
            )
        case .fact(let key, let value, let when):
            self.init(kind: .fact, values: [.id(key), .short(value), .time(when)])
        case .message(let message):
            self.init(
                kind: .message,
                values: [
                    .id(message.id), .id(message.channel), .id(message.event), .short(message.title),
                    .long(message.body), .time(message.created),
                ]
            )
        case .messageTried(let id, let when, let error, let nextTry, let done):
            self.init(
                kind: .messageTried,
                values: [.id(id), .time(when), .short(error), .time(nextTry), .integer(done ? 1 : 0)]
            )
        }
    }

    init(_ run: RunRecord, host: String, process: String?) {
        self.init(
            kind: .run,
            values: [
                .id(run.id), .id(host), .id(run.kind), .time(run.started), .time(run.ended),
                .text(run.outcome.rawValue), .text(run.trigger.rawValue), .short(run.summary), .id(process),
            ]
        )
    }

    init(_ step: StepRecord) {
        self.init(
            kind: .step,
            values: [
                .id(step.run), .integer(Int64(step.number)), .id(step.kind), .id(step.workload), .id(step.repository),
                .id(step.medium), .time(step.started), .time(step.ended), .text(step.outcome.rawValue),
                .count(step.bytes), .count(step.files), .id(step.snapshot), .short(step.text),
            ]
        )
    }

    init(_ evidence: EvidenceRecord) {
        self.init(
            kind: .evidence,
            values: [
                .id(evidence.id), .id(evidence.kind), .id(evidence.workload), .id(evidence.repository),
                .id(evidence.snapshot), .id(evidence.medium), .time(evidence.when), .text(evidence.outcome.rawValue),
                .count(evidence.bytes), .duration(evidence.duration), .document(evidence.detail),
            ]
        )
    }
}

extension JournalValue {
    static func id(_ text: String?) -> JournalValue { bounded(text, JournalLimits.identifierBytesMax) }
    static func short(_ text: String?) -> JournalValue { bounded(text, JournalLimits.textBytesMax) }
    static func long(_ text: String?) -> JournalValue { bounded(text, JournalLimits.detailBytesMax) }

    /// A cut document would be none, so that a long one is replaced.
    static func document(_ text: String) -> JournalValue {
        let count = text.utf8.count
        return count <= JournalLimits.detailBytesMax ? long(text) : .text("{\"omitted_bytes\":\(count)}")
    }

    static func count(_ number: UInt64?) -> JournalValue { number.map { .integer(Int64(clamping: $0)) } ?? .null }

    /// Nanoseconds since 1970; what lies outside of the years 1678 to 2261 is moved to their ends.
    static func time(_ moment: Timestamp?) -> JournalValue { moment.map { .integer(nanoseconds(of: $0)) } ?? .null }

    static func duration(_ duration: Duration?) -> JournalValue {
        duration.map { duration in
            let (seconds, attoseconds) = duration.components
            return .integer(nanoseconds(seconds, attoseconds / 1_000_000_000))
        } ?? .null
    }

    static func nanoseconds(of moment: Timestamp) -> Int64 { nanoseconds(moment.seconds, Int64(moment.nanoseconds)) }

    private static func nanoseconds(_ seconds: Int64, _ rest: Int64) -> Int64 {
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carries) = whole.addingReportingOverflow(rest)
        return carries ? (seconds < 0 ? .min : .max) : sum
    }

    /// Cut behind a whole character, with a sign that it was; a NUL would end the text inside SQLite.
    private static func bounded(_ text: String?, _ limit: Int) -> JournalValue {
        guard var text else { return .null }
        if text.utf8.contains(0) { text = String(text.map { $0 == "\0" ? "\u{FFFD}" : $0 }) }
        guard text.utf8.count > limit else { return .text(text) }
        var cut = ""
        var count = 0
        for scalar in text.unicodeScalars {
            count += UTF8.width(scalar)
            if count > limit - 3 { break }
            cut.unicodeScalars.append(scalar)
        }
        return .text(cut + "…")
    }
}
