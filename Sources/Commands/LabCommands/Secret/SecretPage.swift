import Bytes
import Console
import Outcome
import Protection
import SecretStore
import Strategy

/// What is said of references, line by line.
struct SecretPage: Sendable {
    let printer: Printer
    /// Nil where passwords are not tried.
    let environment: ProtectionEnvironment?

    /// How one reference stands.
    struct Verdict {
        /// Nil: all is well.
        var failed: ExitStatus?
        /// Seconds; nil for what came first-hand.
        var sealedAge: Int64?
    }

    /// How all of them stand.
    struct Counts {
        private(set) var verdicts: [Verdict] = []

        mutating func add(_ verdict: Verdict) { verdicts.append(verdict) }
    }

    /// Shows one; with `mustBeFresh` the vault itself has to have given it.
    func show(_ entry: InspectedSecret, mustBeFresh: Bool = false) -> Verdict {
        switch entry.found {
        case .failure(let failure):
            show(failure, entry)
            return Verdict(failed: .failed)
        case .success(let found):
            let problem = mustBeFresh && found.source != .vault ? "the vault did not give it now" : nil
            show(found, entry, problem)
            var verdict = Verdict(failed: problem == nil ? nil : .failed, sealedAge: found.ageSeconds)
            if case .failed(let failure)? = entry.trial { verdict.failed = failure.exitStatus }
            return verdict
        }
    }

    /// The line below, and the exit status.
    func end(_ counts: Counts) -> Int32 {
        let failed = counts.verdicts.compactMap(\.failed)
        let all = counts.verdicts.count
        let words = environment == nil ? ("gave a secret", "did not") : ("are good", "are not")
        printer.normal(Text("of \(all) references \(all - failed.count) \(words.0), \(failed.count) \(words.1)"))
        let ages = counts.verdicts.compactMap(\.sealedAge)
        if let oldest = ages.max() {
            printer.normal(
                Text(
                    "amber: \(ages.count) came from the sealed copy, up to \(ageText(.seconds(oldest))) old; `holdfast secret fetch` renews it"
                )
            )
        }
        // A wrong password says most precisely what to do; a reference that gives nothing comes before it.
        return (failed.first { $0 != .wrongPassword } ?? failed.first ?? .success).rawValue
    }

    // MARK: one line

    private func show(_ found: ResolvedSecret, _ entry: InspectedSecret, _ problem: String?) {
        guard printer.isJSON else {
            let age = found.ageSeconds.map { ", \(ageText(.seconds($0))) old" } ?? ""
            let isOpening = if case .failed? = entry.trial { false } else { true }
            let state = problem.map { "failed (\($0))" } ?? (isOpening ? "ok" : "failed")
            let words = "\(state), \(found.secret.count) bytes from \(found.source)\(age)\(trialText(entry))"
            printer.result(Text("\(entry.key): \(entry.reference.text): \(words)"))
            for finding in found.findings { tell("\(finding.object): \(finding.what); \(finding.next)") }
            if case .failed(let failure)? = entry.trial { report(failure) }
            return
        }
        var line = begun(entry)
        if case .failed(let failure)? = entry.trial {
            line.add("ok", false)
            line.add("code", failure.codeName)
            line.add("object", failure.object)
            line.add("next", failure.next)
        } else {
            line.add("ok", problem == nil)
        }
        line.add("source", "\(found.source)")
        line.add("bytes", found.secret.count)
        if let age = found.ageSeconds { line.add("age_seconds", Int(age)) }
        addTrial(entry, to: &line)
        var words = [problem].compactMap { $0 } + found.findings.map(\.what)
        if case .failed(let failure)? = entry.trial { words.insert(failure.what, at: 0) }
        if !words.isEmpty { line.add("message", words.joined(separator: "; ")) }
        printer.result(line.text)
    }

    private func addTrial(_ entry: InspectedSecret, to line: inout JSONLine) {
        guard let repository = entry.repository else { return }
        line.add("repository", repository)
        if case .opened? = entry.trial { line.add("opened", true) }
        if case .away(let why)? = entry.trial { line.add("not_tried", why) }
        if case .failed? = entry.trial { line.add("opened", false) }
        if let now = environment?.now, case .opened? = entry.trial { return line.add("proven", text(now)) }
        if let proof = entry.proof { line.add("proven", text(proof.when)) }
    }

    /// RFC 3339 in UTC, whole seconds.
    private func text(_ moment: Timestamp) -> String {
        String("\(LocalTime(utc: Timestamp(seconds: moment.seconds)))Z".map { $0 == " " ? "T" : $0 })
    }

    private func trialText(_ entry: InspectedSecret) -> String {
        guard let repository = entry.repository, let environment else { return "" }
        let last = entry.proof.map { proof in
            let age = ageText(environment.now.length(since: proof.when))
            return "last opened it \(age) ago" + (proof.source == "sealed copy" ? ", out of the sealed copy" : "")
        }
        switch entry.trial {
        case .opened: return ", opens \(repository) now"
        case .failed: return ", does not open \(repository) now (\(last ?? "never did"))"
        case .away(let why): return ", \(repository) not tried: \(why) (\(last ?? "never proven"))"
        case nil: return ""
        }
    }

    private func show(_ failure: SecretFailure, _ entry: InspectedSecret) {
        guard printer.isJSON else {
            printer.result(Text("\(entry.key): \(entry.reference.text): failed"))
            return report(failure)
        }
        var line = begun(entry)
        line.add("ok", false)
        line.add("code", failure.codeName)
        line.add("object", failure.object)
        line.add("message", failure.what)
        line.add("next", failure.next)
        printer.result(line.text)
    }

    private func begun(_ entry: InspectedSecret) -> JSONLine {
        var line = JSONLine(messageType: "secret")
        line.add("key", entry.key)
        line.add("reference", entry.reference.text)
        return line
    }

    private func report(_ failure: any ReportableFailure) {
        let report = FailureReport(failure, fallbackState: "nothing was changed", fallbackNext: "mend the cause")
        printer.error(Text(report.text))
    }

    /// Once, where opening the repository tells the same.
    private func tell(_ text: String) {
        guard let environment else { return printer.error(Text("warning: \(text)")) }
        environment.warn(text)
    }
}
