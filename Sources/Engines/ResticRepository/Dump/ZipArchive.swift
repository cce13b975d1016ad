import Bytes
import Compression
import ResticFormat

/// Writes a zip archive member by member: sizes and checksum follow each member, a directory of all of them comes last.
///
/// 1. Files are deflated; directories, links and everything else are stored.
/// 2. What does not fit into 32 bits, or more than 65,534 members, is written in zip64.
/// 3. Times stand in the DOS fields, in the zone they were stored with, and as seconds since 1970 in the extra field 0x5455.
/// Memory: the directory at the end, about 150 bytes and the name for each member.
final class ZipArchive: ArchiveWriter {
    private struct Record {
        var name: [UInt8]
        var flags: UInt16
        var method: UInt16
        var time: UInt16
        var date: UInt16
        var unixSeconds: UInt32
        var attributes: UInt32
        var offset: UInt64
        var crc: UInt32 = 0
        var stored: UInt64 = 0
        var plain: UInt64 = 0

        var isWide: Bool { stored >= ZipArchive.max32 || plain >= ZipArchive.max32 }
    }

    private static let max32: UInt64 = 0xffff_ffff
    private static let max16 = 0xffff
    private static let describedLater: UInt16 = 0x8
    private static let isUTF8: UInt16 = 0x800
    private static let deflated: UInt16 = 8

    private let output: DumpOutput
    private let start: UInt64
    private let deflater = Deflater()
    private var records: [Record] = []

    init(_ output: DumpOutput) {
        self.output = output
        start = output.count
    }

    private var position: UInt64 { output.count - start }

    func begin(_ member: ArchiveMember) throws {
        let node = member.node
        let isDirectory = node.type == .directory
        let name = member.path.bytes + (isDirectory ? [0x2f] : [])
        guard name.count <= Self.max16 else { throw DumpProblem.unwritable("zip: FileHeader.Name too long") }
        let (date, time) = dosTime(node.mtime)
        let record = Record(
            name: name,
            flags: (isDirectory ? 0 : Self.describedLater) | (needsUTF8(name) ? Self.isUTF8 : 0),
            method: node.type == .file ? Self.deflated : 0,
            time: time,
            date: date,
            unixSeconds: UInt32(truncatingIfNeeded: node.mtime.moment.seconds),
            attributes: unixMode(node) << 16 | (isDirectory ? 0x10 : 0) | (node.mode & 0o200 == 0 ? 1 : 0),
            offset: position
        )
        records.append(record)
        var header = LittleBytes()
        header.add(UInt32(0x0403_4b50))
        header.add(UInt16(20))
        addCommon(record, to: &header)
        header.add(UInt32(0))
        header.add(UInt32(0))
        header.add(UInt32(0))
        header.add(UInt16(name.count))
        header.add(UInt16(9))
        header.bytes += name
        addTime(record, to: &header)
        try output.write(header.bytes)
        deflater.reset()
        if node.type == .symlink { try node.linkTarget.bytes.withUnsafeBytes { try write($0) } }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        let last = records.count - 1
        records[last].crc = crc32(bytes, after: records[last].crc)
        records[last].plain += UInt64(bytes.count)
        let before = output.count
        if records[last].method == Self.deflated {
            try deflater.write(bytes, isLast: false) { try output.write($0) }
        } else {
            try output.write(bytes)
        }
        records[last].stored += output.count - before
    }

    func end() throws {
        let last = records.count - 1
        guard records[last].flags & Self.describedLater != 0 else { return }
        if records[last].method == Self.deflated {
            let before = output.count
            try deflater.write(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true) { try output.write($0) }
            records[last].stored += output.count - before
        }
        let record = records[last]
        var descriptor = LittleBytes()
        descriptor.add(UInt32(0x0807_4b50))
        descriptor.add(record.crc)
        if record.isWide {
            descriptor.add(record.stored)
            descriptor.add(record.plain)
        } else {
            descriptor.add(UInt32(record.stored))
            descriptor.add(UInt32(record.plain))
        }
        try output.write(descriptor.bytes)
    }

