/// A key of the declaration with the way to it: `media.NAME.kind`, `protect[].to`.
package struct KeyReference: Sendable {
    package var path: String
    package var key: Key
}

extension TableShape {
    /// All keys that take a value, in the order of the definition.
    package var keyReferences: [KeyReference] { references(below: "") }

    private func references(below path: String) -> [KeyReference] {
        keys.flatMap { key -> [KeyReference] in
            let here = path.isEmpty ? key.name : "\(path).\(key.name)"
            switch key.shape {
            case .table(let table): return table.references(below: here)
            case .names(of: .table(let table)): return table.references(below: "\(here).NAME")
            case .list(.table(let table)): return table.references(below: "\(here)[]")
            case .scalar, .list, .names: return [KeyReference(path: here, key: key)]
            }
        }
    }
}

extension Shape {
    /// For the manual: `a path`, `a list; each a path`.
    package var noun: String {
        switch self {
        case .scalar(.choice(let choices)):
            choices.filter { $0.refusal == nil }.map { "`\($0.word)`" }.joined(separator: ", ")
        case .scalar(let scalar): scalar.noun
        case .list(let item): "one or a list: \(item.noun)"
        case .table: "a table"
        case .names: "names"
        }
    }
}
