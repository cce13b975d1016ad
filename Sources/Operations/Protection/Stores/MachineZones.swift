import Bytes
import HostSystem
package import Strategy
import Synchronization

/// The time zones of this machine, each read once.
///
/// A zone that cannot be read counts as UTC, and `warn` says so; `config check` refuses unknown names before.
package final class MachineZones: Sendable {
    private static let folder = "/usr/share/zoneinfo"
    private let known = Mutex<[String: ZoneRules]>([:])
    private let lab: Lab
    private let warn: @Sendable (String) -> Void

    package init(_ lab: Lab, warn: @escaping @Sendable (String) -> Void) {
        self.lab = lab
        self.warn = warn
    }

    /// The rules of the zone that a schedule is read in; nil: what else the declaration says by the clock.
    package func rules(for schedule: Schedule?) -> ZoneRules { rules(named: schedule?.zoneName ?? lab.timeZone) }

    /// The rules of a zone; nil: the machine's.
    package func rules(named name: String?) -> ZoneRules {
        let key = name ?? ""
        if let rules = known.withLock({ $0[key] }) { return rules }
        let rules: ZoneRules
        if let found = Self.read(name) {
            rules = found
        } else {
            rules = .utc
            if let name { warn("the time zone \"\(name)\" cannot be read from \(Self.folder); UTC is used") }
        }
        known.withLock { $0[key] = rules }
        return rules
    }

    /// Nil when the machine does not know it; a machine without a zone of its own has UTC.
    package static func read(_ name: String?) -> ZoneRules? {
        if let name {
            if name == "UTC" { return .utc }
            guard !name.contains("..") else { return nil }
            return read(path: "\(folder)/\(name)")
        }
        if let own = environmentVariable("TZ").map({ String(decoding: $0.bytes, as: UTF8.self) }), !own.isEmpty {
            let plain = own.hasPrefix(":") ? String(own.dropFirst()) : own
            if let rules = plain.hasPrefix("/") ? read(path: plain) : read(plain) { return rules }
        }
        return read(path: "/etc/localtime") ?? .utc
    }

    private static func read(path: String) -> ZoneRules? {
        guard let bytes = try? readFile(ByteString(path), limit: StrategyLimits.zoneFileBytes) else { return nil }
        return try? ZoneRules(tzif: bytes)
    }
}
