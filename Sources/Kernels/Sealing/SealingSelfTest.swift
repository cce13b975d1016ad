package import Bytes
package import Outcome

/// Known answers of SHA-256, AES-CTR with Poly1305-AES and scrypt, checked at start.
///
/// The functions under test are fields, so that a test can put a broken one in their place.
package struct SealingSelfTest {
    package var hash: ([UInt8]) -> Digest = { sha256($0) }
    package var hashMany: ([[UInt8]]) -> [Digest] = { messages in
        let buffer = messages.flatMap { $0 }
        return buffer.withUnsafeBytes { bytes in
            var start = 0
            return SHA256Lanes.digests(
                of: messages.map { message in
                    defer { start += message.count }
                    return UnsafeRawBufferPointer(rebasing: bytes[start..<start + message.count])
                }
            )
        }
    }
    package var seal: (ResticKey, [UInt8], (UInt64, UInt64)) -> [UInt8] = { key, plaintext, iv in
        var sealed = [UInt8](repeating: 0, count: plaintext.count + ResticCipher.overhead)
        plaintext.withUnsafeBytes { plaintext in
            sealed.withUnsafeMutableBytes { ResticCipher(key: key).seal(plaintext, iv: iv, into: $0) }
        }
        return sealed
    }
    package var open: (ResticKey, [UInt8]) -> [UInt8]? = { key, sealed in try? ResticCipher(key: key).open(sealed) }
    package var derive: (Secret, [UInt8], ScryptParameters) -> [UInt8]? = { password, salt, parameters in
        Sealing.derive(password: password, salt: salt, parameters, count: 64)
    }

    package init() {}

    /// Runs all checks in well under a millisecond.
    package func run() throws(SelfTestFailure) {
        try checkHash()
        try checkLanes()
        try checkCipher()
        try checkScrypt()
    }

    private func checkHash() throws(SelfTestFailure) {
        // FIPS 180-4: "abc" and the 448-bit message.
        try expect(
            "SHA-256",
            hash([UInt8]("abc".utf8)).hex,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
        try expect(
            "SHA-256",
            hash([UInt8]("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8)).hex,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        )
    }

    /// Blobs are named, and verified after sealing, by this form alone: it has to equal the plain one before either is believed.
    private func checkLanes() throws(SelfTestFailure) {
        let messages = (0..<11).map { number in
            (0..<number * 37).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) }
        }
        for (digest, message) in zip(hashMany(messages), messages) {
            try expect("SHA-256 in lanes", digest.hex, hash(message).hex)
        }
    }

    private func checkCipher() throws(SelfTestFailure) {
        // SP 800-38A F.5.5 (AES-256-CTR) under the MAC key of the Poly1305-AES paper's third example.
        guard let encrypt = Hex.decode("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
            let k = Hex.decode("6acb5f61a7176dd320c5c1eb2edcdc74"),
            let r = Hex.decode("48443d0bb0d21109c89a100b5ce2c208"),
            let plaintext = Hex.decode(
                "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
                    + "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
            ),
            let key = ResticKey(encrypt: encrypt, k: k, r: r)
        else { throw SelfTestFailure(kernel: "AES-CTR", what: "the vector does not parse") }
        let sealed = seal(key, plaintext, (0xf0f1_f2f3_f4f5_f6f7, 0xf8f9_fafb_fcfd_feff))
        try expect("AES-256-CTR", Hex.encode(sealed.dropFirst(16).dropLast(16)), Self.ciphertext)
        try expect("Poly1305-AES", Hex.encode(sealed.suffix(16)), Self.tag)
        guard open(key, sealed) == plaintext else {
            throw SelfTestFailure(kernel: "AES-256-CTR", what: "opening gives other bytes")
        }
        for index in [16, sealed.count - 1] {
            var changed = sealed
            changed[index] ^= 1
            guard open(key, changed) == nil else {
                throw SelfTestFailure(kernel: "Poly1305-AES", what: "accepts a changed message")
            }
        }
    }

    private func checkScrypt() throws(SelfTestFailure) {
        // RFC 7914 section 12, first vector.
        let derived = derive(Secret([]), [], ScryptParameters(n: 16, r: 1, p: 1))
        try expect(
            "scrypt",
            Hex.encode(derived ?? []),
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
        )
    }

    private func expect(_ kernel: String, _ given: String, _ expected: String) throws(SelfTestFailure) {
        guard given == expected else {
            throw SelfTestFailure(kernel: kernel, what: "gave \(given), expected \(expected)")
        }
    }

    /// SP 800-38A F.5.5.
    private static let ciphertext =
        "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
        + "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"
    /// From `openssl enc -aes-128-ecb` over the IV and `openssl mac POLY1305` over the ciphertext.
    private static let tag = "b5382897370c53cae7cf3232aeb877d3"
}
