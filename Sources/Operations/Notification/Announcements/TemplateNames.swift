import Strategy

/// The names that a template uses, judged before any message is made: Mustache itself leaves a name that it does not know empty.
struct TemplateNames {
    /// What a message has.
    private static let known = [
        "title", "body", "event", "urgency", "lab", "host", "time", "wrong", "began", "lasting", "recovered", "object",
        "what", "next", ".",
    ]

    /// What is wrong with the first wrong tag; nil: nothing.
    let problem: String?

    init(_ template: String) { problem = Self.problem(of: template) }

    private static func problem(of template: String) -> String? {
        var rest = template[...]
        while let start = rest.firstRange(of: "{{") {
            rest = rest[start.upperBound...]
            guard let end = rest.firstRange(of: "}}") else { return "a tag is not closed by }}" }
            let tag = rest[..<end.lowerBound]
            rest = rest[end.upperBound...]
            if let problem = problem(ofTag: tag) { return problem }
        }
        return nil
    }

    private static func problem(ofTag tag: Substring) -> String? {
        var name = tag.drop { $0.isWhitespace }
        switch name.first {
        case "!": return nil
        case ">", "<", "$", "=", "%": return "{{\(printable(String(tag)))}} needs another file, or changes the language"
        case "#", "^", "/", "&": name = name.dropFirst()
        case "{":
            return
                "{{{\(printable(String(name.dropFirst())))}}} would not be escaped, and a quote in it breaks the body; write two braces"
        default: break
        }
        let word = String(name.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
        guard !known.contains(word) else { return nil }
        return "it has no \"\(printable(word))\"; \(suggestion(for: word, among: known.dropLast()))"
    }
}
