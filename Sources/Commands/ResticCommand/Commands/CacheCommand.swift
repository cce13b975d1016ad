import Bytes
import Console
import HostSystem
import Outcome
import ResticRepository

extension Session {
    /// `cache`: lists the cache directories, or removes old ones.
    func runCache() throws -> ExitStatus {
        guard words.isEmpty else {
            throw CommandFailure.fatal(
                "the cache command expects no arguments, only options - please see `restic help cache` for usage and flags"
            )
        }
        guard !options.noCache else { throw CommandFailure.fatal("Refusing to do anything, the cache is disabled") }
        guard let base = options.cacheDirectory ?? defaultCacheDirectory else {
            throw CommandFailure(
                "unable to locate cache directory: neither $XDG_CACHE_HOME nor $HOME are defined"
            )
        }
        let now = context.time.now()
        let days = Int64(clamping: values.unsigned("max-age") ?? 30)
        let seconds = days.multipliedReportingOverflow(by: 86_400)
        let oldest = Timestamp(
            seconds: seconds.overflow
                ? Int64.min : now.seconds.subtractingReportingOverflow(seconds.partialValue).partialValue,
            nanoseconds: now.nanoseconds
        )
        let entries: [CacheDirectories.Entry]
        do { entries = try CacheDirectories.list(base: base) } catch {
            throw CommandFailure("open \(quotedForDisplay(base)): \(goMessage(error))")
        }
        if values.isOn("cleanup") || options.cleanupCache {
            removeCaches(entries.filter { $0.used < oldest }, base)
        } else {
            try listCaches(entries, base, oldest: oldest, now: now)
        }
        return .success
    }

    private func removeCaches(_ old: [CacheDirectories.Entry], _ base: ByteString) {
        // This command knows no JSON; its words appear with --json as well.
        let says = printer.verbosity >= .normal
        guard !old.isEmpty else {
            if says { printer.result("no old cache dirs found") }
            return
        }
        if says { printer.result("remove \(old.count) old cache directories") }
        for entry in old {
            do { try CacheDirectories.remove(entry.name, base: base) } catch {
                printer.error("unable to remove \(base)/\(entry.name): \(goMessage(error))")
            }
        }
    }

    private func listCaches(
        _ entries: [CacheDirectories.Entry],
        _ base: ByteString,
        oldest: Timestamp,
        now: Timestamp
    ) throws {
        guard !entries.isEmpty else { return printer.result("no cache dirs found, basedir is \(printer.name(base))") }
        let withSize = !values.isOn("no-size")
        var table = Table(["Repo ID", "Last Used", "Old"] + (withSize ? ["Size"] : []))
        for entry in entries.sorted(by: { ($0.used, $0.name) < ($1.used, $1.name) }) {
            let name = entry.name.bytes.count == 64 ? ByteString(Array(entry.name.bytes.prefix(10))) : entry.name
            let days = max(0, Int64(now.seconds(since: entry.used) / 86_400))
            var cells: [[Text]] = [
                [Text(bytes: name.bytes)], ["\(days) days ago"], [entry.used < oldest ? "yes" : ""],
            ]
            if withSize {
                let bytes: UInt64
                do { bytes = try CacheDirectories.size(entry.name, base: base) } catch {
                    throw CommandFailure("\(quotedForDisplay(base))/\(entry.name): \(goMessage(error))")
                }
                cells.append([Text(padLeft(formatBytes(bytes), 11))])
            }
            table.add(cells)
        }
        for line in table.lines() { printer.result(line) }
        printer.result("\(entries.count) cache dirs in \(printer.name(base))")
    }
}
