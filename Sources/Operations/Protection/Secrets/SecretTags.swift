package import Bytes
import HostSystem
package import Outcome
import Sealing
import SecretStore
package import Strategy
import Synchronization

/// Short tags by which this machine knows a secret again without keeping it.
///
/// **Shape**: 32 bits of HMAC-SHA-256 under a key that lies in the state folder, in a file of mode 0600 that no repository and no bundle gets: without it
/// a tag says nothing. A lost key costs nothing but that earlier tags cannot be compared.
package struct SecretTags: Sendable {
    private static let fileName: ByteString = "kit-tags.key"
    private let key: Secret

    /// The key of the state folder; nil where there is none.
    package static func read(in stateFolder: String) -> SecretTags? {
        guard var bytes = try? readFile(ByteString("\(stateFolder)/\(fileName.display)"), limit: 64), bytes.count == 32
        else { return nil }
        defer { wipe(&bytes) }
        return SecretTags(key: Secret(bytes))
    }

    /// The same, made where there is none.
    ///
    /// Errors: `E-FOLDER`.
    package static func open(in stateFolder: String, entropy: any EntropySource) throws -> SecretTags {
        if let known = read(in: stateFolder) { return known }
        var bytes = entropy.bytes(32)
        defer { wipe(&bytes) }
        let directory = try StateFolder.open(stateFolder)
        do throws(Errno) {
            try writeDurably(bytes, to: fileName, in: directory, ifExists: .replace, entropy: entropy)
        } catch {
            throw ProtectionFailure.folder("write", "\(stateFolder)/\(fileName.display)", error)
        }
        return SecretTags(key: Secret(bytes))
    }

    /// Which key it is, so that tags of another one are not compared.
    package var name: String { tag(of: Secret("holdfast kit tags".utf8)) }

    /// The tag of a secret.
    package func tag(of secret: Secret) -> String {
        var message = secret.withBytes { Array($0) }
        defer { wipe(&message) }
        return Hex.encode(hmacSHA256(key: key, message).prefix(4))
    }
}

/// Tags of the secrets that this process has read, by their references.
final class TagsSeen: Sendable {
    private let tags = Mutex<[SecretReference: String]>([:])

    func note(_ reference: SecretReference, _ tag: String) { tags.withLock { $0[reference] = tag } }
    func tag(_ reference: SecretReference) -> String? { tags.withLock { $0[reference] } }
}

extension ProtectionEnvironment {
    /// Tags of what the declaration refers to and a kit carries, by its keys, as far as this process knows them without asking anybody.
    ///
    /// A program, the vault and systemd are not asked again: what they gave to open a repository counts.
    package func tagsNow(_ tags: SecretTags) async -> [String: String] {
        var known: [String: String] = [:]
        for (key, reference) in kitReferences {
            if let tag = tagsSeen.tag(reference) {
                known[key] = tag
                continue
            }
            switch reference {
            case .file, .environment:
                if let found = try? await secrets.find(reference) { known[key] = tags.tag(of: found.secret) }
            case .command, .credential, .vault: break
            }
        }
        return known
    }

    /// What a kit carries, by the keys of the declaration.
    package var kitReferences: [(key: String, reference: SecretReference)] {
        lab.secretReferences.filter { $0.key.hasPrefix("repositories.") || $0.key.hasPrefix("kit.") }
    }
}
