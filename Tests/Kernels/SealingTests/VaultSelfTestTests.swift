import Bytes
import Outcome
import Sealing
import Testing

@Suite struct VaultSelfTestTests {
    @Test func `R-10 the kernels that a vault needs give the known answers`() throws { try VaultSelfTest().run() }

    @Test func `R-10 a wrong kernel of a vault is noticed by its name`() {
        let wrong = Secret([UInt8](repeating: 7, count: 32))
        let breaks: [(String, (inout VaultSelfTest) -> Void)] = [
            ("PBKDF2", { $0.derive = { _, _, _ in wrong } }),
            ("HKDF", { $0.expand = { _, _ in wrong } }),
            ("Argon2id", { $0.argon2 = { _, _, _, _ in nil } }),
            (
                "AES-256-CBC",
                {
                    $0.seal = { cipher, plain, entropy in
                        var message = cipher.seal(plain, entropy: entropy)
                        message.ciphertext[3] ^= 0x63
                        return message
                    }
                }
            ),
            (
                "HMAC-SHA-256",
                {
                    $0.seal = { cipher, plain, entropy in
                        var message = cipher.seal(plain, entropy: entropy)
                        message.mac = wrong.withBytes { Array($0) }
                        return message
                    }
                }
            ),
            ("HMAC-SHA-256", { $0.open = { cipher, _ in Secret("holdfast".utf8) } }),
        ]
        for (kernel, damage) in breaks {
            var test = VaultSelfTest()
            damage(&test)
            let failure = #expect(throws: SelfTestFailure.self) { try test.run() }
            #expect(failure?.kernel == kernel)
        }
    }
}
