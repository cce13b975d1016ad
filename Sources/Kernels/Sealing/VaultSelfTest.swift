package import Bytes
package import Outcome

/// Known answers of what a vault's keys and texts are made with, checked before the first login of a process.
///
/// A wrong derivation would look like a wrong password, and what a wrong cipher wrote would read back as right in this process alone. The functions
/// under test are fields, so that a test can put a broken one in their place.
package struct VaultSelfTest {
    package var derive: (Secret, Secret, UInt32) -> Secret = { pbkdf2SHA256(password: $0, salt: $1, iterations: $2) }
    package var expand: (Secret, [UInt8]) -> Secret = { hkdfExpandSHA256(key: $0, info: $1, count: 42) }
    package var argon2: (Secret, [UInt8], Argon2Parameters, Argon2Extras) -> Secret? = {
        argon2id(password: $0, salt: $1, $2, extras: $3)
    }
    package var seal: (CBCCipher, Secret, any EntropySource) -> CBCCipher.Message = { $0.seal($1, entropy: $2) }
    package var open: (CBCCipher, CBCCipher.Message) -> Secret? = { try? $0.open($1) }

    package init() {}

    /// Runs all checks in well under a millisecond.
    package func run() throws(SelfTestFailure) {
        // RFC 7914 section 11, first 32 bytes.
        try expect(
            "PBKDF2",
            derive(Secret("passwd".utf8), Secret("salt".utf8), 1),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
        )
        // RFC 5869 appendix A.1.
        let key = Hex.decode("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5") ?? []
        try expect(
            "HKDF",
            expand(Secret(key), Array(0xf0...0xf9)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        )
        try checkArgon2()
        try checkCipher()
    }

    /// RFC 9106 section 5.3.
    private func checkArgon2() throws(SelfTestFailure) {
        var extras = Argon2Extras()
        extras.secret = [UInt8](repeating: 3, count: 8)
        extras.data = [UInt8](repeating: 4, count: 12)
        let tag = argon2(
            Secret([UInt8](repeating: 1, count: 32)),
            [UInt8](repeating: 2, count: 16),
            Argon2Parameters(passes: 3, memoryKiB: 32, lanes: 4),
            extras
        )
        try expect("Argon2id", tag, "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659")
    }

    /// Key 00 to 3f, IV f0 to ff, "holdfast": from `openssl enc -aes-256-cbc` and `openssl dgst -mac hmac`.
    private func checkCipher() throws(SelfTestFailure) {
        guard let cipher = CBCCipher(key: Secret((0..<64).map { UInt8($0) })) else {
            throw SelfTestFailure(kernel: "AES-256-CBC", what: "refuses a key of 64 bytes")
        }
        let message = seal(cipher, Secret("holdfast".utf8), CountingEntropy())
        try expect("AES-256-CBC", Secret(message.ciphertext), Self.ciphertext)
        try expect("HMAC-SHA-256", Secret(message.mac), Self.mac)
        try expect("AES-256-CBC", open(cipher, message), Hex.encode("holdfast".utf8))
        for part in [\CBCCipher.Message.iv, \.ciphertext, \.mac] {
            var changed = message
            changed[keyPath: part][0] ^= 1
            guard open(cipher, changed) == nil else {
                throw SelfTestFailure(kernel: "HMAC-SHA-256", what: "accepts a changed message")
            }
        }
    }

    private func expect(_ kernel: String, _ given: Secret?, _ expected: String) throws(SelfTestFailure) {
        let given = given.map { $0.withBytes { Hex.encode($0) } } ?? "nothing"
        guard given == expected else {
            throw SelfTestFailure(kernel: kernel, what: "gave \(given), expected \(expected)")
        }
    }

    private static let ciphertext = "4577194979588a234b6f6292dcb9e5aa"
    private static let mac = "9784ed59751dd36937b7da4d8205fd6919de6ad9bf7a46215d92243129698314"
}

/// f0, f1, f2 and so on.
private struct CountingEntropy: EntropySource {
    func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        for index in buffer.indices { buffer[index] = 0xf0 &+ UInt8(truncatingIfNeeded: index) }
    }
}
