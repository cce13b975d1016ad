import Bytes
import Console
import KitFormat
import Outcome
import Protection
import Recovery
import Strategy

/// What a kit brought to light, and what to type next.
struct BootstrapPage: Sendable {
    let kit: RecoveryKit
    let found: Bootstrapped
    let printer: Printer
    let now: Timestamp

    /// How the command ends.
    var status: ExitStatus {
        let away = found.stores.count { $0.failure != nil }
        if away == found.stores.count { return .failed }
        return away > 0 ? .incomplete : .success
    }

    func show() {
        guard !printer.isJSON else { return showJSON() }
        result("kit \(kit.serial) of lab \(kit.lab), made \(kit.made) on \(kit.host)")
        result("\nRepositories")
        for store in found.stores { show(store) }
        showRecord()
        result("\nWhat can come back")
        for item in found.items { show(item) }
        for name in found.missing { result("  \(name): NO copy in what was looked at; the declaration has it") }
        if found.items.isEmpty {
            result("  nothing: no snapshot of lab \(kit.lab) and host \(kit.host) in what was looked at")
        }
        showNext()
    }

    /// Names of files in the folder that received them.
    func wrote(_ names: [String], in folder: String) {
        guard !printer.isJSON else {
            var line = JSONLine(messageType: "written")
            line.add("folder", folder)
            line.add("files", names.map { ByteString($0) })
            return printer.result(line.text)
        }
        guard !names.isEmpty else {
            return printer.error("nothing was written: no record of the declaration was found")
        }
        result("\nwrote \(names.joined(separator: ", ")) to \(folder); it holds no password")
    }

    // MARK: parts

    private func result(_ text: String) {
        printer.result(
            Text(
                text.split(separator: "\n", omittingEmptySubsequences: false).map { escapedControl(String($0)) }.joined(
                    separator: "\n"
                )
            )
        )
    }

    private func show(_ store: Bootstrapped.Store) {
        guard let failure = store.failure else {
            let rate = store.rate.map { rate in
                ", read at \(amount(rate.bytesPerSecond))/s \(ageText(now.length(since: rate.time))) ago"
            }
            return result(
                "  \(store.name) on \(store.medium) (\(store.kind)): opened at \(store.path)\(rate ?? ", never measured")"
            )
        }
        result("  \(store.name) on \(store.medium) (\(store.kind)): NOT looked at: \(failure.what)")
        result("    next: \(failure.next)")
    }

    private func showRecord() {
        guard let time = found.recordTime, let store = found.recordStore else {
            return result(
                "\nThe declaration was found in no repository; what can come back is told from the snapshots alone."
            )
        }
        let names = found.files.map(\.name).joined(separator: ", ")
        result(
            "\nThe declaration (\(names)) and the evidence are those of \(ageText(now.length(since: time))) ago, out of \(store)."
        )
    }

    private func show(_ item: Bootstrapped.Item) {
        result("  \(item.workload): \(counted(item.count, "snapshot"))")
        for copy in item.copies {
            let age = ageText(now.length(since: copy.time))
            let size = copy.bytes.map { ", \(amount($0))" } ?? ""
            let part = copy.isComplete ? "" : ", INCOMPLETE"
            result(
                "    \(copy.store): \(copy.snapshot.prefix(8)), \(age) old\(part)\(size), \(time(copy.restore)); \(copy.paths.joined(separator: " "))"
            )
        }
    }

    private func time(_ time: RecoveryTime) -> String {
        switch time {
        case .unknown: "time unknown"
        case .unjudged(let length), .met(let length), .tooLong(let length, _): "back in about \(ageText(length))"
        }
    }

    private func showNext() {
        guard let item = found.items.first, let copy = item.copies.first,
            let store = found.stores.first(where: { $0.name == copy.store })
        else { return }
        result("\nNext, for each, the newest from the nearest:")
        result(
            "  holdfast restic -r \(shellQuoted(store.path)) --no-lock restore \(copy.snapshot.prefix(8)) --target restored-\(item.workload)"
        )
        let variables = store.path.hasPrefix("/") ? "" : ", with the variables that the kit names set first"
        result(
            "It asks for the password of \(store.name), which stands in the kit\(variables). Nothing was written by this command."
        )
    }

    private func shellQuoted(_ path: String) -> String {
        let isPlain = path.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            default: "-_./:,@%+=".utf8.contains(byte)
            }
        }
        return isPlain ? path : "'" + path.replacing("'", with: "'\\''") + "'"
    }

    // MARK: JSON

    private func showJSON() {
        for store in found.stores {
            var line = JSONLine(messageType: "repository")
            line.add("name", store.name)
            line.add("medium", store.medium)
            line.add("ok", store.failure == nil)
            if let failure = store.failure {
                line.add("code", failure.codeName)
                line.add("message", failure.what)
                line.add("next", failure.next)
            } else {
                line.add("path", store.path)
            }
            if let rate = store.rate { line.add("bytes_per_second", rate.bytesPerSecond) }
            printer.result(line.text)
        }
        for item in found.items {
            for copy in item.copies {
                var line = JSONLine(messageType: "copy")
                line.add("workload", item.workload)
                line.add("repository", copy.store)
                line.add("snapshot", copy.snapshot)
                line.add("age_seconds", now.length(since: copy.time).components.seconds)
                line.add("complete", copy.isComplete)
                if let bytes = copy.bytes { line.add("bytes", bytes) }
                if case .unjudged(let time) = copy.restore { line.add("restore_seconds", time.components.seconds) }
                line.add("paths", copy.paths.map { ByteString($0) })
                printer.result(line.text)
            }
        }
        for name in found.missing {
            var line = JSONLine(messageType: "no_copy")
            line.add("workload", name)
            printer.result(line.text)
        }
    }
}
