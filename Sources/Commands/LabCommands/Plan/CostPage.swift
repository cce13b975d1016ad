import Bytes
import Console
import Outcome
import Protection
import Strategy

/// What each bucket costs in a month, and what a restore of all of it would cost and take.
struct CostPage {
    let costs: [BucketCost]
    let session: LabSession

    private var printer: Printer { session.printer }

    /// Shows them; 21 when one is over its budget.
    func show() -> Int32 {
        if costs.isEmpty, !printer.isJSON {
            printer.result("No bucket has prices. Copy them from its service's page: docs/manual/choose-a-cloud.md")
        }
        for cost in costs { printer.isJSON ? showJSON(cost) : show(cost) }
        let excesses = costs.flatMap(\.excesses)
        if printer.isJSON { return summary(excesses) }
        for excess in excesses {
            printer.error(
                Text(
                    "\(excess.medium) is over its budget: \(excess.what)\n  state: nothing was changed\n  next:  \(excess.next)"
                )
            )
        }
        return (excesses.isEmpty ? ExitStatus.success : .refusedByGuard).rawValue
    }

    private func show(_ cost: BucketCost) {
        let currency = cost.prices.currency
        printer.result(Text("\(cost.medium), a month of 30 days in \(currency)"))
        guard let stored = cost.storedBytes else {
            printer.result("  nothing is known before its first run")
            return
        }
        let usual = cost.usual?.traffic
        let growth = usual.map { ", \(gigabytesText($0.uploadedBytes)) more a month" } ?? ""
        line("stored", "\(gigabytesText(stored))\(growth)", cost.storage)
        line("writes", usual.map { counted(Int(clamping: $0.writes), "request") } ?? Self.unseen, cost.writes)
        line("reads", usual.map { counted(Int(clamping: $0.reads), "request") } ?? Self.unseen, cost.reads)
        let readBack = cost.readBackBytes > 0 ? ", \(gigabytesText(cost.readBackBytes)) read-back" : ""
        let free = cost.prices.freeEgress(stored: stored)
        let allowance = free > 0 ? "; \(gigabytesText(free)) are free" : ""
        let bound = cost.budget.egress.map { "; at most \(gigabytesText($0))" } ?? ""
        line(
            "egress",
            "\(gigabytesText(cost.egressBytes)): \(gigabytesText(cost.verifiedBytes)) verification\(readBack)\(allowance)\(bound)",
            cost.egress
        )
        line("a month", cost.budget.cost.map { "at most \($0.rounded)" } ?? "", cost.month)
        let time =
            cost.restoreTime.map { ", \(ageText($0)) at the rate last measured" } ?? ", at a rate not yet measured"
        let requests = counted(Int(clamping: cost.restoreRequests), "request")
        line("full restore", "\(gigabytesText(stored)), about \(requests)\(time)", cost.restore)
        guard let usual = cost.usual else { return }
        printer.result(
            Text(
                "  By runs of \(counted(usual.seenDays, "day")). Restores are not counted, nor is what other programs move."
            )
        )
    }

    private static let unseen = "not known before the second day of runs"

    private func line(_ name: String, _ text: String, _ amount: Money?) {
        let money = amount.map(\.rounded) ?? "-"
        printer.result(Text("  \(padRight(name, 13)) \(padLeft(money, 10))  \(text)".trimmedRight))
    }

    // MARK: JSON

    private func showJSON(_ cost: BucketCost) {
        var line = JSONLine(messageType: "cost")
        line.add("medium", cost.medium)
        line.add("currency", cost.prices.currency)
        if let stored = cost.storedBytes {
            line.add("stored_bytes", stored)
            line.add("verified_bytes", cost.verifiedBytes)
            line.add("egress_bytes", cost.egressBytes)
            line.add("restore_cost", cost.restore.text)
            line.add("restore_requests", cost.restoreRequests)
            if let time = cost.restoreTime { line.add("restore_seconds", time.components.seconds) }
            line.add("egress_cost", cost.egress.text)
            line.add("month_cost", cost.month.text)
            if let storage = cost.storage { line.add("storage_cost", storage.text) }
        }
        if let usual = cost.usual {
            line.add("seen_days", usual.seenDays)
            line.add("uploaded_bytes", usual.traffic.uploadedBytes)
            line.add("downloaded_bytes", usual.traffic.downloadedBytes)
            line.add("writes", usual.traffic.writes)
            line.add("reads", usual.traffic.reads)
            if let writes = cost.writes { line.add("writes_cost", writes.text) }
            if let reads = cost.reads { line.add("reads_cost", reads.text) }
        }
        if let most = cost.budget.cost { line.add("cost_budget", most.text) }
        if let most = cost.budget.egress { line.add("egress_budget", most) }
        printer.result(line.text)
    }

    private func summary(_ excesses: [BucketCost.Excess]) -> Int32 {
        for excess in excesses {
            var line = JSONLine(messageType: "over_budget")
            line.add("medium", excess.medium)
            line.add("message", excess.what)
            line.add("next", excess.next)
            printer.result(line.text)
        }
        var line = JSONLine(messageType: "summary")
        line.add("over_budget", excesses.count)
        printer.result(line.text)
        return (excesses.isEmpty ? ExitStatus.success : .refusedByGuard).rawValue
    }
}

extension String {
    fileprivate var trimmedRight: String {
        var text = self
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }
}