    func finish() throws {
        let begin = position
        for record in records { try output.write(directoryEntry(record)) }
        let end = position
        let isWide = records.count >= Self.max16 || end - begin >= Self.max32 || begin >= Self.max32
        var tail = LittleBytes()
        if isWide {
            tail.add(UInt32(0x0606_4b50))
            tail.add(UInt64(44))
            tail.add(UInt16(45))
            tail.add(UInt16(45))
            tail.add(UInt32(0))
            tail.add(UInt32(0))
            tail.add(UInt64(records.count))
            tail.add(UInt64(records.count))
            tail.add(end - begin)
            tail.add(begin)
            tail.add(UInt32(0x0706_4b50))
            tail.add(UInt32(0))
            tail.add(end)
            tail.add(UInt32(1))
        }
        tail.add(UInt32(0x0605_4b50))
        tail.add(UInt32(0))
        tail.add(UInt16(isWide ? Self.max16 : records.count))
        tail.add(UInt16(isWide ? Self.max16 : records.count))
        tail.add(UInt32(isWide ? Self.max32 : end - begin))
        tail.add(UInt32(isWide ? Self.max32 : begin))
        tail.add(UInt16(0))
        try output.write(tail.bytes)
        try output.flush()
    }

    // MARK: pieces

    private func addCommon(_ record: Record, to header: inout LittleBytes) {
        header.add(record.flags)
        header.add(record.method)
        header.add(record.time)
        header.add(record.date)
    }

    private func addTime(_ record: Record, to header: inout LittleBytes) {
        header.add(UInt16(0x5455))
        header.add(UInt16(5))
        header.bytes.append(1)
        header.add(record.unixSeconds)
    }

    private func directoryEntry(_ record: Record) -> [UInt8] {
        let isWide = record.isWide || record.offset >= Self.max32
        var entry = LittleBytes()
        entry.add(UInt32(0x0201_4b50))
        entry.add(UInt16(3 << 8 | 20))
        entry.add(UInt16(record.isWide ? 45 : 20))
        addCommon(record, to: &entry)
        entry.add(record.crc)
        entry.add(UInt32(isWide ? Self.max32 : record.stored))
        entry.add(UInt32(isWide ? Self.max32 : record.plain))
        entry.add(UInt16(record.name.count))
        entry.add(UInt16(isWide ? 9 + 28 : 9))
        entry.add(UInt16(0))
        entry.add(UInt16(0))
        entry.add(UInt16(0))
        entry.add(record.attributes)
        entry.add(UInt32(min(record.offset, Self.max32)))
        entry.bytes += record.name
        addTime(record, to: &entry)
        guard isWide else { return entry.bytes }
        entry.add(UInt16(1))
        entry.add(UInt16(24))
        entry.add(record.plain)
        entry.add(record.stored)
        entry.add(record.offset)
        return entry.bytes
    }

    /// True for names that readers without the flag would show wrongly: valid UTF-8 with more than plain ASCII in it.
    ///
    /// Backslash and tilde count as more, since some old code pages have other characters in their place.
    private func needsUTF8(_ name: [UInt8]) -> Bool {
        guard name.contains(where: { $0 < 0x20 || $0 > 0x7d || $0 == 0x5c }) else { return false }
        return String(decoding: name, as: UTF8.self).utf8.elementsEqual(name)
    }

    /// The mode as Unix has it, which the upper half of the attributes carries.
    private func unixMode(_ node: Node) -> UInt32 {
        let type: UInt32 =
            switch node.type {
            case .directory: 0o040000
            case .symlink: 0o120000
            case .device: 0o060000
            case .characterDevice: 0o020000
            case .fifo: 0o010000
            case .socket: 0o140000
            case .file, .irregular, .other: 0o100000
            }
        return type | GoMode.unixPermissions(node.mode)
    }

    /// Date and time in the DOS form: two seconds are the unit, years count from 1980; both wrap as Go's do.
    private func dosTime(_ time: ZonedTime) -> (date: UInt16, time: UInt16) {
        let local = time.moment.seconds &+ Int64(time.offsetSeconds)
        let day = local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
        let second = Int(local - day * 86_400)
        let civil = civilDate(day)
        let years = civil.year - 1980
        let (minute, hour) = (second / 60 % 60, second / 3600)
        return (
            UInt16(truncatingIfNeeded: civil.day + (civil.month << 5) + (years << 9)),
            UInt16(truncatingIfNeeded: second % 60 / 2 + (minute << 5) + (hour << 11))
        )
    }

    /// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
    private func civilDate(_ day: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = Int(shifted - era * 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        return (Int(era) * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1)
    }
}

/// Integers in little-endian order, one after the other.
private struct LittleBytes {
    var bytes: [UInt8] = []

    mutating func add(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
