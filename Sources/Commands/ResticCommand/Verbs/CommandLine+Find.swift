package import Bytes
import Console

/// A command line taken apart: which command, and every argument but its name.
package struct FoundVerb {
    package var verb: Verb?
    /// The word that names no command.
    package var unknown: ByteString?
    package var arguments: [ByteString]
}

/// Finds the command's name among global options before it.
///
/// The value of an option is skipped; an unknown option is taken to have one, as restic does.
package func findVerb(_ arguments: [ByteString]) -> FoundVerb {
    var index = 0
    while index < arguments.count {
        let argument = arguments[index]
        if argument == "--" { break }
        guard argument.bytes.first == 0x2d, argument.bytes.count > 1 else {
            if argument.bytes.isEmpty {
                index += 1
                continue
            }
            var rest = arguments
            rest.remove(at: index)
            guard let verb = Verb(rawValue: argument.display) else {
                return FoundVerb(unknown: argument, arguments: arguments)
            }
            return FoundVerb(verb: verb, arguments: rest)
        }
        if takesNextArgument(argument) { index += 1 }
        index += 1
    }
    return FoundVerb(arguments: arguments)
}

private func takesNextArgument(_ argument: ByteString) -> Bool {
    if argument.bytes[1] == 0x2d {
        guard !argument.bytes.contains(0x3d) else { return false }
        let name = String(decoding: argument.bytes[2...], as: UTF8.self)
        return globalFlags.first { $0.name == name }?.valueWhenBare == nil
    }
    guard argument.bytes.count == 2 else { return false }
    return globalFlags.first { $0.shorthand == argument.bytes[1] }?.valueWhenBare == nil
}

/// The complaint about a command that does not exist, with what was perhaps meant.
package func unknownCommand(_ name: ByteString, calledAs program: String) -> CommandFailure {
    let typed = name.display.lowercased()
    let near = Verb.allCases.map(\.rawValue).filter { known in
        editDistance(Array(typed.utf8), Array(known.utf8)) <= 2 || known.hasPrefix(typed)
    }
    var message: Text = "unknown command \(quoted(name)) for \"\(program)\""
    if !near.isEmpty {
        message += "\n\nDid you mean this?\n"
        for candidate in near { message += "\t\(candidate)\n" }
    }
    return CommandFailure(message)
}

/// Levenshtein's distance.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, b) in right.enumerated() {
            let above = row[j + 1]
            row[j + 1] = a == b ? diagonal : 1 + min(diagonal, above, row[j])
            diagonal = above
        }
    }
    return row[right.count]
}
