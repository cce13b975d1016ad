import Console
import Strategy

/// The JSON Schema (draft 2020-12) of `holdfast.yaml`, from the definition that the reader uses.
///
/// It knows every key and every form; what the parts mean together, only the reader knows.
func labJSONSchema() -> JSONDocument {
    var entries: [(String, JSONDocument)] = [
        ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
        ("title", .string("holdfast.yaml")),
    ]
    entries += object(labSchema)
    return .object(entries)
}

private func object(_ table: TableShape) -> [(String, JSONDocument)] {
    var entries: [(String, JSONDocument)] = [
        ("type", .string("object")),
        ("additionalProperties", .boolean(false)),
        ("properties", .object(table.keys.map { ($0.name, property($0)) })),
    ]
    let required = table.keys.filter(\.isRequired)
    if !required.isEmpty { entries.append(("required", .array(required.map { .string($0.name) }))) }
    for (word, keys) in [("oneOf", table.alternatives), ("anyOf", table.atLeastOne)] where !keys.isEmpty {
        let ways = keys.map { JSONDocument.object([("required", .array([.string($0)]))]) }
        entries.append((word, .array(ways)))
    }
    return entries
}

private func property(_ key: Key) -> JSONDocument {
    var entries = schema(of: key.shape)
    var text = key.summary
    if case .scalar(.choice(let choices)) = key.shape {
        text +=
            " " + choices.filter { $0.refusal == nil }.map { "\($0.word): \($0.summary)" }.joined(separator: "; ") + "."
    }
    entries.append(("description", .string(text)))
    if let fallback = key.fallback {
        entries.append(("default", value(of: fallback)))
    }
    return .object(entries)
}

/// A fallback in the type that it is written in.
private func value(of fallback: String) -> JSONDocument {
    if let number = Int64(fallback) { return .number(number) }
    return ["true", "false"].contains(fallback) ? .boolean(fallback == "true") : .string(fallback)
}

private func schema(of shape: Shape) -> [(String, JSONDocument)] {
    switch shape {
    case .scalar(let scalar): return schema(of: scalar)
    case .table(let table): return object(table)
    case .names(let of):
        return [
            ("type", .string("object")),
            ("minProperties", .number(1)),
            ("propertyNames", .object(pattern("^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$"))),
            ("additionalProperties", .object(schema(of: of))),
        ]
    case .list(let item):
        let list: [(String, JSONDocument)] = [
            ("type", .string("array")), ("minItems", .number(1)), ("items", .object(schema(of: item))),
        ]
        guard case .scalar = item else { return list }
        return [("anyOf", .array([.object(list), .object(schema(of: item))]))]
    }
}

private func schema(of scalar: ScalarShape) -> [(String, JSONDocument)] {
    switch scalar {
    case .text, .path, .pattern, .reference, .template: [("type", .string("string")), ("minLength", .number(1))]
    case .choice(let choices): [("enum", .array(choices.filter { $0.refusal == nil }.map { .string($0.word) }))]
    case .secret: pattern("^(\(SecretReference.schemes.joined(separator: "|"))):.+$")
    case .loopback: pattern(#"^(localhost|127\.0\.0\.1|\[::1\]):[0-9]{1,5}$"#)
    case .address: pattern("^(https?://[^@]+|(\(SecretReference.schemes.joined(separator: "|"))):.+)$")
    case .schedule:
        [("type", .string("string")), ("examples", .array(["02:00", "mon..fri 22:30"].map { .string($0) }))]
    case .timeZone: pattern("^[A-Za-z0-9+_/-]{1,64}$")
    case .duration: pattern(#"^ *([0-9]+(\.[0-9]{1,3})? *[a-z]+ *)+$"#)
    case .size:
        [("type", .array([.string("string"), .string("integer")])), ("pattern", .string("^ *[0-9.]+ *[A-Za-z]* *$"))]
    case .rate:
        pattern(#"^( *[0-9.]+ *[A-Za-z]+/s *|( *[0-9]{1,2}:[0-9]{2} +([0-9.]+ *[A-Za-z]+/s|unlimited) *(,|$))+)$"#)
    case .money:
        [
            ("type", .array([.string("string"), .string("number")])),
            ("pattern", .string(#"^[0-9]{1,9}(\.[0-9]{1,9})?$"#)), ("minimum", .number(0)),
        ]
    case .fileSystemUUID:
        pattern(
            "^([0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}|[0-9A-Fa-f]{32}|[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}|[0-9A-Fa-f]{16})$"
        )
    case .count(let range):
        [("type", .string("integer")), ("minimum", .number(range.lowerBound)), ("maximum", .number(range.upperBound))]
    case .calendarSpan: pattern("^([0-9]+y)?([0-9]+m)?([0-9]+d)?([0-9]+h)?$")
    case .flag: [("type", .string("boolean"))]
    case .word(let word, let other):
        [("anyOf", .array([.object([("const", .string(word))]), .object(schema(of: other))]))]
    }
}

private func pattern(_ pattern: String) -> [(String, JSONDocument)] {
    [("type", .string("string")), ("pattern", .string(pattern))]
}
