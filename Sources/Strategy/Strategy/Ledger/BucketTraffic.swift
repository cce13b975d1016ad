package import Bytes

/// What was moved to and from a bucket, as its service counts it.
package struct Traffic: Sendable, Hashable {
    package var uploadedBytes: UInt64 = 0
    package var downloadedBytes: UInt64 = 0
    /// Requests that write or list.
    package var writes: UInt64 = 0
    /// Requests that read.
    package var reads: UInt64 = 0

    package init() {}

    package static func + (left: Traffic, right: Traffic) -> Traffic {
        var sum = Traffic()
        sum.uploadedBytes = left.uploadedBytes &+ right.uploadedBytes
        sum.downloadedBytes = left.downloadedBytes &+ right.downloadedBytes
        sum.writes = left.writes &+ right.writes
        sum.reads = left.reads &+ right.reads
        return sum
    }
}

/// A number of bytes or requests, rounded down; what a ledger cannot mean is an exbibyte.
func wholeNumber(_ number: Double) -> UInt64 { number < 0x1p60 ? UInt64(max(0, number)) : 1 << 60 }

/// What runs of this machine moved to and from a bucket, by the day in UTC.
package struct BucketTraffic: Sendable, Hashable {
    /// Two months and a day: the present one of the calendar is always whole.
    static let rememberedDays: Int64 = 63

    /// By days since 1970.
    package var days: [Int64: Traffic] = [:]

    package init() {}

    /// Days since 1970 in UTC, downwards before.
    package static func day(_ moment: Timestamp) -> Int64 {
        moment.seconds >= 0 ? moment.seconds / 86_400 : (moment.seconds + 1) / 86_400 - 1
    }

    /// Counts what was moved just now.
    package mutating func add(_ traffic: Traffic, at now: Timestamp) {
        guard traffic != Traffic() else { return }
        let today = Self.day(now)
        days[today, default: Traffic()] = days[today, default: Traffic()] + traffic
        // What is later than today was counted while the clock was wrong.
        days = days.filter { $0.key > today - Self.rememberedDays && $0.key <= today }
    }

    /// Of the month of the calendar, in UTC, that is not over.
    package func thisMonth(_ now: Timestamp) -> Traffic {
        let today = Self.day(now)
        let first = today - Int64(CivilDate(daysSinceEpoch: Int(today)).day - 1)
        return days.filter { $0.key >= first && $0.key <= today }.values.reduce(Traffic(), +)
    }

    /// What a month of 30 days takes by what was seen, without the first day, on which all came at once; nil before there are two days.
    package func usualMonth(_ now: Timestamp) -> (traffic: Traffic, seenDays: Int)? {
        let today = Self.day(now)
        guard let first = days.keys.filter({ $0 > today - 31 && $0 <= today }).min() else { return nil }
        let seen = today - first
        guard seen > 0 else { return nil }
        let sum = days.filter { $0.key > first && $0.key <= today }.values.reduce(Traffic(), +)
        func month(_ count: UInt64) -> UInt64 { wholeNumber(Double(count) * 30 / Double(seen)) }
        var usual = Traffic()
        usual.uploadedBytes = month(sum.uploadedBytes)
        usual.downloadedBytes = month(sum.downloadedBytes)
        usual.writes = month(sum.writes)
        usual.reads = month(sum.reads)
        return (usual, Int(seen))
    }
}
