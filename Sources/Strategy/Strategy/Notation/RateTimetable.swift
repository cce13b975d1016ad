/// How many bytes a second may be moved at which time of the day.
package struct RateTimetable: Sendable, Hashable {
    /// From that minute of the day on, until the next entry's.
    package struct Entry: Sendable, Hashable {
        package var minute: Int
        /// Nil: no bound.
        package var bytesPerSecond: UInt64?
    }

    /// In the order of the day, each minute once; at least one.
    package let entries: [Entry]

    /// The same all day.
    package init(_ bytesPerSecond: UInt64) { entries = [Entry(minute: 0, bytesPerSecond: bytesPerSecond)] }

    /// Reads one rate for the whole day, `20 MiB/s`, or several from times on: `08:00 2 MiB/s, 23:00 unlimited`.
    ///
    /// What stands last counts over midnight. Bounds: a time stands once, and something is bounded.
    package init(_ text: String) throws(NotationError) {
        let example = "write 20 MiB/s for the whole day, or rates from times on: \"08:00 2 MiB/s, 23:00 unlimited\""
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.drop { $0 == " " } }
        guard parts.count > 1 || parts[0].prefix(6).contains(":") else {
            entries = [Entry(minute: 0, bytesPerSecond: try readRate(text))]
            return
        }
        var entries: [Entry] = []
        for part in parts {
            guard let (minute, rest) = Self.time(part) else {
                throw NotationError(
                    "\"\(printable(String(part)))\" does not begin with a time of the day",
                    next: example
                )
            }
            let word = rest.prefix { $0 != " " }
            let isUnlimited = word == "unlimited" && rest.dropFirst(word.count).allSatisfy { $0 == " " }
            if entries.contains(where: { $0.minute == minute }) {
                throw NotationError("\"\(printable(text))\" names a time twice", next: example)
            }
            entries.append(Entry(minute: minute, bytesPerSecond: isUnlimited ? nil : try readRate(String(rest))))
        }
        guard entries.contains(where: { $0.bytesPerSecond != nil }) else {
            throw NotationError("\"\(printable(text))\" bounds nothing", next: "leave it out, or write a rate")
        }
        self.entries = entries.sorted { $0.minute < $1.minute }
    }

    /// What counts at that second of the day; nil: no bound.
    package func bytesPerSecond(atSecond second: Int) -> UInt64? {
        (entries.last { $0.minute * 60 <= second } ?? entries[entries.count - 1]).bytesPerSecond
    }

    /// As it is read again.
    package var text: String {
        if entries.count == 1, let rate = entries[0].bytesPerSecond { return rateText(rate) }
        return entries.map { entry in
            let time = "\(Self.twoDigits(entry.minute / 60)):\(Self.twoDigits(entry.minute % 60))"
            return "\(time) \(entry.bytesPerSecond.map(rateText) ?? "unlimited")"
        }.joined(separator: ", ")
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// The minute of the day in front, and what stands behind it.
    private static func time(_ text: Substring) -> (Int, Substring)? {
        let word = text.prefix { $0 != " " }
        let parts = word.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.count == 2, (1...2).contains(parts[0].utf8.count),
            parts.allSatisfy({ $0.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60
        else { return nil }
        return (hour * 60 + minute, text[word.endIndex...].drop { $0 == " " })
    }
}
