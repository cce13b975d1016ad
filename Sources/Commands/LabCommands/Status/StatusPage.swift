import Bytes
import Console
import Outcome
import Protection
import Strategy

/// The one screen.
struct StatusPage {
    let status: LabStatus
    let printer: Printer

    func show() {
        guard !printer.isJSON else { return StatusJSON(status: status, printer: printer).show() }
        for line in lines() { printer.result(line) }
    }

    /// All lines of the screen.
    func lines() -> [Text] {
        var lines = [Text(headline), ""]
        lines += table().lines()
        lines += restores()
        lines += repositories()
        let wrong = status.problems.filter { $0.severity == .wrong }
        let amber = status.problems.filter { $0.severity == .amber }
        lines += section("Wrong", wrong) + section("Amber", amber)
        if wrong.isEmpty, amber.isEmpty { lines += ["", "Nothing is wrong."] }
        return lines
    }

    private var headline: String {
        let wrong = status.problems.count { $0.severity == .wrong }
        let state = wrong > 0 ? "\(counted(wrong, "thing")) wrong" : "every promise is kept"
        return "\(status.lab.name): \(state)"
    }

    // MARK: workloads

    /// A column for each medium that keeps something, in the order of the file.
    private var media: [Medium] {
        let used = Set(status.workloads.flatMap { $0.copies.map(\.medium.name) })
        return status.lab.media.filter { used.contains($0.name) }
    }

    private func table() -> Table {
        var table = Table(["Workload"] + media.map { Text($0.name) } + ["Size", "A week", "Next", "3-2-1-1-0"])
        for state in status.workloads {
            var cells: [[Text]] = [[Text(state.workload.name)]]
            for medium in media {
                cells.append(state.copies.filter { $0.medium.name == medium.name }.map { Text(cell($0)) })
            }
            cells.append([Text(state.bytes.map(formatBytes) ?? "-")])
            cells.append([Text(state.weeklyGrowth.map(growth) ?? "-")])
            cells.append([Text(next(state.due))])
            cells.append([Text(status.posture[state.workload.name]?.text ?? "-")])
            table.add(cells)
        }
        return table
    }

    /// `4 h ok`, `3 days MISSED`, `away, 2 days ok`, `GONE`.
    private func cell(_ copy: LabStatus.Copy) -> String {
        let mark = copy.medium.kind == .standIn ? "*" : ""
        let age = copy.point.age.map { ageText($0) } ?? "none"
        let word =
            switch copy.point {
            case _ where copy.isDamaged: copy.newest == nil ? "DAMAGED" : "\(age) DAMAGED"
            case .never: "NONE"
            case .missed: "\(age) MISSED"
            case .tooOld: "\(age) TOO OLD"
            case .met: "\(age) ok"
            case .unjudged: age
            }
        switch copy.presence {
        case .seen: return word + mark
        case .away: return "away, \(word)\(mark)"
        case .unmounted: return "not mounted, \(word)\(mark)"
        case .notMade: return "not made yet\(mark)"
        case .lost(.gone): return "GONE\(mark)"
        case .lost(.foreign): return "ANOTHER DISK\(mark)"
        case .lost(.closed): return "NOT OPENED\(mark)"
        case .lost(.damaged): return "DAMAGED\(mark)"
        }
    }

    /// How long a full restore would take, where anything is promised or known of it.
    private func restores() -> [Text] {
        let copies = status.workloads.flatMap { state in state.copies.map { (state.workload, $0) } }
        guard copies.contains(where: { $0.objective.rto != nil || $1.restore != .unknown }) else { return [] }
        var table = Table(["Full restore"] + media.map { Text($0.name) } + ["Promised"])
        for state in status.workloads {
            let promised = state.workload.objective.rto
            var cells: [[Text]] = [[Text(state.workload.name)]]
            for medium in media {
                cells.append(state.copies.filter { $0.medium.name == medium.name }.map { Text(restoreText($0)) })
            }
            cells.append([Text(promised.map { lengthText($0) } ?? "-")])
            table.add(cells)
        }
        return [""] + table.lines()
    }

    /// `12 min ok, of 3 h ago`: the time, and when the rate was measured that it is reckoned by.
    private func restoreText(_ copy: LabStatus.Copy) -> String {
        let measured = copy.rate.map { ", of \(ageText(status.now.length(since: $0.time))) ago" } ?? ""
        return switch copy.restore {
        case .unknown: copy.presence.isThere ? "not measured" : "-"
        case .unjudged(let time): ageText(time) + measured
        case .met(let time): "\(ageText(time)) ok\(measured)"
        case .tooLong(let time, _): "\(ageText(time)) TOO SLOW\(measured)"
        }
    }

    private func growth(_ bytes: Int64) -> String {
        (bytes < 0 ? "-" : "+") + formatBytes(bytes.magnitude)
    }

    private func next(_ due: Due) -> String {
        switch due {
        case .byHand: "by hand"
        case .notBefore(let moment): moment.map { "in \(ageText($0.length(since: status.now)))" } ?? "never"
        case .since: "now"
        }
    }

