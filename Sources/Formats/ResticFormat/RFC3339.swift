package import Bytes

/// Times as Go's `time.RFC3339Nano` writes them, with years clamped to 0…9999.
package enum RFC3339 {
    private static let firstSecond: Int64 = -62_167_219_200  // 0000-01-01
    private static let lastSecond: Int64 = 253_402_300_799  // 9999-12-31T23:59:59

    /// Appends the time in restic's spelling.
    package static func append(_ time: ZonedTime, to output: inout [UInt8]) {
        let offset = Int64(time.offsetSeconds)
        var local = time.moment.seconds.addingReportingOverflow(offset).partialValue
        var nanoseconds = time.moment.nanoseconds
        let year0 = local < firstSecond
        if year0 || local > lastSecond {
            // Only the year is clamped; the rest of the date stays as it is.
            let date = civil(max(min(time.moment.seconds, Int64.max / 2), Int64.min / 2))
            let clamped = days(year: year0 ? 0 : 9999, month: date.month, day: date.day)
            local = clamped * 86_400 + date.secondOfDay
            if nanoseconds < 0 { nanoseconds = 0 }
        }
        let date = civil(local)
        pad(UInt64(clamping: date.year), 4, &output)
        output.append(UInt8(ascii: "-"))
        pad(UInt64(date.month), 2, &output)
        output.append(UInt8(ascii: "-"))
        pad(UInt64(date.day), 2, &output)
        output.append(UInt8(ascii: "T"))
        pad(UInt64(date.secondOfDay / 3600), 2, &output)
        output.append(UInt8(ascii: ":"))
        pad(UInt64(date.secondOfDay / 60 % 60), 2, &output)
        output.append(UInt8(ascii: ":"))
        pad(UInt64(date.secondOfDay % 60), 2, &output)
        if nanoseconds > 0 {
            output.append(UInt8(ascii: "."))
            var digits = UInt64(nanoseconds)
            var width = 9
            while digits % 10 == 0 {
                digits /= 10
                width -= 1
            }
            pad(digits, width, &output)
        }
        let minutes = abs(offset) / 60
        guard offset != 0 else { return output.append(UInt8(ascii: "Z")) }
        output.append(offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        pad(UInt64(minutes / 60), 2, &output)
        output.append(UInt8(ascii: ":"))
        pad(UInt64(minutes % 60), 2, &output)
    }

    /// The time in restic's spelling.
    package static func format(_ time: ZonedTime) -> [UInt8] {
        var output: [UInt8] = []
        append(time, to: &output)
        return output
    }

    /// Reads a time; nil for anything else.
    package static func parse(_ text: [UInt8]) -> ZonedTime? { text.withUnsafeBytes { parse($0) } }

    /// Reads `2006-01-02T15:04:05.999999999Z` or with an offset; nil for anything else.
    package static func parse(_ text: UnsafeRawBufferPointer) -> ZonedTime? {
        func digits(_ start: Int, _ count: Int) -> Int64? {
            guard start + count <= text.count else { return nil }
            var value: Int64 = 0
            for index in start..<start + count {
                let digit = text[index] &- 48
                guard digit < 10 else { return nil }
                value = value * 10 + Int64(digit)
            }
            return value
        }
        guard text.count >= 20, text.count <= 64, let year = digits(0, 4), text[4] == UInt8(ascii: "-"),
            let month = digits(5, 2),
            text[7] == UInt8(ascii: "-"), let day = digits(8, 2), text[10] == UInt8(ascii: "T"),
            let hour = digits(11, 2),
            text[13] == UInt8(ascii: ":"), let minute = digits(14, 2), text[16] == UInt8(ascii: ":"),
            let second = digits(17, 2),
            (1...12).contains(month), day >= 1, day <= daysIn(year, month), hour < 24, minute < 60, second < 60
        else { return nil }
        var index = 19
        var nanoseconds: Int32 = 0
        if text[index] == UInt8(ascii: ".") || text[index] == UInt8(ascii: ",") {
            index += 1
            let start = index
            var scale: Int32 = 100_000_000
            while index < text.count, text[index] &- 48 < 10 {
                nanoseconds += Int32(text[index] - 48) * scale
                scale /= 10
                index += 1
            }
            guard index > start else { return nil }
        }
        guard index < text.count else { return nil }
        var offset: Int64 = 0
        if text[index] == UInt8(ascii: "Z") {
            guard index + 1 == text.count else { return nil }
        } else {
            let sign: Int64
            switch text[index] {
            case UInt8(ascii: "+"): sign = 1
            case UInt8(ascii: "-"): sign = -1
            default: return nil
            }
            guard index + 6 == text.count, let hours = digits(index + 1, 2), text[index + 3] == UInt8(ascii: ":"),
                let minutes = digits(index + 4, 2), hours <= 24, minutes < 60
            else { return nil }
            offset = sign * (hours * 3600 + minutes * 60)
        }
        let local = days(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second
        return ZonedTime(Timestamp(seconds: local - offset, nanoseconds: nanoseconds), offsetSeconds: Int32(offset))
    }

    private static func pad(_ value: UInt64, _ width: Int, _ output: inout [UInt8]) {
        var divisor: UInt64 = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            output.append(48 + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }

    private static func daysIn(_ year: Int64, _ month: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 in the proleptic Gregorian calendar.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(_ seconds: Int64) -> (year: Int64, month: Int64, day: Int64, secondOfDay: Int64) {
        var days = seconds / 86_400
        var rest = seconds % 86_400
        if rest < 0 {
            rest += 86_400
            days -= 1
        }
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1, rest)
    }
}
