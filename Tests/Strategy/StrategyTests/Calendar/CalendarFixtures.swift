import Bytes
import Foundation
import GoldenVectors
import Spawning
import Strategy
import Testing

/// The seed of all random tests here: `TEST_SEED`, or a fixed one.
let testSeed = ProcessInfo.processInfo.environment["TEST_SEED"].flatMap { UInt64($0) } ?? 20_261_122

/// SplitMix64: the same numbers from the same seed, on every machine.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func pick<T>(_ items: [T]) -> T { items[Int.random(in: 0..<items.count, using: &self)] }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}

/// A zone of `Tests/Vectors/zones.txt`.
struct GoldenZone: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]
    /// The first moment of each stretch and its offset, as Python reads the file.
    var offsets: [(moment: Int64, offset: Int)]
    var testDescription: String { name }

    static let all: [GoldenZone] = {
        guard let vector = try? GoldenVector("zones.txt") else { return [] }
        return zip(zip(vector.all("zone"), vector.all("tzif")), vector.all("offsets")).map { pair, offsets in
            GoldenZone(
                name: pair.0,
                bytes: [UInt8](Data(base64Encoded: pair.1) ?? Data()),
                offsets: offsets.split(separator: " ").map { entry in
                    let numbers = entry.split(separator: ":")
                    return (Int64(numbers[0]) ?? 0, Int(numbers[1]) ?? 0)
                }
            )
        }
    }()

    static func rules(_ name: String) throws -> ZoneRules {
        let zone = try #require(all.first { $0.name == name }, "zones.txt lacks \(name)")
        return try ZoneRules(tzif: zone.bytes)
    }
}

/// The moment of a date and time in UTC, written like `2026-03-29 02:30:00`.
func utc(_ text: String) -> Timestamp { Timestamp(seconds: local(text).seconds) }

/// The time that a wall clock shows, written the same way; seconds may be left out.
func local(_ text: String) -> LocalTime {
    let numbers = text.split(whereSeparator: { "- :".contains($0) }).map { Int($0) ?? 0 } + [0, 0, 0]
    let date = CivilDate(year: numbers[0], month: numbers[1], day: numbers[2])
    return LocalTime(date, hour: numbers[3], minute: numbers[4], second: numbers[5])
}

/// That moment in UTC, for messages and tables.
func shown(_ moment: Timestamp?) -> String {
    moment.map { LocalTime(utc: $0).description } ?? "never"
}

/// A TZif file made by hand.
struct ZoneFile {
    var version: UInt8 = UInt8(ascii: "2")
    var types: [(offset: Int32, isDaylight: UInt8, name: UInt8)] = [(0, 0, 0)]
    var names: [UInt8] = Array("UTC\0".utf8)
    var transitions: [(moment: Int64, type: UInt8)] = []
    var leapSeconds = 0
    var footer: String? = ""

    var bytes: [UInt8] {
        guard version > 0 else { return block(timeBytes: 4) }
        // What old readers get: one type and nothing else.
        let old = ZoneFile(version: version).block(timeBytes: 4)
        return old + block(timeBytes: 8) + (footer.map { Array("\n\($0)\n".utf8) } ?? [])
    }

    private func block(timeBytes: Int) -> [UInt8] {
        var bytes = Array("TZif".utf8) + [version] + [UInt8](repeating: 0, count: 15)
        for count in [0, 0, leapSeconds, transitions.count, types.count, names.count] {
            bytes += bigEndian(Int64(count), 4)
        }
        for transition in transitions { bytes += bigEndian(transition.moment, timeBytes) }
        for transition in transitions { bytes.append(transition.type) }
        for type in types { bytes += bigEndian(Int64(type.offset), 4) + [type.isDaylight, type.name] }
        bytes += names
        for leap in 0..<leapSeconds { bytes += bigEndian(Int64(leap), timeBytes) + bigEndian(1, 4) }
        return bytes
    }

    private func bigEndian(_ value: Int64, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> Int64(8 * $0)) }
    }
}

/// The zone table of this machine; empty where there is none.
enum MachineZones {
    static let folder = "/usr/share/zoneinfo"

    /// One name for each distinct file, with its bytes, by name.
    ///
    /// Files that count leap seconds are left out.
    static let all: [(name: String, bytes: [UInt8])] = {
        let names = (FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []).sorted()
        var seen: Set<[UInt8]> = []
        var found: [(name: String, bytes: [UInt8])] = []
        for name in names where !name.hasPrefix("right/") && !name.hasPrefix("posix/") {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)") else { continue }
            let bytes = [UInt8](data)
            if bytes.starts(with: Array("TZif".utf8)), seen.insert(bytes).inserted { found.append((name, bytes)) }
        }
        return found
    }()

    static var areHere: Bool { !all.isEmpty }
}

/// A program of this machine, run to its end.
struct InstalledTool {
    let path: String

    /// The first of those paths that is there.
    init?(_ paths: String...) {
        guard let path = paths.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else { return nil }
        self.path = path
    }

    /// Everything it prints, whatever its status.
    func output(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ["TZ": "UTC", "LC_ALL": "C", "SYSTEMD_COLORS": "0", "PATH": "/usr/bin:/bin"]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.start()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
