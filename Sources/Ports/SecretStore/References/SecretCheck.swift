package import Outcome
import Sealing
package import Strategy

/// What `secret check` says of one reference: whether it gives something, from where, and a mark by which a change is seen.
package struct SecretCheck: Sendable {
    /// What a reference gave.
    package struct Found: Sendable {
        package var source: ResolvedSecret.Source
        package var byteCount: Int
        /// 32 bits in hexadecimal; tells two secrets apart and nothing of either to those without the key.
        package var tag: String
        /// How old a sealed copy is; nil for what came first-hand.
        package var ageSeconds: Int64?
        package var findings: [Finding]
    }

    package var reference: SecretReference
    package var result: Result<Found, SecretFailure>
}

extension SecretResolver {
    /// Resolves each reference and keeps nothing of the secrets but a tag under `key`; one that fails does not stop the others.
    ///
    /// **Errors**: `CancellationError` alone.
    package func check(_ references: [SecretReference], tagKey key: Secret) async throws -> [SecretCheck] {
        var checks: [SecretCheck] = []
        for reference in references {
            do {
                let resolved = try await resolve(reference)
                let found = SecretCheck.Found(
                    source: resolved.source,
                    byteCount: resolved.secret.count,
                    tag: secretTag(of: resolved.secret, key: key),
                    ageSeconds: resolved.ageSeconds,
                    findings: resolved.findings
                )
                checks.append(SecretCheck(reference: reference, result: .success(found)))
            } catch let failure as SecretFailure {
                checks.append(SecretCheck(reference: reference, result: .failure(failure)))
            }
        }
        return checks
    }
}

/// The mark of a secret under a key that stays on this machine: the first 32 bits of its HMAC.
///
/// Records that name it can say later that a secret has changed since.
package func secretTag(of secret: Secret, key: Secret) -> String {
    let mac = secret.withBytes { hmacSHA256(key: key, Array($0)) }
    return mac.prefix(4).map { byte in
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }.joined()
}
