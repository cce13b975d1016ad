import Bytes
import ObjectStorage

/// The record as a file: a line for each name, so that a person can read it.
///
/// ```
/// holdfast high-water record 1
/// saved 9f3c01d2a4b5e6f7 <name> 1795303809 120000000     group, name, seconds, nanoseconds
/// seen snapshot <name>
/// own snapshot <name>                                     of this host
/// removing index <name>
/// removed snapshot <name>                                 oldest first
/// doubt                                                   only while a prune has to ask first
/// end
/// ```
extension HighWaterRecord {
    private static let heading = Array("holdfast high-water record 1\n".utf8)
    private static let ending = Array("end\n".utf8)

    /// The text, in an order that depends on nothing but the record.
    package func encode() -> [UInt8] {
        var text = Self.heading
        for (group, newest) in saved.sorted(by: { $0.key < $1.key }) {
            text += Array(
                "saved \(Self.hex(group)) \(newest.id.hex) \(newest.time.seconds) \(newest.time.nanoseconds)\n".utf8
            )
        }
        Self.append("own", .snapshot, own.sorted(), to: &text)
        for kind in Self.kinds {
            Self.append("seen", kind, self[kind].seen.sorted(), to: &text)
            Self.append("removing", kind, self[kind].removing.sorted(), to: &text)
            Self.append("removed", kind, self[kind].removed, to: &text)
        }
        if isInDoubt { text += Array("doubt\n".utf8) }
        return text + Self.ending
    }

    /// Nil when it is not such a text, whole.
    package init?(decoding text: [UInt8]) {
        guard text.starts(with: Self.heading), text.reversed().starts(with: Self.ending.reversed()) else { return nil }
        self.init()
        for line in text.dropFirst(Self.heading.count).dropLast(Self.ending.count).split(separator: UInt8(ascii: "\n"))
        {
            guard read(line.split(separator: UInt8(ascii: " "))) else { return nil }
        }
    }

    private static func append(_ word: String, _ kind: ObjectKind, _ names: [Digest], to text: inout [UInt8]) {
        let start = Array("\(word) \(kind == .index ? "index" : "snapshot") ".utf8)
        text.reserveCapacity(text.count + names.count * (start.count + 65))
        for name in names {
            text += start
            name.appendHex(to: &text)
            text.append(UInt8(ascii: "\n"))
        }
    }

    private mutating func read(_ words: [ArraySlice<UInt8>]) -> Bool {
        guard let first = words.first.map({ String(decoding: $0, as: UTF8.self) }) else { return false }
        if first == "saved" { return readSaved(words) }
        if first == "doubt" {
            isInDoubt = true
            return words.count == 1
        }
        guard words.count == 3, let name = Digest(hex: words[2]) else { return false }
        let kind: ObjectKind
        switch String(decoding: words[1], as: UTF8.self) {
        case "snapshot": kind = .snapshot
        case "index": kind = .index
        default: return false
        }
        switch first {
        case "seen": self[kind].seen.insert(name)
        case "own" where kind == .snapshot: own.insert(name)
        case "removing": self[kind].removing.insert(name)
        case "removed": self[kind].removed.append(name)
        default: return false
        }
        return true
    }

    private mutating func readSaved(_ words: [ArraySlice<UInt8>]) -> Bool {
        guard words.count == 5, let id = Digest(hex: words[2]) else { return false }
        let texts = words.map { String(decoding: $0, as: UTF8.self) }
        guard let group = UInt64(texts[1], radix: 16), let seconds = Int64(texts[3]), let nanoseconds = Int32(texts[4])
        else { return false }
        saved[group] = Saved(id: id, time: Timestamp(seconds: seconds, nanoseconds: nanoseconds))
        return true
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
