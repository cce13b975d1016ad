package import Bytes
import Console
import HostSystem
import ResticRepository

/// Patterns collected from the options of one kind: those typed, then those of the files.
struct PatternOptions {
    var patterns: [ByteString]
    var insensitivePatterns: [ByteString]

    var isEmpty: Bool { patterns.isEmpty && insensitivePatterns.isEmpty }

    /// Ready to match; lists without a pattern are left out.
    var lists: [PatternList] {
        [PatternList(insensitivePatterns, ignoringCase: true), PatternList(patterns)].filter { !$0.isEmpty }
    }

    /// Reads `--KIND`, `--iKIND`, `--KIND-file` and `--iKIND-file`, checks every pattern.
    init(_ kind: String, _ values: FlagValues, _ environment: Environment) throws(CommandFailure) {
        let fromFiles = try readPatterns(values.texts("\(kind)-file"), environment)
        try checkPatterns(fromFiles, "--\(kind)-file")
        let insensitiveFromFiles = try readPatterns(values.texts("i\(kind)-file"), environment)
        try checkPatterns(insensitiveFromFiles, "--i\(kind)-file")
        insensitivePatterns = values.texts("i\(kind)") + insensitiveFromFiles
        try checkPatterns(insensitivePatterns, "--i\(kind)")
        patterns = values.texts(kind) + fromFiles
        try checkPatterns(patterns, "--\(kind)")
    }
}

/// Refuses patterns with an open class or a lone backslash, all of them in one message.
func checkPatterns(_ patterns: [ByteString], _ option: String) throws(CommandFailure) {
    let invalid = PatternList.malformed(patterns)
    guard invalid.isEmpty else {
        let list = invalid.map { Text(bytes: $0.bytes) }.joined("\n")
        throw .fatal("\(option): invalid pattern(s) provided:\n\(list)")
    }
}

private func readPatterns(_ files: [ByteString], _ environment: Environment) throws(CommandFailure) -> [ByteString] {
    var patterns: [ByteString] = []
    for file in files {
        let text: [UInt8]
        do { text = try readTextFile(file) } catch {
            throw CommandFailure("failed to read patterns from file \(quoted(file)): \(error.message)")
        }
        for line in lines(of: text) {
            let line = line.trimmed
            if line.isEmpty || line.hasPrefix("#") { continue }
            patterns.append(expandVariables(line, environment))
        }
    }
    return patterns
}

/// Puts the values of `$NAME` and `${NAME}` in; `$$` is a dollar sign, an unset variable is empty.
package func expandVariables(_ line: ByteString, _ environment: Environment) -> ByteString {
    var output: [UInt8] = []
    var rest = line.bytes[...]
    while let byte = rest.popFirst() {
        guard byte == 0x24, let next = rest.first else {
            output.append(byte)
            continue
        }
        let name: ArraySlice<UInt8>
        if next == 0x7b {
            rest.removeFirst()
            guard let close = rest.firstIndex(of: 0x7d) else {
                // Go drops the two characters of an unclosed brace.
                continue
            }
            name = rest[..<close]
            rest = rest[(close + 1)...]
        } else if isSpecialName(next) {
            name = rest.prefix(1)
            rest.removeFirst()
        } else {
            name = rest.prefix(while: isNameByte)
            rest = rest.dropFirst(name.count)
            if name.isEmpty {
                output.append(byte)
                continue
            }
        }
        if name.elementsEqual([0x24]) {
            output.append(0x24)
        } else {
            output.append(contentsOf: environment.variables[ByteString(Array(name))]?.bytes ?? [])
        }
    }
    return ByteString(output)
}

private func isSpecialName(_ byte: UInt8) -> Bool {
    "*#$@!?-0123456789".utf8.contains(byte)
}

private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: true
    default: false
    }
}

/// The most that a list of sources or patterns may hold, in bytes.
private let listBytesMax = 1 << 30

/// The text of a file in UTF-8, or what the system said: `open NAME: no such file or directory`.
func readTextFile(_ path: ByteString) throws(CommandFailure) -> [UInt8] {
    do { return decodedText(try readFile(path, limit: listBytesMax)) } catch {
        throw CommandFailure("\(error.callName == "openat" ? "open" : error.callName) \(path): \(goMessage(error))")
    }
}

/// The system's message as Go prints it: lower case.
func goMessage(_ error: Errno) -> String {
    let message = error.message
    return message.prefix(1).lowercased() + message.dropFirst()
}
