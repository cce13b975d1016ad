extension ZoneRules {
    /// Decodes the bytes of a TZif file, such as those below `/usr/share/zoneinfo`.
    ///
    /// **Shape** (RFC 9636, big-endian; versions 1 to 4):
    ///
    ///     header      "TZif" | version: 1 byte, 0 or "2" to "4" | 15 reserved
    ///                 | counts, 4 bytes each: isut, isstd, leap, time, type, char
    ///     data        transition times: time x 4 bytes | their types: time x 1
    ///                 | types: type x (offset: 4, is daylight saving: 1, index of name: 1) | names: char bytes
    ///                 | leap seconds: leap x 8 | isstd flags | isut flags
    ///     from version 2 on the header and the data again, times now of 8 bytes, and those alone count; then
    ///     footer      newline | POSIX TZ rule for all later moments, may be empty | newline
    ///
    /// Before the first transition type 0 counts. The rule counts after the last transition, from 1900 on. Rule times beyond a day
    /// (version 3) are read in every version.
    /// **Bounds**: `StrategyLimits.zoneFileBytes`, `zoneTransitions`; every count is checked against the file before anything is
    /// allocated. **Errors**: `ZoneRulesError`; any cut and anything behind the end is refused.
    package init(tzif bytes: [UInt8]) throws(ZoneRulesError) {
        guard bytes.count <= StrategyLimits.zoneFileBytes else { throw .tooLarge(bytes: bytes.count) }
        var reader = TZifReader(bytes)
        var header = try reader.header()
        let version = header.version
        var timeBytes = 4
        if version > 0 {
            try reader.skip(header.dataBytes(timeBytes: 4))
            header = try reader.header()
            guard header.version == version else { throw .unknownVersion(header.version) }
            timeBytes = 8
        }
        let table = try reader.table(header, timeBytes: timeBytes)
        let rule = version > 0 ? try reader.footer() : nil
        guard reader.rest == 0 else { throw .trailingBytes(count: reader.rest) }
        self = try ZoneRules(table, rule)
    }

    /// The table of a file, continued by its rule.
    private init(_ table: TZifTable, _ rule: PosixZone?) throws(ZoneRulesError) {
        guard let rule else {
            self.init(initialOffset: table.initialOffset, transitions: table.transitions, repeatsFrom: nil)
            return
        }
        if let last = table.transitions.last, rule.offset(at: last.moment) != last.offset {
            throw .footerContradictsTable
        }
        let initialOffset = table.transitions.isEmpty ? rule.standardOffset : table.initialOffset
        let last = table.transitions.last?.moment ?? .min
        let firstYear = max(ZoneRules.firstRuleYear, year(of: max(last, ZoneRules.moments.lowerBound)))
        let continued = rule.transitions(years: firstYear...(firstYear + 403)).filter { $0.moment > last }
        let repeatsFrom = CivilDate(year: firstYear + 402, month: 1, day: 1).daysSinceEpoch * 86_400
        self.init(
            initialOffset: initialOffset,
            transitions: table.transitions + continued,
            repeatsFrom: continued.isEmpty ? nil : Int64(repeatsFrom)
        )
    }

    /// Nobody set a clock by such a rule before.
    private static let firstRuleYear = 1900
}

/// The year of a moment in UTC.
func year(of moment: Int64) -> Int { LocalTime(seconds: moment).date.year }

/// What the data block of a file says, checked.
private struct TZifTable {
    var initialOffset: Int64
    var transitions: [ZoneTransition]
}

/// The six counts of a header, checked against each other.
private struct TZifHeader {
    /// 0 for version 1, else the digit "2" to "4".
    var version: UInt8
    var utFlags: Int
    var standardFlags: Int
    var leapSeconds: Int
    var times: Int
    var types: Int
    var nameBytes: Int

    func dataBytes(timeBytes: Int) -> Int {
        times * (timeBytes + 1) + types * 6 + nameBytes + leapSeconds * (timeBytes + 4) + standardFlags + utFlags
    }
}

/// Reads a file front to back; no read goes beyond its end.
private struct TZifReader {
    private static let headerBytes = 44
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var rest: Int { bytes.count - position }

