import Bytes
import Console
import HostSystem
import Protection
import Strategy

/// What the operator decides at `init`: five questions at most, each with an answer that counts when nothing is typed.
struct InitAnswers: Sendable {
    var labName: String
    /// Absolute; empty where nothing says where it could be.
    var internalPath: String
    /// Absolute; nil: no second medium.
    var secondPath: String?
    /// Absolute.
    var folders: [String]
    var schedule: String

    /// The answers that count when nothing is typed.
    init(_ findings: InitFindings, home: String?) {
        labName = "home"
        internalPath = isSuperuser ? "/var/lib/holdfast/media" : home.map { "\($0)/.local/share/holdfast/media" } ?? ""
        secondPath = findings.disks.first.map { "\($0.mount.point.display)/holdfast" }
        folders = findings.folders.map(\.path)
        schedule = "02:00"
    }

    /// Asks on the terminal.
    mutating func ask(_ findings: InitFindings, on screen: Screen) throws {
        labName = try answer("Name of this lab", labName, screen) { isName($0) ? nil : "letters, digits, - _ . only" }
        internalPath = try answer("Folder for copies on a disk of this machine", internalPath, screen, pathProblem)
        for disk in findings.disks { screen.line(Text("  found: \(describe(disk))")) }
        let second = try answer("Folder for copies on a second disk, or - for none", secondPath ?? "-", screen) {
            $0 == "-" ? nil : pathProblem($0)
        }
        secondPath = second == "-" ? nil : second
        let list = try answer("Folders to protect", folders.joined(separator: " "), screen) { text in
            text.split(separator: " ").compactMap { pathProblem(String($0)) }.first
        }
        folders = list.split(separator: " ").map(String.init)
        schedule = try answer("When, each day or as a schedule", schedule, screen) { text in
            do throws(ScheduleError) {
                guard let zone = try Schedule(text).zoneName, MachineZones.read(zone) == nil else { return nil }
                return "\(zone) is no time zone of this machine; write a time, such as 03:00"
            } catch {
                return "\(error.what); \(error.next)"
            }
        }
    }

    private func answer(
        _ question: String,
        _ fallback: String,
        _ screen: Screen,
        _ problem: (String) -> String?
    ) throws -> String {
        while true {
            screen.raw(Array("\(question) [\(fallback)]: ".utf8))
            guard let line = readLine(strippingNewline: true) else { throw CancellationError() }
            let text = line.trimmingBlanks
            if text.isEmpty { return fallback }
            guard let what = problem(text) else { return text }
            screen.line(Text("  \(what)"))
        }
    }
}

private func pathProblem(_ text: String) -> String? { text.hasPrefix("/") ? nil : "write a path from the root: /…" }

extension String {
    fileprivate var trimmingBlanks: String {
        String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}

/// `/mnt/usb: 931 GiB free, Samsung T7 S5SXNS0T (usb), ext4`.
func describe(_ disk: MediumCandidate) -> String {
    let space = disk.identity.space.map { "\(formatBytes($0.freeBytes)) free, " } ?? ""
    let names = disk.disks.disks.map { "\($0.model?.display ?? $0.name.display) (\($0.transport.rawValue))" }
    return "\(disk.mount.point.display): \(space)\(names.joined(separator: " + ")), \(disk.identity.type.display)"
}
