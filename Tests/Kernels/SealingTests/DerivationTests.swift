import Bytes
import Foundation
import Outcome
import Sealing
import Testing

/// PBKDF2, HKDF, Argon2id, AES-CBC with HMAC and RSA-OAEP against published vectors and those of the vault's fixtures.
@Suite struct DerivationTests {
    private func hex(_ secret: Secret?) -> String { secret.map { $0.withBytes { Hex.encode($0) } } ?? "nil" }
    private func secret(_ hex: String) throws -> Secret { Secret(try #require(Hex.decode(hex))) }

    private func fixture(_ name: String) throws -> [String: Any] {
        let vectors = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Vectors/vaultwarden/\(name)")
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: vectors))
        return try #require(object as? [String: Any])
    }

    @Test func `PBKDF2 gives the keys of RFC 7914 section 11`() {
        #expect(
            hex(pbkdf2SHA256(password: Secret("passwd".utf8), salt: Secret("salt".utf8), iterations: 1, count: 64))
                == "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
                + "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"
        )
        #expect(
            hex(
                pbkdf2SHA256(
                    password: Secret("Password".utf8),
                    salt: Secret("NaCl".utf8),
                    iterations: 80_000,
                    count: 64
                )
            )
                == "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
                + "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d"
        )
    }

    @Test func `PBKDF2 takes an empty password and an empty salt`() {
        #expect(
            hex(pbkdf2SHA256(password: Secret([]), salt: Secret([]), iterations: 1))
                == "f7ce0b653d2d72a4108cf5abe912ffdd777616dbbb27a70e8204f3ae2d0f6fad"
        )
    }

    @Test func `HKDF expands as RFC 5869 appendix A.1 says`() throws {
        let key = try secret("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
        #expect(
            hex(hkdfExpandSHA256(key: key, info: Array(0xf0...0xf9), count: 42))
                == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        )
    }

    @Test func `Argon2id gives the tag of RFC 9106 section 5_3`() {
        var extras = Argon2Extras()
        extras.secret = [UInt8](repeating: 3, count: 8)
        extras.data = [UInt8](repeating: 4, count: 12)
        let tag = argon2id(
            password: Secret([UInt8](repeating: 1, count: 32)),
            salt: [UInt8](repeating: 2, count: 16),
            Argon2Parameters(passes: 3, memoryKiB: 32, lanes: 4),
            extras: extras
        )
        #expect(hex(tag) == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659")
    }

    @Test func `Argon2id with senseless or monstrous cost is refused before memory is taken`() {
        let salt = [UInt8](repeating: 2, count: 16)
        for (passes, memory, lanes) in [
            (0, 64, 1), (1, 1, 1), (1, 64, 0), (3, .max, 1), (.max, 1 << 20, 1), (3, (1 << 20) + 1, 1),
        ] as [(UInt32, UInt32, UInt32)] {
            let parameters = Argon2Parameters(passes: passes, memoryKiB: memory, lanes: lanes)
            #expect(argon2id(password: Secret("x".utf8), salt: salt, parameters) == nil)
        }
        #expect(
            argon2id(
                password: Secret("x".utf8),
                salt: [1],
                Argon2Parameters(passes: 1, memoryKiB: 64, lanes: 1)
            ) == nil
        )
    }

    @Test func `the vault's vectors give their master and stretched keys`() throws {
        let all = try fixture("kdf-vectors.json")
        let vectors = try #require(all["vectors"] as? [[String: Any]])
        #expect(vectors.count == 4)
        for vector in vectors {
            let password = Secret(try #require(vector["masterPassword"] as? String).utf8)
            let saltText = try #require(vector["normalizedSalt"] as? String)
            let salt = Array(saltText.utf8)
            let kdf = try #require(vector["kdf"] as? [String: Any])
            let rounds = try #require(kdf["kdfIterations"] as? Int)
            let master: Secret
            if let memory = kdf["kdfMemory"] as? Int, let lanes = kdf["kdfParallelism"] as? Int {
                let parameters = Argon2Parameters(
                    passes: UInt32(rounds),
                    memoryKiB: UInt32(memory) << 10,
                    lanes: UInt32(lanes)
                )
                master = try #require(argon2id(password: password, salt: sha256(salt).bytes, parameters))
            } else {
                master = pbkdf2SHA256(password: password, salt: Secret(salt), iterations: UInt32(rounds))
            }
            #expect(hex(master) == vector["masterKeyHex"] as? String)
            #expect(hex(hkdfExpandSHA256(key: master, info: "enc")) == vector["stretchedEncKeyHex"] as? String)
            #expect(hex(hkdfExpandSHA256(key: master, info: "mac")) == vector["stretchedMacKeyHex"] as? String)
            let hash = pbkdf2SHA256(password: master, salt: password, iterations: 1)
            #expect(hash.withBytes { Base64.encode($0) } == vector["serverPasswordHashB64"] as? String)
        }
    }

    @Test func `what AES-CBC with HMAC seals it opens, and nothing that was changed`() throws {
        let key = Secret((0..<64).map { UInt8($0) })
        let cipher = try #require(CBCCipher(key: key))
        for count in [0, 1, 15, 16, 17, 4096] {
            let message = cipher.seal(Secret([UInt8](repeating: 7, count: count)), entropy: SeededEntropy(seed: 1))
            #expect(message.ciphertext.count == count / 16 * 16 + 16)
            #expect(try hex(cipher.open(message)) == String(repeating: "07", count: count))
            for part in [\CBCCipher.Message.iv, \.ciphertext, \.mac] {
                for index in message[keyPath: part].indices {
                    var changed = message
                    changed[keyPath: part][index] ^= 1
                    #expect(throws: CBCError.wrongMAC) { try cipher.open(changed) }
                }
                var short = message
                short[keyPath: part].removeLast()
                #expect(throws: CBCError.wrongLength) { try cipher.open(short) }
            }
        }
        #expect(CBCCipher(key: Secret([1, 2, 3])) == nil)
    }

    @Test func `the key of the organization opens with the private key`() throws {
        let expected = try fixture("expected-plaintext.json")
        let derText = try #require(expected["rsaPrivateKeyPkcs8DerB64"] as? String)
        let der = try #require(Base64.decode(derText))
        let sync = try fixture("sync-response.json")
        let profile = try #require(sync["profile"] as? [String: Any])
        let organization = try #require((profile["organizations"] as? [[String: Any]])?.first)
        let text = try #require(organization["key"] as? String)
        let sealed = try #require(Base64.decode(String(text.dropFirst(2))))
        let key = try #require(RSAPrivateKey(pkcs8: Secret(der)))
        #expect(hex(key.open(sealed, .sha1)) == expected["orgKeyHex"] as? String)
        #expect(key.open(sealed, .sha256) == nil)
        #expect(key.open(Array(sealed.dropLast()), .sha1) == nil)
        #expect(key.open([], .sha1) == nil)
        #expect(RSAPrivateKey(pkcs8: Secret(der.dropLast())) == nil)
        #expect(RSAPrivateKey(pkcs8: Secret(der + [0])) == nil)
        #expect(RSAPrivateKey(pkcs8: Secret([])) == nil)
    }
}
