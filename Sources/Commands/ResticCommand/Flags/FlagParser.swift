package import Bytes
package import Console

/// Reads a command line in the forms of restic's flag library.
///
/// `--name value`, `--name=value`, `--name` alone for switches and counters, clusters `-vvq`, a shorthand's value attached (`-rPATH`,
/// `-ok=v`, `-r=PATH`) or following, options before, between and after words, and `--` to end them.
package struct FlagParser {
    private let flags: [Flag]
    private let byName: [ByteString: Int]
    private var byShorthand: [UInt8: Int] = [:]
    package private(set) var values: FlagValues
    /// What is not an option.
    package private(set) var words: [ByteString] = []
    /// Advice about deprecated options, each once.
    package private(set) var warnings: [Text] = []

    package init(_ flags: [Flag]) {
        self.flags = flags
        byName = Dictionary(uniqueKeysWithValues: flags.enumerated().map { (ByteString($1.name), $0) })
        for (index, flag) in flags.enumerated() {
            if let shorthand = flag.shorthand { byShorthand[shorthand] = index }
        }
        values = FlagValues(flags)
    }

    /// Takes all arguments.
    ///
    /// What was read before an error stays in `values`.
    package mutating func parse(_ arguments: [ByteString]) throws(CommandFailure) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument.bytes.count < 2 || argument.bytes[0] != 0x2d {
                words.append(argument)
            } else if argument.bytes[1] == 0x2d {
                if argument.bytes.count == 2 {
                    words.append(contentsOf: rest)
                    return
                }
                try parseLong(argument, &rest)
            } else {
                try parseCluster(argument, &rest)
            }
        }
    }

    private mutating func parseLong(
        _ argument: ByteString,
        _ rest: inout ArraySlice<ByteString>
    ) throws(CommandFailure) {
        let body = argument.bytes[2...]
        guard let first = body.first, first != 0x2d, first != 0x3d else {
            throw CommandFailure("bad flag syntax: \(argument)")
        }
        let equals = body.firstIndex(of: 0x3d)
        let name = ByteString(Array(body[..<(equals ?? body.endIndex)]))
        guard let index = byName[name] else { throw CommandFailure("unknown flag: --\(name)") }
        let flag = flags[index]
        if let equals {
            try set(flag, ByteString(Array(body[(equals + 1)...])))
        } else if let bare = flag.valueWhenBare {
            try set(flag, bare)
        } else if let value = rest.popFirst() {
            try set(flag, value)
        } else {
            throw CommandFailure("flag needs an argument: \(argument)")
        }
    }

    private mutating func parseCluster(
        _ argument: ByteString,
        _ rest: inout ArraySlice<ByteString>
    ) throws(CommandFailure) {
        var cluster = argument.bytes[1...]
        while let letter = cluster.first {
            let shown = Text(bytes: [0x2d] + cluster)
            let quotedLetter = Text(bytes: [0x27, letter, 0x27])
            guard let index = byShorthand[letter] else {
                throw CommandFailure("unknown shorthand flag: \(quotedLetter) in \(shown)")
            }
            let flag = flags[index]
            cluster = cluster.dropFirst()
            if cluster.count > 1, cluster.first == 0x3d {
                try set(flag, ByteString(Array(cluster.dropFirst())))
                return
            }
            if let bare = flag.valueWhenBare {
                try set(flag, bare)
            } else if !cluster.isEmpty {
                try set(flag, ByteString(Array(cluster)))
                return
            } else if let value = rest.popFirst() {
                try set(flag, value)
            } else {
                throw CommandFailure("flag needs an argument: \(quotedLetter) in \(shown)")
            }
        }
    }

    private mutating func set(_ flag: Flag, _ value: ByteString) throws(CommandFailure) {
        do { try values.set(flag, value) } catch {
            throw CommandFailure("invalid argument \(quoted(value)) for \"\(flag.display)\" flag: \(error.message)")
        }
        if let advice = flag.deprecation {
            let warning: Text = "Flag --\(flag.name) has been deprecated, \(advice)"
            if !warnings.contains(warning) { warnings.append(warning) }
        }
    }
}