    // MARK: repositories

    private func repositories() -> [Text] {
        var table = Table(["Repository", "Medium", "Kind", "Snapshots", "Stored", "Read back", "Every byte read"])
        for state in status.repositories {
            let copies = status.workloads.flatMap { $0.copies.filter { $0.repository == state.store.name } }
            let readBack = copies.compactMap(\.readBack).max()
            table.add([
                [Text(state.store.name)], [Text(state.store.medium.name)], [Text(state.store.medium.kind.rawValue)],
                [Text("\(copies.reduce(0) { $0 + $1.count })")],
                [Text(state.history?.storedBytes.map(formatBytes) ?? "-")],
                [Text(readBack.map { "\(ageText(status.now.length(since: $0))) ago" } ?? "never")],
                [Text(whole(state.history))],
            ])
        }
        if status.lab.media.contains(where: { $0.kind == .standIn }) {
            table.addFooter("* a stand-in plays the cloud, and counts as no copy")
        }
        return [""] + table.lines()
    }

    private func whole(_ history: RepositoryHistory?) -> String {
        guard let rotation = history?.rotation else { return "-" }
        if let since = rotation.everyByteReadSince { return "within \(ageText(status.now.length(since: since)))" }
        return "\(rotation.done) of \(VerifyRotation.groups) parts"
    }

    // MARK: problems

    private func section(_ title: Text, _ problems: [LabStatus.Problem]) -> [Text] {
        guard !problems.isEmpty else { return [] }
        return ["", title]
            + problems.flatMap { problem in
                [Text("  \(problem.object) \(problem.what)"), Text("    \(problem.next)")]
            }
    }
}

/// The status as lines of JSON.
struct StatusJSON {
    let status: LabStatus
    let printer: Printer

    func show() {
        for state in status.workloads { for copy in state.copies { show(copy, of: state) } }
        for repository in status.repositories { show(repository) }
        for problem in status.problems {
            var line = JSONLine(messageType: "problem")
            line.add("severity", problem.severity.rawValue)
            line.add("object", problem.object)
            line.add("message", problem.what)
            line.add("next", problem.next)
            printer.result(line.text)
        }
        var line = JSONLine(messageType: "summary")
        line.add("lab", status.lab.name)
        line.add("workloads", status.workloads.count)
        line.add("breached", status.isBreached)
        line.add("wrong", status.problems.count { $0.severity == .wrong })
        line.add("amber", status.problems.count { $0.severity == .amber })
        printer.result(line.text)
    }

    private func show(_ copy: LabStatus.Copy, of state: LabStatus.WorkloadState) {
        var line = JSONLine(messageType: "copy")
        line.add("workload", state.workload.name)
        line.add("repository", copy.repository)
        line.add("medium", copy.medium.name)
        line.add("kind", copy.medium.kind.rawValue)
        line.add("counts", copy.counts)
        line.add("presence", copy.presence.word)
        line.add("snapshots", copy.count)
        if let newest = copy.newest { line.add("newest", ZonedTime(newest)) }
        if let age = copy.point.age { line.add("age_seconds", age.components.seconds) }
        line.add("breached", copy.point.isBreached)
        if copy.isDamaged { line.add("damaged", true) }
        add(copy.restore, copy.rate, to: &line)
        if let readBack = copy.readBack { line.add("read_back", ZonedTime(readBack)) }
        if let seen = copy.remembered, seen != .distantPast { line.add("away_since", ZonedTime(seen)) }
        if let bytes = state.bytes { line.add("source_bytes", bytes) }
        if let posture = status.posture[state.workload.name] { line.add("posture", posture.text) }
        printer.result(line.text)
    }

    private func add(_ restore: RecoveryTime, _ rate: ReadingRate?, to line: inout JSONLine) {
        switch restore {
        case .unknown: break
        case .unjudged(let time), .met(let time): line.add("restore_seconds", time.components.seconds)
        case .tooLong(let time, let promised):
            line.add("restore_seconds", time.components.seconds)
            line.add("restore_promised_seconds", promised.components.seconds)
        }
        line.add("restore_breached", restore.isBreached)
        guard let rate else { return }
        line.add("restore_rate", rate.bytesPerSecond)
        line.add("restore_measured", ZonedTime(rate.time))
        line.add("restore_measured_by", rate.isOfRestore ? "restore" : "reading")
    }

    private func show(_ state: LabStatus.RepositoryState) {
        var line = JSONLine(messageType: "repository")
        line.add("repository", state.store.name)
        line.add("medium", state.store.medium.name)
        line.add("here", state.failure == nil)
        line.add("presence", state.presence.word)
        if let failure = state.failure {
            line.add("code", failure.codeName)
            line.add("message", state.store.trouble(failure))
        }
        if let history = state.history {
            if let bytes = history.storedBytes { line.add("stored_bytes", bytes) }
            line.add("verified_parts", history.rotation.done)
            if let since = history.rotation.everyByteReadSince { line.add("every_byte_read_since", ZonedTime(since)) }
            line.add("damaged", history.finding != nil)
        }
        printer.result(line.text)
    }
}
