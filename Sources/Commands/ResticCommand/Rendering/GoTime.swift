import Bytes
import Console
import Glibc

/// A moment taken apart in the zone of this process.
struct LocalTime {
    var year: Int
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int
    /// `CET`, `+0530`: what the zone calls itself at that moment.
    var zoneName: String
    var offsetSeconds: Int32

    init(_ moment: Timestamp) {
        var seconds = time_t(moment.seconds)
        var parts = tm()
        localtime_r(&seconds, &parts)
        year = Int(parts.tm_year) + 1900
        month = Int(parts.tm_mon) + 1
        day = Int(parts.tm_mday)
        hour = Int(parts.tm_hour)
        minute = Int(parts.tm_min)
        second = Int(parts.tm_sec)
        zoneName = parts.tm_zone.map { String(cString: $0) } ?? ""
        offsetSeconds = Int32(truncatingIfNeeded: parts.tm_gmtoff)
    }

    /// The same for a fixed offset from UTC.
    init(_ moment: Timestamp, offsetSeconds: Int32) {
        var seconds = time_t(moment.seconds + Int64(offsetSeconds))
        var parts = tm()
        gmtime_r(&seconds, &parts)
        year = Int(parts.tm_year) + 1900
        month = Int(parts.tm_mon) + 1
        day = Int(parts.tm_mday)
        hour = Int(parts.tm_hour)
        minute = Int(parts.tm_min)
        second = Int(parts.tm_sec)
        zoneName = ""
        self.offsetSeconds = offsetSeconds
    }

    /// `2026-11-21 04:54:20`.
    var text: String {
        let digits = String(year.magnitude)
        let zeros = String(repeating: "0", count: max(0, 4 - digits.utf8.count))
        return "\(year < 0 ? "-" : "")\(zeros)\(digits)-\(twoDigits(month))-\(twoDigits(day)) "
            + "\(twoDigits(hour)):\(twoDigits(minute)):\(twoDigits(second))"
    }
}

/// `2026-11-21 04:54:20` in this process's zone.
func localText(_ moment: Timestamp) -> String { LocalTime(moment).text }

/// `2026-11-21 04:54:20.5 +0100 CET`, as Go prints a stored time.
///
/// A stored offset that equals ours at that moment gets our zone's name, another one its number, zero `UTC`.
func goText(_ time: ZonedTime) -> String {
    let local = LocalTime(time.moment)
    let isOurs = time.offsetSeconds != 0 && local.offsetSeconds == time.offsetSeconds
    let parts = isOurs ? local : LocalTime(time.moment, offsetSeconds: time.offsetSeconds)
    var fraction = ""
    if time.moment.nanoseconds != 0 {
        let digits = String(time.moment.nanoseconds)
        fraction = "." + String(repeating: "0", count: 9 - digits.utf8.count) + digits
        while fraction.last == "0" { fraction.removeLast() }
    }
    let offset = offsetText(time.offsetSeconds)
    let zone = time.offsetSeconds == 0 ? "UTC" : isOurs && !local.zoneName.isEmpty ? local.zoneName : offset
    return "\(parts.text)\(fraction) \(offset) \(zone)"
}

private func offsetText(_ seconds: Int32) -> String {
    let minutes = abs(seconds) / 60
    return "\(seconds < 0 ? "-" : "+")\(twoDigits(minutes / 60))\(twoDigits(minutes % 60))"
}

/// What Go calls the zone of this process: the value of `TZ`, `local time` when it is not set, else `UTC`.
func zoneTitle(_ environment: Environment) -> String {
    guard let name = environment.variables["TZ"] else {
        return access("/etc/localtime", R_OK) == 0 ? "local time" : "UTC"
    }
    let text = name.bytes.first == 0x3a ? String(name.display.dropFirst()) : name.display
    if text.isEmpty || text == "UTC" { return "UTC" }
    if text == "/etc/localtime" { return "local time" }
    let places = text.hasPrefix("/") ? [""] : ["/usr/share/zoneinfo/", "/usr/share/lib/zoneinfo/", "/etc/zoneinfo/"]
    return places.contains { access($0 + text, R_OK) == 0 } ? text : "UTC"
}
