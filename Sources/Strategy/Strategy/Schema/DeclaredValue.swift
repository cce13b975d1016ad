/// A part of a declaration whose shape was checked against the schema.
///
/// Asking for another type than the schema names is a bug of the asker, and traps.
indirect enum DeclaredValue: Sendable {
    case scalar(DeclaredScalar, Place)
    case list([DeclaredValue], Place)
    case table(DeclaredTable)
}

/// A table, or names with what stands behind them, in the order of the file.
struct DeclaredTable: Sendable {
    struct Entry: Sendable {
        var key: String
        var place: Place
        var value: DeclaredValue
    }

    var entries: [Entry]
    var place: Place

    subscript(_ key: String) -> DeclaredValue? { entries.first { $0.key == key }?.value }

    /// Where the key stands, or the table when it is absent.
    func place(of key: String) -> Place { entries.first { $0.key == key }?.place ?? place }
}

/// A single value, read by the rule of its shape.
enum DeclaredScalar: Sendable, Hashable {
    /// Texts, paths, names, words.
    case text(String)
    case secret(SecretReference)
    case duration(Duration)
    case size(UInt64)
    case rate(RateTimetable)
    case money(Money)
    case count(Int64)
    case span(KeepDuration)
    case schedule(Schedule)
    case flag(Bool)
}

extension DeclaredValue {
    var place: Place {
        switch self {
        case .scalar(_, let place), .list(_, let place): place
        case .table(let table): table.place
        }
    }

    var table: DeclaredTable {
        guard case .table(let table) = self else { preconditionFailure("the schema has no table here") }
        return table
    }

    var items: [DeclaredValue] {
        guard case .list(let items, _) = self else { preconditionFailure("the schema has no list here") }
        return items
    }

    var scalar: DeclaredScalar {
        guard case .scalar(let scalar, _) = self else { preconditionFailure("the schema has no single value here") }
        return scalar
    }

    var text: String {
        guard case .text(let text) = scalar else { preconditionFailure("the schema has no text here") }
        return text
    }

    var texts: [String] { items.map(\.text) }
}
