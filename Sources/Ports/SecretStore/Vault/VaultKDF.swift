import Bytes
package import Outcome
import Sealing

/// How an account's master key comes from its password.
///
/// The server says it before it is trusted: one that asks for a cheap derivation could attack the hash that it gets next, one that asks for a dear
/// one could stall us. Both are refused before a byte is derived.
package enum VaultKDF: Sendable, Hashable {
    case pbkdf2(iterations: Int)
    case argon2id(passes: Int, memoryMiB: Int, lanes: Int)

    /// Why it is not believed.
    package struct Refusal: Error, Hashable {
        package var what: String
    }

    /// Bounds: below, Vaultwarden's own floors for new settings; above, what costs some seconds.
    enum Limits {
        static let iterations = 100_000...2_000_000
        static let passes = 2...10
        static let memoryMiB = 16...1024
        static let lanes = 1...16
    }

    /// Checks the bounds; `kind` 0 is PBKDF2, 1 Argon2id.
    package init(kind: Int, iterations: Int, memoryMiB: Int?, lanes: Int?) throws(Refusal) {
        switch kind {
        case 0:
            try Self.check("PBKDF2 with", iterations, Limits.iterations, "iterations")
            self = .pbkdf2(iterations: iterations)
        case 1:
            guard let memoryMiB, let lanes else { throw Refusal(what: "Argon2id without its memory") }
            try Self.check("Argon2id with", iterations, Limits.passes, "passes")
            try Self.check("Argon2id with", memoryMiB, Limits.memoryMiB, "MiB")
            try Self.check("Argon2id with", lanes, Limits.lanes, "lanes")
            self = .argon2id(passes: iterations, memoryMiB: memoryMiB, lanes: lanes)
        default: throw Refusal(what: "a derivation of unknown kind \(kind)")
        }
    }

    private static func check(_ what: String, _ value: Int, _ range: ClosedRange<Int>, _ unit: String) throws(Refusal) {
        if range.contains(value) { return }
        let bounds = "from \(range.lowerBound) to \(range.upperBound) \(unit) are taken"
        throw Refusal(what: "\(what) \(value) \(unit), where \(bounds)")
    }

    /// Whether guessing a password costs less than with the other one.
    package func isWeaker(than other: VaultKDF) -> Bool {
        switch (self, other) {
        case (.pbkdf2(let mine), .pbkdf2(let theirs)): mine < theirs
        case (.pbkdf2, .argon2id): true
        case (.argon2id, .pbkdf2): false
        case (.argon2id(let passes, let memory, _), .argon2id(let otherPasses, let otherMemory, _)):
            passes * memory < otherPasses * otherMemory || memory * 2 < otherMemory
        }
    }
}

extension VaultKDF: CustomStringConvertible {
    /// `PBKDF2, 600000 iterations`.
    package var description: String {
        switch self {
        case .pbkdf2(let iterations): "PBKDF2, \(iterations) iterations"
        case .argon2id(let passes, let memory, let lanes): "Argon2id, \(passes) passes, \(memory) MiB, \(lanes) lanes"
        }
    }
}

/// What is derived from the master password; wiped when released.
package struct MasterKeys: Sendable {
    /// Opens the user's key.
    package let wrapping: VaultKey
    /// What the server compares: as good as the password to it, so a secret.
    package let serverHash: Secret

    /// Blocks for the time that the derivation costs; nil without memory for it.
    ///
    /// `salt` is what the server names, or the e-mail address, trimmed and in lower case.
    package init?(password: Secret, salt: String, _ kdf: VaultKDF) {
        let saltBytes = Array(salt.utf8)
        let master: Secret?
        switch kdf {
        case .pbkdf2(let iterations):
            master = pbkdf2SHA256(password: password, salt: Secret(saltBytes), iterations: UInt32(iterations))
        case .argon2id(let passes, let memory, let lanes):
            let cost = Argon2Parameters(passes: UInt32(passes), memoryKiB: UInt32(memory) << 10, lanes: UInt32(lanes))
            master = argon2id(password: password, salt: sha256(saltBytes).bytes, cost)
        }
        guard let master else { return nil }
        let stretched = MasterKeys.joined(
            hkdfExpandSHA256(key: master, info: "enc"),
            hkdfExpandSHA256(key: master, info: "mac")
        )
        guard let wrapping = VaultKey(stretched) else { return nil }
        self.wrapping = wrapping
        serverHash = pbkdf2SHA256(password: master, salt: password, iterations: 1)
    }

    private static func joined(_ left: Secret, _ right: Secret) -> Secret {
        var bytes = left.withBytes { Array($0) } + right.withBytes { Array($0) }
        defer { wipe(&bytes) }
        return Secret(bytes)
    }
}

/// An e-mail address as it salts the key.
package func vaultSalt(ofEmail email: String) -> String {
    let blanks: Set<Character> = [" ", "\t", "\n", "\r"]
    var text = email[...]
    while let first = text.first, blanks.contains(first) { text.removeFirst() }
    while let last = text.last, blanks.contains(last) { text.removeLast() }
    return text.lowercased()
}
