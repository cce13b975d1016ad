package import Bytes
import Console
import HostSystem

/// The sources of a backup: from lists, then from the command line.
struct SourceList {
    private(set) var targets: [ByteString] = []
    /// False when a source was missing or could not be looked at: the backup ends with 3.
    private(set) var isComplete = true
    private let warn: (Text) -> Void

    /// Collects and looks at every source; `warn` hears of each that is skipped.
    ///
    /// Errors: nothing is named, or nothing of what is named exists.
    init(_ values: FlagValues, words: [ByteString], warn: @escaping (Text) -> Void) throws(CommandFailure) {
        self.warn = warn
        for file in values.texts("files-from") { try addPatterns(lines(of: try readList(file))) }
        for file in values.texts("files-from-verbatim") {
            targets += lines(of: try readList(file)).filter { !$0.isEmpty }
        }
        for file in values.texts("files-from-raw") { targets += try splitRaw(try readRawList(file)) }
        targets += words
        guard !targets.isEmpty else { throw .fatal("nothing to backup, please specify source files/dirs") }
        dropMissing()
        guard !targets.isEmpty else { throw .fatal("all source directories/files do not exist") }
    }

    private mutating func addPatterns(_ lines: [ByteString]) throws(CommandFailure) {
        for line in lines {
            let pattern = line.trimmed
            if pattern.isEmpty || pattern.hasPrefix("#") { continue }
            let found: [ByteString]
            do { found = try glob(pattern) } catch {
                throw CommandFailure("pattern: \(pattern): syntax error in pattern")
            }
            if found.isEmpty { warn("pattern \(quoted(pattern)) does not match any files, skipping") }
            targets += found
        }
    }

    private mutating func dropMissing() {
        var existing: [ByteString] = []
        for target in targets {
            do {
                _ = try status(at: target)
                existing.append(target)
            } catch {
                let what = error.kind == .missing ? "does not exist" : "cannot be accessed"
                warn("\(quotedForDisplay(target)) \(what), skipping")
                isComplete = false
            }
        }
        targets = existing
    }
}

private func readList(_ file: ByteString) throws(CommandFailure) -> [UInt8] {
    file == "-" ? try readStandardInput() : try readTextFile(file)
}

private func readRawList(_ file: ByteString) throws(CommandFailure) -> [UInt8] {
    if file == "-" { return try readStandardInput() }
    do { return try readFile(file, limit: 1 << 30) } catch {
        throw CommandFailure("open \(file): \(goMessage(error))")
    }
}

private func readStandardInput() throws(CommandFailure) -> [UInt8] {
    do { return try readAll(.standardInput, limit: 1 << 30) } catch {
        throw CommandFailure("read standard input: \(goMessage(error))")
    }
}

/// Names ended by a zero byte each.
package func splitRaw(_ bytes: [UInt8]) throws(CommandFailure) -> [ByteString] {
    guard !bytes.isEmpty else { return [] }
    guard bytes.last == 0 else { throw .fatal("--files-from-raw: trailing zero byte missing") }
    let names = bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false)
    guard names.allSatisfy({ !$0.isEmpty }) else { throw .fatal("--files-from-raw: empty filename in listing") }
    return names.map { ByteString(Array($0)) }
}