    mutating func header() throws(ZoneRulesError) -> TZifHeader {
        let magic = Array("TZif".utf8)
        guard bytes.dropFirst(position).prefix(4).elementsEqual(magic.prefix(rest)) else { throw .notTZif }
        try need(TZifReader.headerBytes)
        let version = bytes[position + 4]
        guard version == 0 || (UInt8(ascii: "2")...UInt8(ascii: "4")).contains(version) else {
            throw .unknownVersion(version)
        }
        position += 20
        let header = TZifHeader(
            version: version,
            utFlags: try count("UT flags", atMost: 256),
            standardFlags: try count("standard time flags", atMost: 256),
            leapSeconds: try count("leap seconds", atMost: StrategyLimits.zoneTransitions),
            times: try count("transitions", atMost: StrategyLimits.zoneTransitions),
            types: try count("local time types", atMost: 256),
            nameBytes: try count("name bytes", atMost: StrategyLimits.zoneNameBytes)
        )
        // The first block of a later version is a courtesy to old readers and may be empty.
        let isPlaceholder = version > 0 && position == TZifReader.headerBytes
        if !isPlaceholder {
            guard header.types > 0 else { throw .badCount("local time types") }
            guard header.nameBytes > 0 else { throw .badCount("name bytes") }
            guard header.leapSeconds == 0 else { throw .leapSeconds }
        }
        for (flags, name) in [(header.utFlags, "UT flags"), (header.standardFlags, "standard time flags")] {
            guard flags == 0 || flags == header.types else { throw .badCount(name) }
        }
        return header
    }

    mutating func table(_ header: TZifHeader, timeBytes: Int) throws(ZoneRulesError) -> TZifTable {
        try need(header.dataBytes(timeBytes: timeBytes))
        let times = position
        let indexes = times + header.times * timeBytes
        let types = indexes + header.times
        let names = types + header.types * 6
        let flags = names + header.nameBytes
        let nameRange = names..<flags
        var offsets: [Int64] = []
        for type in 0..<header.types {
            offsets.append(try offset(ofType: type, at: types + type * 6, names: nameRange))
        }
        for flag in 0..<(header.standardFlags + header.utFlags) where bytes[flags + flag] > 1 {
            throw .badType(flag % header.types)
        }
        var transitions: [ZoneTransition] = []
        transitions.reserveCapacity(header.times)
        for index in 0..<header.times {
            let moment = integer(at: times + index * timeBytes, bytes: timeBytes)
            let type = Int(bytes[indexes + index])
            let isAscending = transitions.last.map { moment > $0.moment } ?? true
            guard isAscending, ZoneRules.moments.contains(moment), type < header.types else {
                throw .badTransition(index)
            }
            transitions.append(ZoneTransition(moment: moment, offset: offsets[type]))
        }
        position = flags + header.standardFlags + header.utFlags
        return TZifTable(initialOffset: offsets[0], transitions: transitions)
    }

    private func offset(ofType type: Int, at place: Int, names: Range<Int>) throws(ZoneRulesError) -> Int64 {
        let offset = integer(at: place, bytes: 4)
        let name = names.lowerBound + Int(bytes[place + 5])
        guard ZoneRules.offsets.contains(offset), bytes[place + 4] <= 1, names.contains(name),
            bytes[name..<names.upperBound].contains(0)
        else { throw .badType(type) }
        return offset
    }

    /// The rule between two newlines at the end; nil when it is empty.
    mutating func footer() throws(ZoneRulesError) -> PosixZone? {
        try need(1)
        guard bytes[position] == newline else { throw .badFooter(column: 0, expected: "a newline before it") }
        position += 1
        guard let end = bytes[position...].firstIndex(of: newline) else { throw .truncated(bytes: bytes.count) }
        defer { position = end + 1 }
        return position == end ? nil : try PosixZone(bytes[position..<end])
    }

    mutating func skip(_ count: Int) throws(ZoneRulesError) {
        try need(count)
        position += count
    }

    private mutating func count(_ name: String, atMost bound: Int) throws(ZoneRulesError) -> Int {
        let value = Int(UInt32(truncatingIfNeeded: integer(at: position, bytes: 4)))
        guard value <= bound else { throw .badCount(name) }
        position += 4
        return value
    }

    private func need(_ count: Int) throws(ZoneRulesError) {
        guard count <= rest else { throw .truncated(bytes: bytes.count) }
    }

    /// Big-endian, signed; the caller has checked that it is there.
    private func integer(at place: Int, bytes count: Int) -> Int64 {
        var value = Int64(Int8(bitPattern: bytes[place]))
        for index in 1..<count { value = value << 8 | Int64(bytes[place + index]) }
        return value
    }
}

private let newline = UInt8(ascii: "\n")
