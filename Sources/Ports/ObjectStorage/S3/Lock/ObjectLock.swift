package import Bytes
import HTTPTransport
import Strategy

/// For how long nobody may destroy a new object, not even with the credentials that put it there.
///
/// **Source**: Amazon's S3 Object Lock; a bucket has it from its making on, and keeps every version of every object.
package struct ObjectLock: Sendable, Hashable {
    /// Whom it binds.
    package enum Mode: String, Sendable, Hashable, CaseIterable {
        /// Nobody ends it early, the owner of the account neither.
        case compliance = "COMPLIANCE"
        /// Who has the right to bypass it ends it early.
        case governance = "GOVERNANCE"
    }

    package var mode: Mode
    /// From the moment of the upload on.
    package var seconds: Int64

    package init(_ mode: Mode, seconds: Int64) {
        self.mode = mode
        self.seconds = seconds
    }

    /// When the lock of an object ends that is put there at that moment.
    package func end(from moment: Timestamp) -> Timestamp { Timestamp(seconds: moment.seconds + seconds) }

    /// What a new object is sent with.
    func headers(from moment: Timestamp) -> [HTTPHeader] {
        [
            HTTPHeader("x-amz-object-lock-mode", mode.rawValue),
            HTTPHeader("x-amz-object-lock-retain-until-date", S3Moment.text(end(from: moment))),
        ]
    }
}

/// A moment as the bodies and heads of S3 write it: `2026-03-29T02:30:00Z`.
package enum S3Moment {
    /// In UTC, to the second.
    package static func text(_ moment: Timestamp) -> String {
        LocalTime(utc: moment).description.split(separator: " ").joined(separator: "T") + "Z"
    }

    /// Fractions of a second are passed over; nil for anything else.
    package static func read(_ text: some StringProtocol) -> Timestamp? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z"), bytes[10] == UInt8(ascii: "T"),
            bytes[19] == UInt8(ascii: "Z") || bytes[19] == UInt8(ascii: ".")
        else { return nil }
        func number(_ range: Range<Int>) -> Int? { Int(String(decoding: bytes[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), (1...12).contains(month),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            (1...31).contains(day), (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        return Timestamp(seconds: LocalTime(date, hour: hour, minute: minute, second: second).seconds)
    }
}
