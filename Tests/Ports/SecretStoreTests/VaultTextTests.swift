import Bytes
import Foundation
import Outcome
import Sealing
import SecretStore
import Testing

/// Sealed texts and keys of a vault against the fixtures, bit by bit.
@Suite struct VaultTextTests {
    private func fixture(_ name: String) throws -> [String: Any] {
        let url = URL(fileURLWithPath: "\(VaultRig.root)/Vectors/vaultwarden/\(name)")
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
        return try #require(object as? [String: Any])
    }

    private func key(_ fixture: [String: Any]) throws -> VaultKey {
        let hex = try #require(fixture["keyHex"] as? String)
        let bytes = try #require(Hex.decode(hex))
        return try #require(VaultKey(Secret(bytes)))
    }

    @Test func `each text of the fixtures opens, or is refused for its reason`() throws {
        let fixture = try fixture("encstring-vectors.json")
        let key = try key(fixture)
        let cases = try #require(fixture["cases"] as? [[String: Any]])
        #expect(cases.count == 12)
        let problems: [String: Set<VaultText.Problem>] = [
            "mac": [.wrongMAC], "mac-or-length": [.wrongMAC, .malformed], "padding": [.wrongPadding],
            "unauthenticated": [.unauthenticated], "parse": [.malformed],
            "unsupported": [.unknownKind, .newerEncryption],
        ]
        for entry in cases {
            let text = try #require(entry["enc"] as? String)
            do throws(VaultText.Problem) {
                let opened = try key.open(text)
                #expect(opened.revealed == entry["plaintext"] as? String)
            } catch {
                let reason = entry["error"] as? String ?? ""
                #expect(problems[reason]?.contains(error) == true, "\(entry): \(error)")
            }
        }
    }

    @Test func `what is sealed opens again, and no other way of writing it is taken`() throws {
        let key = try key(fixture("encstring-vectors.json"))
        let text = key.seal(Secret("hunter2".utf8), entropy: SeededEntropy(seed: 3))
        #expect(try key.open(text).revealed == "hunter2")
        #expect(try VaultText(text).text == text)
        for changed in ["", ".", "2", "2.", "2.||", "02" + text.dropFirst(), text + "|", text + "=", " " + text] {
            #expect(throws: VaultText.Problem.self) { try key.open(changed) }
        }
        #expect(throws: VaultText.Problem.wrongSort) { try key.open("4.AAAA") }
    }

    @Test func `I-01 no text cut short or with a flipped bit opens`() throws {
        let key = try key(fixture("encstring-vectors.json"))
        let text = Array(key.seal(Secret("hunter2".utf8), entropy: SeededEntropy(seed: 4)).utf8)
        for index in text.indices {
            #expect((try? key.open(String(decoding: text[..<index], as: UTF8.self))) == nil)
            for bit in 0..<8 {
                var changed = text
                changed[index] ^= 1 << UInt8(bit)
                #expect((try? key.open(String(decoding: changed, as: UTF8.self))) == nil)
            }
        }
    }

    @Test func `an account's password gives the key and the hash that the server compares`() throws {
        let vectors = try #require(try fixture("kdf-vectors.json")["vectors"] as? [[String: Any]])
        for vector in vectors {
            let kdf = try #require(vector["kdf"] as? [String: Any])
            let cost = try VaultKDF(
                kind: kdf["kdf"] as? Int ?? -1,
                iterations: kdf["kdfIterations"] as? Int ?? 0,
                memoryMiB: kdf["kdfMemory"] as? Int,
                lanes: kdf["kdfParallelism"] as? Int
            )
            let email = try #require(vector["email"] as? String)
            #expect(vaultSalt(ofEmail: email) == vector["normalizedSalt"] as? String)
            let password = Secret((vector["masterPassword"] as? String ?? "").utf8)
            let keys = try #require(MasterKeys(password: password, salt: vaultSalt(ofEmail: email), cost))
            #expect(keys.serverHash.withBytes { Base64.encode($0) } == vector["serverPasswordHashB64"] as? String)
            let userKey = try keys.wrapping.open(vector["protectedUserKey"] as? String ?? "")
            #expect(userKey.withBytes { Hex.encode($0) } == vector["userKeyHex"] as? String)
        }
    }

    @Test(
        arguments: [
            (0, 99_999, nil, nil), (0, 2_000_001, nil, nil), (0, -1, nil, nil), (0, Int.max, nil, nil), (1, 3, nil, 4),
            (1, 3, 64, nil), (1, 1, 64, 4), (1, 11, 64, 4), (1, 3, 15, 4), (1, 3, 1025, 4), (1, 3, 64, 0),
            (1, 3, 64, 17),
            (2, 600_000, nil, nil), (-1, 600_000, nil, nil),
        ] as [(Int, Int, Int?, Int?)]
    )
    func `a derivation that is too cheap, too dear or unknown is refused`(
        kind: Int,
        iterations: Int,
        memory: Int?,
        lanes: Int?
    ) {
        #expect(throws: VaultKDF.Refusal.self) {
            try VaultKDF(kind: kind, iterations: iterations, memoryMiB: memory, lanes: lanes)
        }
    }

    @Test func `what is weaker than before is known as such`() {
        let usual = VaultKDF.pbkdf2(iterations: 600_000)
        let argon = VaultKDF.argon2id(passes: 3, memoryMiB: 64, lanes: 4)
        #expect(VaultKDF.pbkdf2(iterations: 599_999).isWeaker(than: usual))
        #expect(!usual.isWeaker(than: usual))
        #expect(usual.isWeaker(than: argon))
        #expect(!argon.isWeaker(than: usual))
        #expect(VaultKDF.argon2id(passes: 2, memoryMiB: 64, lanes: 4).isWeaker(than: argon))
        #expect(VaultKDF.argon2id(passes: 10, memoryMiB: 20, lanes: 4).isWeaker(than: argon))
        #expect(!VaultKDF.argon2id(passes: 4, memoryMiB: 64, lanes: 1).isWeaker(than: argon))
    }
}
