/// A JSON document as it came: members keep their order, numbers their digits, so that what is not understood goes back unchanged.
package enum JSONValue: Sendable, Hashable {
    case null
    case flag(Bool)
    /// The digits as they were written.
    case number(String)
    case text(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// Members in the order of the document; no name stands twice.
package struct JSONObject: Sendable, Hashable {
    /// A name with its value.
    package struct Member: Sendable, Hashable {
        package var name: String
        package var value: JSONValue
    }

    package var members: [Member]

    package init(_ members: [(String, JSONValue)] = []) {
        self.members = members.map { Member(name: $0.0, value: $0.1) }
    }

    /// The member of that name, or of the name with its first letter in the other case: servers write `Key` and `key`.
    package subscript(_ name: String) -> JSONValue? {
        if let exact = members.first(where: { $0.name == name }) { return exact.value }
        let other = JSONObject.otherCase(name)
        return members.first { $0.name == other }?.value
    }

    /// Changes a member where it stands, or adds it.
    package mutating func set(_ name: String, _ value: JSONValue) {
        let other = JSONObject.otherCase(name)
        let place = members.firstIndex { $0.name == name } ?? members.firstIndex { $0.name == other }
        guard let place else { return members.append(Member(name: name, value: value)) }
        members[place].value = value
    }

    private static func otherCase(_ name: String) -> String {
        guard let first = name.first else { return name }
        return (first.isLowercase ? first.uppercased() : first.lowercased()) + name.dropFirst()
    }
}

extension JSONValue {
    /// Nil for anything but a text.
    var text: String? { if case .text(let text) = self { text } else { nil } }
    var object: JSONObject? { if case .object(let object) = self { object } else { nil } }
    var array: [JSONValue]? { if case .array(let array) = self { array } else { nil } }
    var isNull: Bool { self == .null }
    var flag: Bool? { if case .flag(let flag) = self { flag } else { nil } }

    /// Nil for anything but a whole number that fits.
    var integer: Int? { if case .number(let digits) = self { Int(digits) } else { nil } }

    subscript(_ name: String) -> JSONValue? { object?[name] }
}

extension JSONValue {
    /// The document as bytes, without blanks.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += "null".utf8
        case .flag(let flag): bytes += (flag ? "true" : "false").utf8
        case .number(let digits): bytes += digits.utf8
        case .text(let text): JSONValue.write(text, to: &bytes)
        case .array(let items):
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                item.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONValue.write(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case ..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                bytes += "\\u00".utf8
                bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
