import Bytes
import Sealing
import Testing

@Suite struct SelfTestTests {
    @Test func `R-10 the sealing kernels of this build give the known answers`() throws {
        try SealingSelfTest().run()
    }

    @Test func `R-10 a wrong hash is noticed`() {
        var test = SealingSelfTest()
        test.hash = { bytes in
            var digest = sha256(bytes)
            digest.d ^= 1
            return digest
        }
        #expect(throws: SelfTestFailure.self) { try test.run() }
    }

    @Test func `R-10 a lane that hashes wrongly is noticed`() {
        var test = SealingSelfTest()
        let hashMany = test.hashMany
        test.hashMany = { messages in
            var digests = hashMany(messages)
            digests[7].a ^= 1
            return digests
        }
        let failure = #expect(throws: SelfTestFailure.self) { try test.run() }
        #expect(failure?.kernel == "SHA-256 in lanes")
    }

    @Test func `R-10 a wrong S-box is noticed`() {
        var test = SealingSelfTest()
        let seal = test.seal
        test.seal = { key, plaintext, iv in
            var sealed = seal(key, plaintext, iv)
            sealed[20] ^= 0x63
            return sealed
        }
        let failure = #expect(throws: SelfTestFailure.self) { try test.run() }
        #expect(failure?.kernel == "AES-256-CTR")
    }

    @Test func `R-10 a MAC that accepts everything is noticed`() {
        var test = SealingSelfTest()
        let open = test.open
        test.open = { key, sealed in
            var restored = sealed
            restored[16] = 0x60
            restored[sealed.count - 1] = 0xd3
            return open(key, restored)
        }
        let failure = #expect(throws: SelfTestFailure.self) { try test.run() }
        #expect(failure?.kernel == "Poly1305-AES")
    }

    @Test func `R-10 a wrong key derivation is noticed`() {
        var test = SealingSelfTest()
        test.derive = { _, _, _ in [UInt8](repeating: 7, count: 64) }
        let failure = #expect(throws: SelfTestFailure.self) { try test.run() }
        #expect(failure?.kernel == "scrypt")
    }
}
