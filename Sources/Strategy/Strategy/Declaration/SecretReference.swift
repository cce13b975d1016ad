/// Where a secret is found; the secret itself never stands in the file.
package enum SecretReference: Sendable, Hashable {
    /// `file:PATH`, absolute after reading: the first line of that file.
    case file(String)
    /// `env:NAME`: the value of an environment variable.
    case environment(String)
    /// `command:PROGRAM ARGUMENTS`: the first line that a program writes; no shell reads the text.
    case command(CommandLine)
    /// `credential:NAME`: what systemd hands to the service under that name.
    case credential(String)
    /// `vault:ITEM` or `vault:ITEM#FIELD`: a field of an item of the Bitwarden-compatible vault.
    case vault(VaultField)

    /// A program with its arguments, one word each.
    package struct CommandLine: Sendable, Hashable {
        /// Program first: an absolute path, or a name that PATH finds.
        package var words: [String]

        package init(words: [String]) { self.words = words }
    }

    /// A place in the vault.
    package struct VaultField: Sendable, Hashable {
        /// How an item is found.
        package enum Item: Sendable, Hashable {
            case named(String)
            /// By its UUID, in lower case, for names that occur twice or hold a `#`.
            case id(String)
        }

        package var item: Item
        /// `password`, `username`, `notes`, `uri`, or the name of a custom field; nil: the password of a login, the text of a note.
        package var field: String?

        package init(_ item: Item, field: String? = nil) {
            self.item = item
            self.field = field
        }
    }

    /// As it is written in the file; read again, it is the same reference.
    package var text: String {
        switch self {
        case .file(let path): "file:\(path)"
        case .environment(let name): "env:\(name)"
        case .command(let line): "command:\(line.words.map(quotedWord).joined(separator: " "))"
        case .credential(let name): "credential:\(name)"
        case .vault(let place): "vault:\(place.text)"
        }
    }

    /// The words in front of the colon, as messages and schemas list them.
    package static let schemes = ["file", "env", "command", "credential", "vault"]
}

extension SecretReference.VaultField {
    /// `ITEM#FIELD`, or the item alone.
    package var text: String {
        let name =
            switch item {
            case .named(let name): name
            case .id(let id): "id/\(id)"
            }
        return field.map { "\(name)#\($0)" } ?? name
    }
}

/// What to write where something else stands.
let secretAdvice =
    "write \"file:PATH\", \"env:NAME\", \"command:PROGRAM ARGUMENTS\", \"credential:NAME\" or \"vault:ITEM#FIELD\""

/// Reads a reference; `folder` is what a relative path counts from.
///
/// The message of an error never repeats the text: it may be a password that was pasted here.
package func readSecretReference(_ text: String, folder: String) throws(NotationError) -> SecretReference {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !parts[1].isEmpty, text.utf8.count <= StrategyLimits.secretReferenceBytes,
        !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f })
    else { throw NotationError("is not a reference to a secret", next: secretAdvice) }
    let rest = parts[1]
    switch parts[0] {
    case "file": return .file(try absolutePath(rest, folder))
    case "env": return .environment(try readVariableName(rest))
    case "command": return .command(SecretReference.CommandLine(words: try readCommandLine(rest)))
    case "credential": return .credential(try readCredentialName(rest))
    case "vault": return .vault(try readVaultField(rest))
    default: throw NotationError("is not a reference to a secret", next: secretAdvice)
    }
}

private func readVariableName(_ text: String) throws(NotationError) -> String {
    let isName = text.utf8.allSatisfy { isWordByte($0) } && text.utf8.first.map { !isDigit($0) } ?? false
    guard isName else {
        throw NotationError("does not name an environment variable", next: "use letters, digits and _ behind env:")
    }
    return text
}

/// systemd takes what can name a file; blanks are refused because nobody means them.
private func readCredentialName(_ text: String) throws(NotationError) -> String {
    let isName = text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "/") }
    guard isName, text != ".", text != "..", text.utf8.count <= 255 else {
        throw NotationError(
            "does not name a systemd credential",
            next: "write the name that LoadCredential= or LoadCredentialEncrypted= gives it, without a folder"
        )
    }
    return text
}

private func readVaultField(_ text: String) throws(NotationError) -> SecretReference.VaultField {
    let parts = text.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= 2 else {
        throw NotationError("has more than one #", next: "name the item by its id: \"vault:id/UUID#FIELD\"")
    }
    for part in parts where part.isEmpty || part.hasPrefix(" ") || part.hasSuffix(" ") {
        throw NotationError("names no item, or no field behind #", next: "write \"vault:ITEM\" or \"vault:ITEM#FIELD\"")
    }
    let field = parts.count == 2 ? parts[1] : nil
    guard field != "totp" else {
        throw NotationError(
            "asks for a one-time code",
            next: "a code changes every half minute and opens no repository: name another field"
        )
    }
    guard parts[0].hasPrefix("id/") else { return SecretReference.VaultField(.named(parts[0]), field: field) }
    let id = parts[0].dropFirst(3).lowercased()
    guard isUUID(id) else {
        throw NotationError("has no UUID behind id/", next: "copy the item's id from the vault's address bar")
    }
    return SecretReference.VaultField(.id(id), field: field)
}

private func isUUID(_ text: String) -> Bool {
    let lengths = text.split(separator: "-", omittingEmptySubsequences: false).map(\.utf8.count)
    return lengths == [8, 4, 4, 4, 12]
        && text.utf8.allSatisfy { isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) || $0 == 0x2d }
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

private func isWordByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
}
