/// What a service takes for a bucket, as its operator copied it from the service's page.
package struct BucketPrices: Sendable, Hashable {
    /// As bills name it: `EUR`.
    package var currency: String
    /// For each GB (1000 x 1000 x 1000 bytes) that is stored for a month.
    package var storage: Money
    /// For 1000 requests that write or list.
    package var writes = Money(billionths: 0)
    /// For 1000 requests that read.
    package var reads = Money(billionths: 0)
    /// For each GB that leaves the service.
    package var egress = Money(billionths: 0)
    /// Bytes a month that leave for nothing.
    package var freeEgress: UInt64 = 0
    /// So many times what is stored leaves for nothing in a month.
    package var freeEgressTimes: UInt64 = 0

    package init(currency: String, storage: Money) {
        self.currency = currency
        self.storage = storage
    }

    /// Bytes that leave for nothing in a month in which so many are stored.
    package func freeEgress(stored: UInt64) -> UInt64 {
        let (times, isOver) = stored.multipliedReportingOverflow(by: freeEgressTimes)
        let (sum, isMore) = freeEgress.addingReportingOverflow(times)
        return isOver || isMore ? .max : sum
    }
}

/// What a bucket may cost and send in a month.
package struct BucketBudget: Sendable, Hashable {
    /// In the currency of its prices; nil: no bound.
    package var cost: Money?
    /// Bytes that runs may read from it in a month of the calendar; nil: no bound.
    package var egress: UInt64?

    package init(cost: Money? = nil, egress: UInt64? = nil) {
        self.cost = cost
        self.egress = egress
    }
}
