package import Bytes
import Console

/// The options found on a command line, by name.
///
/// Asking for a name that no table defines is a bug and traps.
package struct FlagValues: Sendable {
    private struct Value: Sendable {
        var texts: [ByteString] = []
        var number: Int64 = 0
        var unsigned: UInt64 = 0
    }

    private var values: [String: Value] = [:]
    private let known: Set<String>

    init(_ flags: [Flag]) { known = Set(flags.map(\.name)) }

    /// Takes one occurrence; the error is the parser's complaint about the value.
    mutating func set(_ flag: Flag, _ text: ByteString) throws(CommandFailure) {
        var value = values[flag.name] ?? Value()
        do throws(NumberSyntax) {
            switch flag.kind {
            case .switched: value.number = try parseGoBool(text) ? 1 : 0
            case .counted: value.number = text == "+1" ? value.number + 1 : try parseGoInt(text)
            case .integer: value.number = try parseGoInt(text)
            case .unsigned: value.unsigned = try parseGoUInt(text)
            case .string, .checked: value.texts = [text]
            case .strings: value.texts.append(text)
            case .list, .duration: break
            }
        } catch {
            throw CommandFailure(error.text)
        }
        switch flag.kind {
        case .duration: value.number = try GoDuration.parse(text).nanoseconds
        case .list: value.texts += try parseCSVFields(text)
        case .checked(let check):
            if let complaint = check(text) { throw CommandFailure(complaint) }
        case .switched, .counted, .integer, .unsigned, .string, .strings: break
        }
        values[flag.name] = value
    }

    /// True when the option stood on the command line.
    package func isSet(_ name: String) -> Bool { value(name) != nil }

    /// True when the switch was given and not as `=false`.
    package func isOn(_ name: String) -> Bool { (value(name)?.number ?? 0) != 0 }

    /// The number given, nil when none was.
    package func integer(_ name: String) -> Int64? { value(name)?.number }

    /// The unsigned number given, nil when none was.
    package func unsigned(_ name: String) -> UInt64? { value(name)?.unsigned }

    /// The last text given.
    package func text(_ name: String) -> ByteString? { value(name)?.texts.last }

    /// All texts given, in order.
    package func texts(_ name: String) -> [ByteString] { value(name)?.texts ?? [] }

    private func value(_ name: String) -> Value? {
        precondition(known.contains(name), "no option --\(name) is defined")
        return values[name]
    }
}
