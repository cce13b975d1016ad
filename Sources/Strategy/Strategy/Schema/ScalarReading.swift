extension ScalarShape {
    /// For messages: `a length of time`.
    package var noun: String {
        switch self {
        case .text: "a text"
        case .path: "a path"
        case .pattern: "a pattern"
        case .choice: "a word"
        case .reference(let to): "a name below \(to)"
        case .secret: "a reference to a secret"
        case .address: "an address"
        case .template: "a template"
        case .loopback: "an address of this machine with a port"
        case .schedule: "a schedule"
        case .timeZone: "a time zone"
        case .duration: "a length of time"
        case .size: "a size"
        case .rate: "a rate"
        case .fileSystemUUID: "the UUID of a file system"
        case .money: "an amount of money"
        case .count: "a number"
        case .calendarSpan: "a span of the calendar"
        case .flag: "yes or no"
        case .word(let word, let other): "\(word) or \(other.noun)"
        }
    }

    var isTimeZone: Bool { if case .timeZone = self { true } else { false } }

    /// What to write where the noun alone does not say it.
    var advice: String {
        switch self {
        case .text, .path, .pattern, .reference, .template: ""
        case .address: addressAdvice
        case .loopback: loopbackAdvice
        case .choice(let choices): "one of: \(choices.filter { $0.refusal == nil }.map(\.word).joined(separator: ", "))"
        case .secret: secretAdvice
        case .schedule: "such as 02:00, mon..fri 22:30, or sat *-*-1..7 15:00"
        case .timeZone: "such as Europe/Berlin or UTC"
        case .duration: "such as 90min, 4h or 1d 12h"
        case .size: "such as 500 MB or 16 MiB"
        case .rate: "such as 20 MiB/s or 160 Mbit/s; \"08:00 2 MiB/s, 23:00 unlimited\" by the time of the day"
        case .fileSystemUUID: fileSystemUUIDAdvice
        case .money: "such as 0.006"
        case .count(let range): "from \(range.lowerBound) to \(range.upperBound)"
        case .calendarSpan: "such as 14d, 6m or 1y6m"
        case .flag: "true or false"
        case .word(_, let other): other.advice
        }
    }

    /// Reads the text of one value.
    ///
    /// The message of an error never repeats what may be a password.
    func read(_ text: String, isBare: Bool, folder: String) throws(NotationError) -> DeclaredScalar {
        switch self {
        case .text, .pattern, .reference, .template: .text(text)
        case .address: try readChannelAddress(text, folder: folder)
        case .loopback: .text(try LoopbackAddress(reading: text).text)
        case .path: .text(try absolutePath(text, folder))
        case .choice(let choices): .text(try readWord(text, of: choices))
        case .secret: .secret(try readSecretReference(text, folder: folder))
        case .schedule: .schedule(try readSchedule(text))
        case .timeZone: .text(try readTimeZone(text))
        case .duration: .duration(try readLength(text))
        case .size: .size(try readSize(text))
        case .rate: .rate(try RateTimetable(text))
        case .fileSystemUUID: .text(try readFileSystemUUID(text))
        case .money: .money(try Money(text))
        case .count(let range): .count(try readCount(text, range))
        case .calendarSpan: .span(try readCalendarSpan(text))
        case .flag: .flag(try readFlag(text, isBare))
        case .word(let word, let other):
            text == word ? .text(text) : try readOther(text, than: word, other, isBare: isBare, folder: folder)
        }
    }
}

extension ScalarShape {
    /// As `other` reads it; what looks like the word that may stand there too is told so.
    private func readOther(_ text: String, than word: String, _ other: ScalarShape, isBare: Bool, folder: String)
        throws(NotationError) -> DeclaredScalar
    {
        do throws(NotationError) {
            return try other.read(text, isBare: isBare, folder: folder)
        } catch {
            guard nearestWord(to: text, among: [word]) != nil else { throw error }
            throw NotationError(error.what, next: suggestion(for: text, among: [word]))
        }
    }
}

private func readWord(_ text: String, of choices: [Choice]) throws(NotationError) -> String {
    guard let choice = choices.first(where: { $0.word == text }) else {
        let words = choices.filter { $0.refusal == nil }.map(\.word)
        throw NotationError(
            "\"\(printable(text))\" is none of the words here",
            next: suggestion(for: text, among: words)
        )
    }
    if let refusal = choice.refusal { throw refusal }
    return text
}

private func readSchedule(_ text: String) throws(NotationError) -> Schedule {
    do throws(ScheduleError) {
        return try Schedule(text)
    } catch {
        throw NotationError("\"\(printable(text))\", character \(error.column): \(error.what)", next: error.next)
    }
}

/// The name alone is looked at here; whether the machine knows the zone is asked by `DeclarationRules`.
private func readTimeZone(_ text: String) throws(NotationError) -> String {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let isZone = parts.allSatisfy { part in
        !part.isEmpty && part.utf8.allSatisfy { isZoneByte($0) } && part.contains { $0.isLetter }
    }
    guard isZone, text.utf8.count <= 64 else {
        throw NotationError("\"\(printable(text))\" is no time zone", next: "write a name such as Europe/Berlin or UTC")
    }
    return text
}

private func isZoneByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "_"):
        true
    default: false
    }
}

private func readCount(_ text: String, _ range: ClosedRange<Int64>) throws(NotationError) -> Int64 {
    let isNumber = !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    let advice = "write a whole number from \(range.lowerBound) to \(range.upperBound)"
    guard isNumber else { throw NotationError("\"\(printable(text))\" is no whole number", next: advice) }
    guard let number = Int64(text), range.contains(number) else {
        throw NotationError("\"\(printable(text))\" is out of range", next: advice)
    }
    return number
}

private func readFlag(_ text: String, _ isBare: Bool) throws(NotationError) -> Bool {
    switch (isBare, text) {
    case (true, "true"), (true, "yes"), (true, "on"): return true
    case (true, "false"), (true, "no"), (true, "off"): return false
    default: throw NotationError("\"\(printable(text))\" is neither yes nor no", next: "write true or false")
    }
}

/// A path with `.`, `..` and doubled slashes taken out by text alone.
func absolutePath(_ path: String, _ folder: String) throws(NotationError) -> String {
    guard !path.hasPrefix("~") else { throw NotationError("\"~\" is not expanded", next: "write the whole path") }
    let whole = path.hasPrefix("/") ? path : "\(folder)/\(path)"
    var parts: [Substring] = []
    for part in whole.split(separator: "/") where part != "." {
        if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
}
