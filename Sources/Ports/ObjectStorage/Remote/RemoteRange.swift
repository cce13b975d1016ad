import Bytes
import HTTPTransport
import Outcome

/// Whether an answer is exactly what was asked for: that many bytes, from that place (E-06).
enum RemoteRange {
    /// A range: 206 with `Content-Range: bytes 0-9/100`; 200 when it is the whole object.
    static func check(_ receipt: HTTPReceipt, _ range: Range<UInt64>, _ errand: RemoteErrand) throws {
        let count = UInt64(receipt.body.count)
        if receipt.status == 200, range.lowerBound == 0, count == UInt64(range.count) { return }
        guard receipt.status == 206, let (first, last, total) = told(receipt) else {
            throw wrong(errand, receipt, "does not keep to the range that was asked for")
        }
        guard first == range.lowerBound else {
            throw wrong(errand, receipt, "sent bytes from \(first) on instead of \(range.lowerBound)")
        }
        if let total, total < range.upperBound, last + 1 == total {
            throw tooShort(errand, size: total, upTo: range.upperBound)
        }
        guard last == range.upperBound - 1, count == UInt64(range.count) else {
            throw wrong(errand, receipt, "sent \(count) of \(range.count) bytes")
        }
    }

    /// A whole object: 200, and as many bytes as its head declares.
    static func checkWhole(_ receipt: HTTPReceipt, _ errand: RemoteErrand) throws {
        guard receipt.status == 200, receipt.declaredLength ?? UInt64(receipt.body.count) == UInt64(receipt.body.count)
        else {
            throw wrong(errand, receipt, "did not send the whole of it")
        }
    }

    static func tooShort(_ errand: RemoteErrand, size: UInt64, upTo end: UInt64) -> StorageFailure {
        errand.failure(
            .tooShort,
            "has \(size) bytes; those up to \(end) were asked for",
            next: "run check --read-data to see what is damaged",
            because: RemoteAnswer(status: 206)
        )
    }

    private static func wrong(_ errand: RemoteErrand, _ receipt: HTTPReceipt, _ what: String) -> StorageFailure {
        errand.failure(
            .answer,
            "\(errand.host) \(what) (HTTP \(receipt.status))",
            next: "check that nothing between us and the server changes its answers",
            because: RemoteAnswer(receipt)
        )
    }

    private static func told(_ receipt: HTTPReceipt) -> (first: UInt64, last: UInt64, total: UInt64?)? {
        guard let text = receipt.header("content-range"), text.hasPrefix("bytes ") else { return nil }
        let parts = text.dropFirst("bytes ".count).split(separator: "/", omittingEmptySubsequences: false)
        let ends = parts.first?.split(separator: "-") ?? []
        guard parts.count == 2, ends.count == 2, let first = UInt64(ends[0]), let last = UInt64(ends[1]), last < .max
        else { return nil }
        let total = UInt64(parts[1])
        // rclone tells what lies behind the end as a part of nothing.
        guard first <= last || total == last + 1 else { return nil }
        return (first, last, total)
    }
}
