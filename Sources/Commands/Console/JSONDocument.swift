import Bytes
import ResticFormat

/// A JSON value whose keys are not known before it runs, laid out for people: one entry a line, two spaces a level.
package indirect enum JSONDocument: Sendable {
    case object([(String, JSONDocument)])
    case array([JSONDocument])
    case string(String)
    case number(Int64)
    case boolean(Bool)

    /// The whole text, without a newline at its end.
    package var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes, level: 0)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func append(to bytes: inout [UInt8], level: Int) {
        switch self {
        case .object(let entries):
            Self.appendLines(entries, between: ("{", "}"), to: &bytes, level: level) { entry, bytes in
                Self.appendString(entry.0, to: &bytes)
                bytes.append(contentsOf: ": ".utf8)
                entry.1.append(to: &bytes, level: level + 1)
            }
        case .array(let items):
            Self.appendLines(items, between: ("[", "]"), to: &bytes, level: level) { item, bytes in
                item.append(to: &bytes, level: level + 1)
            }
        case .string(let text): Self.appendString(text, to: &bytes)
        case .number(let number): bytes.append(contentsOf: String(number).utf8)
        case .boolean(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        }
    }

    private static func appendLines<Item>(
        _ items: [Item],
        between brackets: (String, String),
        to bytes: inout [UInt8],
        level: Int,
        each: (Item, inout [UInt8]) -> Void
    ) {
        bytes.append(contentsOf: brackets.0.utf8)
        for (number, item) in items.enumerated() {
            bytes.append(contentsOf: (number > 0 ? ",\n" : "\n").utf8)
            bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * (level + 1)))
            each(item, &bytes)
        }
        if !items.isEmpty {
            bytes.append(UInt8(ascii: "\n"))
            bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * level))
        }
        bytes.append(contentsOf: brackets.1.utf8)
    }

    private static func appendString(_ text: String, to bytes: inout [UInt8]) {
        GoJSON.appendString(ByteString(text), to: &bytes)
    }
}
