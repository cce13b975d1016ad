package import Bytes

/// What a bucket costs in a month of 30 days, and what a restore of all that it holds would cost and take.
///
/// Pure: by the price table of the declaration and what runs observed. What was never observed is nil, and counts nothing.
package struct BucketCost: Sendable {
    /// Bytes of a GB, as services count.
    private static let gigabyte = 1e9
    /// Of a pack as they are written, for the requests that a restore takes.
    private static let packBytes: UInt64 = 16 << 20
    private static let month = Duration.seconds(30 * 86_400)

    package let medium: String
    package let prices: BucketPrices
    package let budget: BucketBudget
    /// Bytes in all its repositories when they were last seen; nil before the first run.
    package let storedBytes: UInt64?
    /// What a month moves by what was seen, and on how many days that was; nil before there were two.
    package let usual: (traffic: Traffic, seenDays: Int)?
    /// Bytes a month that the rotating verification reads.
    package let verifiedBytes: UInt64
    /// How long reading all of it takes, at the rate that was last measured; nil when none was.
    package let restoreTime: Duration?
    /// The declared period of the verification, the shortest of its workloads.
    private let period: Duration

    /// Nil for a medium without prices.
    package init?(_ medium: Medium, lab: Lab, ledger: Ledger, now: Timestamp) {
        guard case .s3(let bucket) = medium.location, let prices = bucket.prices else { return nil }
        self.medium = medium.name
        self.prices = prices
        budget = bucket.budget
        usual = ledger.traffic[medium.name]?.usualMonth(now)
        var (stored, verified, seconds, period): (UInt64?, UInt64, Double?, Duration) = (nil, 0, 0, Self.month)
        for repository in lab.repositories where repository.medium == medium.name {
            guard let history = ledger.repositories[repository.name], let bytes = history.storedBytes else { continue }
            let periods = lab.workloads.filter { $0.repositories.contains(repository.name) }.map(\.verifyEvery)
            let shortest = periods.min() ?? Self.month
            stored = wholeNumber(Double(stored ?? 0) + Double(bytes))
            verified = wholeNumber(Double(verified) + Double(bytes) * (Self.month / shortest))
            period = min(period, shortest)
            seconds = history.rate.flatMap { rate in seconds.map { $0 + Double(bytes) / Double(rate.bytesPerSecond) } }
        }
        storedBytes = stored
        verifiedBytes = verified
        self.period = period
        restoreTime = stored == nil ? nil : seconds.map { .seconds(wholeNumber($0.rounded(.up))) }
    }

    /// Bytes that are read again because they were just written.
    package var readBackBytes: UInt64 { usual?.traffic.uploadedBytes ?? 0 }

    /// Bytes a month that leave: verification and read-back, or what was seen where that is more.
    package var egressBytes: UInt64 {
        max(wholeNumber(Double(verifiedBytes) + Double(readBackBytes)), usual?.traffic.downloadedBytes ?? 0)
    }

    private var freeEgress: UInt64 { prices.freeEgress(stored: storedBytes ?? 0) }

    private func egress(_ bytes: UInt64) -> Money {
        prices.egress * (Double(bytes - min(bytes, freeEgress)) / Self.gigabyte)
    }

    /// What is stored in a month from now.
    package var storage: Money? {
        storedBytes.map { prices.storage * ((Double($0) + Double(readBackBytes)) / Self.gigabyte) }
    }

    package var writes: Money? { usual.map { prices.writes * (Double($0.traffic.writes) / 1000) } }
    package var reads: Money? { usual.map { prices.reads * (Double($0.traffic.reads) / 1000) } }
    package var egress: Money { egress(egressBytes) }

    /// All that is known of a month.
    package var month: Money {
        [storage, writes, reads, egress].compactMap { $0 }.reduce(Money(billionths: 0), +)
    }

    /// Objects that a restore of everything reads, about.
    package var restoreRequests: UInt64 { ((storedBytes ?? 0) + Self.packBytes - 1) / Self.packBytes }

    /// A restore of everything that is stored, in a month in which nothing else is read.
    package var restore: Money {
        egress(storedBytes ?? 0) + prices.reads * (Double(restoreRequests) / 1000)
    }

    /// Why the month is over its budget, and what to do; empty when it is not.
    package var excesses: [Excess] {
        var excesses: [Excess] = []
        if let most = budget.cost, month > most {
            let what = "a month would cost \(month.rounded) \(prices.currency), and \(most.rounded) are its budget"
            let next = "keep less, verify more seldom, or raise media.\(medium).s3.budget.cost"
            excesses.append(Excess(medium: medium, what: what, next: next))
        }
        if let most = budget.egress, egressBytes > most {
            let spare = most - min(most, readBackBytes)
            let wanted = Double(verifiedBytes) * Double(period.components.seconds)
            let days = spare > 0 ? (wanted / Double(spare) / 86_400).rounded(.up) : .infinity
            let longer = days < 3650 ? "; verify.every: \(Int(days))d would fit" : ""
            let what =
                "a month would read \(gigabytesText(egressBytes)) from it, and \(gigabytesText(most)) are its budget"
            let next = "verify more seldom, or raise media.\(medium).s3.budget.egress\(longer)"
            excesses.append(Excess(medium: medium, what: what, next: next))
        }
        return excesses
    }

    /// A budget that does not suffice.
    package struct Excess: Sendable, Hashable {
        package var medium: String
        package var what: String
        package var next: String
    }
}

/// Bytes as services count and bill them: `184.2 GB`, `3.1 MB`.
package func gigabytesText(_ bytes: UInt64) -> String {
    let units: [(UInt64, String)] = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")]
    for (unit, name) in units where bytes >= unit {
        let tenths = UInt64((Double(bytes) / Double(unit) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(name)"
    }
    return "\(bytes) B"
}
