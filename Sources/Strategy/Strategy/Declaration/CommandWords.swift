/// Splits a command line into words as no shell would: blanks separate, quotes join, nothing is expanded.
///
/// ```
/// pass show 'restic/host os'       two kinds of quotes; inside of '…' everything stands for itself
/// printf "a \"b\" \\ c"            inside of "…" and outside of quotes, \ takes away the meaning of the next character
/// ```
/// Characters that a shell would act on are refused outside of quotes, so that a pipe is never mistaken for an argument. Errors never
/// repeat the text.
func readCommandLine(_ text: String) throws(NotationError) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var rest = text[...]
    while let character = rest.popFirst() {
        switch (quote, character) {
        case (nil, " "):
            if let whole = word { words.append(whole) }
            word = nil
        case (nil, "'"), (nil, "\""):
            quote = character
            word = word ?? ""
        case ("'", "'"), ("\"", "\""): quote = nil
        case (nil, "\\"), ("\"", "\\"):
            guard let next = rest.popFirst() else {
                throw NotationError("ends in a backslash", next: "write \\\\ for a backslash")
            }
            word = (word ?? "") + String(next)
        case (nil, _) where shellCharacters.contains(character):
            throw NotationError(
                "holds \(character) outside of quotes, which only a shell understands",
                next: "no shell reads it: put the line into a script and name that, or quote the word"
            )
        default: word = (word ?? "") + String(character)
        }
    }
    guard quote == nil else { throw NotationError("has a quote that does not end", next: "close the quote") }
    if let whole = word { words.append(whole) }
    guard let program = words.first, !program.isEmpty else {
        throw NotationError("names no program", next: "write \"command:PROGRAM ARGUMENTS\"")
    }
    guard program.hasPrefix("/") || !program.contains("/") else {
        throw NotationError(
            "names a program by a relative path",
            next: "write its absolute path, or its name alone for PATH to find"
        )
    }
    guard !words.contains(where: { $0.hasPrefix("~") }) else {
        throw NotationError("\"~\" is not expanded", next: "write the whole path")
    }
    return words
}

private let shellCharacters: Set<Character> = ["|", "&", ";", "<", ">", "(", ")", "$", "`"]

/// A word as `readCommandLine` reads it back.
func quotedWord(_ word: String) -> String {
    let isPlain = word.unicodeScalars.allSatisfy { scalar in
        let character = Character(scalar)
        return character != " " && character != "'" && character != "\"" && character != "\\"
            && !shellCharacters.contains(character)
    }
    if isPlain, !word.isEmpty { return word }
    return "\"\(word.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined())\""
}
