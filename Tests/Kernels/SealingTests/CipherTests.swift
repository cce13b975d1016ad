import Bytes
import Foundation
import GoldenVectors
import Sealing
import Testing

@Suite struct CipherTests {
    private func cipher(seed: UInt64 = 1) -> ResticCipher { ResticCipher(key: .random(SeededEntropy(seed: seed))) }

    @Test func `I-11 at any address, beside others and in place, the same bytes come out and nothing else is touched`()
        throws
    {
        var generator = SplitMix64(seed: 11)
        let cipher = ResticCipher(key: .random(SeededEntropy(seed: 11)))
        for length in [0, 1, 15, 16, 17, 63, 64, 200, 1000, 5003] {
            let plain = generator.bytes(length)
            var sealed = [UInt8](repeating: 0, count: length + 32)
            plain.withUnsafeBytes { plain in sealed.withUnsafeMutableBytes { cipher.seal(plain, iv: (7, 9), into: $0) }
            }
            for shift in 0...33 {
                var room = [UInt8](repeating: 0xA5, count: shift + length + 32 + 40)
                room.replaceSubrange(shift + 16..<shift + 16 + length, with: plain)
                try room.withUnsafeMutableBytes { room in
                    let place = UnsafeMutableRawBufferPointer(rebasing: room[shift..<shift + length + 32])
                    let inside = UnsafeMutableRawBufferPointer(rebasing: place[16..<16 + length])
                    cipher.seal(UnsafeRawBufferPointer(inside), iv: (7, 9), into: place)
                    #expect(place.elementsEqual(sealed), "sealing \(length) bytes at \(shift)")
                    #expect(cipher.isAuthentic(UnsafeRawBufferPointer(place)))
                    try cipher.open(UnsafeRawBufferPointer(place), into: inside)
                    #expect(inside.elementsEqual(plain), "opening \(length) bytes at \(shift)")
                }
                let around = room[..<shift] + room[(shift + length + 32)...]
                #expect(around.allSatisfy { $0 == 0xA5 }, "around \(length) bytes at \(shift)")
            }
        }
    }

    @Test func `every length round trips, and sealing adds 32 bytes`() throws {
        let cipher = cipher()
        let entropy = SeededEntropy(seed: 2)
        var generator = SplitMix64(seed: 3)
        for length in Array(0...130) + [4095, 4096, 32767, 32768, 32769, 65536, 100_000] {
            let plaintext = generator.bytes(length)
            let sealed = cipher.seal(plaintext, entropy: entropy)
            #expect(sealed.count == length + 32)
            #expect(try cipher.open(sealed) == plaintext)
        }
    }

    @Test func `sealing and opening work in place`() throws {
        let cipher = cipher()
        var generator = SplitMix64(seed: 4)
        let plaintext = generator.bytes(70_000)
        var room = [UInt8](repeating: 0, count: 16) + plaintext + [UInt8](repeating: 0, count: 16)
        room.withUnsafeMutableBytes { room in
            cipher.seal(UnsafeRawBufferPointer(rebasing: room[16..<70_016]), iv: (1, 2), into: room)
        }
        #expect(try cipher.open(room) == plaintext)
        try room.withUnsafeMutableBytes { room in
            try cipher.open(
                UnsafeRawBufferPointer(room),
                into: UnsafeMutableRawBufferPointer(rebasing: room[16..<70_016])
            )
        }
        #expect(Array(room[16..<70_016]) == plaintext)
    }

    @Test func `the counter carries over all 128 bits`() throws {
        // From the IV of ones the next block's counter is zero, so the second half equals the first block under IV zero + 1 block.
        let cipher = cipher()
        func keyStream(_ iv: (UInt64, UInt64), blocks: Int) -> [UInt8] {
            var sealed = [UInt8](repeating: 0, count: blocks * 16 + 32)
            let zeros = [UInt8](repeating: 0, count: blocks * 16)
            zeros.withUnsafeBytes { zeros in sealed.withUnsafeMutableBytes { cipher.seal(zeros, iv: iv, into: $0) } }
            return Array(sealed[16..<sealed.count - 16])
        }
        #expect(keyStream((.max, .max), blocks: 3).suffix(16) == keyStream((0, 1), blocks: 1)[...])
        #expect(keyStream((0, .max), blocks: 2).suffix(16) == keyStream((1, 0), blocks: 1)[...])
    }

    @Test func `one cipher seals many messages like many ciphers`() {
        let shared = cipher(seed: 9)
        for number in 1...20 as ClosedRange<UInt64> {
            let plaintext = [UInt8](repeating: UInt8(number), count: Int(number) * 7)
            let entropy = { SeededEntropy(seed: number) }
            #expect(shared.seal(plaintext, entropy: entropy()) == cipher(seed: 9).seal(plaintext, entropy: entropy()))
        }
    }

    @Test func `D-08 any flipped bit of ciphertext, MAC or IV is refused and nothing is written`() {
        let cipher = cipher()
        let sealed = cipher.seal([UInt8](repeating: 0x41, count: 40), entropy: SeededEntropy(seed: 5))
        for bit in 0..<sealed.count * 8 {
            var changed = sealed
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            var out = [UInt8](repeating: 0xAA, count: 40)
            #expect(throws: SealError.wrongMAC) {
                try changed.withUnsafeBytes { changed in
                    try out.withUnsafeMutableBytes { try cipher.open(changed, into: $0) }
                }
            }
            #expect(out.allSatisfy { $0 == 0xAA })
        }
    }

    @Test func `every prefix is refused`() {
        let cipher = cipher()
        let sealed = cipher.seal([UInt8](repeating: 1, count: 50), entropy: SeededEntropy(seed: 6))
        for length in 0..<sealed.count {
            #expect(throws: length < 32 ? SealError.tooShort : .wrongMAC) { try cipher.open(Array(sealed[..<length])) }
        }
    }

    @Test func `a message under another key is refused`() {
        let sealed = cipher(seed: 1).seal([1, 2, 3], entropy: SeededEntropy(seed: 7))
        #expect(throws: SealError.wrongMAC) { try cipher(seed: 2).open(sealed) }
    }

    @Test func `an all-zero IV is refused on opening and traps on sealing`() async {
        #expect(throws: SealError.zeroIV) { try cipher().open([UInt8](repeating: 0, count: 64)) }
        await #expect(processExitsWith: .failure) {
            let cipher = ResticCipher(key: .random(SeededEntropy(seed: 1)))
            var out = [UInt8](repeating: 0, count: 33)
            [UInt8(1)].withUnsafeBytes { plaintext in
                out.withUnsafeMutableBytes { cipher.seal(plaintext, iv: (0, 0), into: $0) }
            }
        }
    }

    @Test func `an IV is drawn again when the source gives zeros`() {
        final class Zeros: EntropySource {
            let seeded = SeededEntropy(seed: 8)
            nonisolated(unsafe) var calls = 0
            func fill(_ buffer: UnsafeMutableRawBufferPointer) {
                calls += 1
                if calls > 3 { seeded.fill(buffer) } else { for index in buffer.indices { buffer[index] = 0 } }
            }
        }
        let iv = ResticCipher.randomIV(Zeros())
        #expect(iv.0 | iv.1 != 0)
    }

    @Test func `a key with a part of zeros or of a wrong size is invalid`() {
        let full = [UInt8](1...64)
        #expect(ResticKey(concatenated: full) != nil)
        for part in [0..<32, 32..<48, 48..<64] {
            var bytes = full
            for index in part { bytes[index] = 0 }
            #expect(ResticKey(concatenated: bytes) == nil)
        }
        #expect(ResticKey(concatenated: Array(full.dropLast())) == nil)
        #expect(ResticKey(encrypt: Array(full[..<32]), k: Array(full[32..<47]), r: Array(full[47...])) == nil)
    }

    @Test func `a key does not print`() {
        let key = ResticKey.random(SeededEntropy(seed: 1))
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] {
            #expect(text.contains("<secret>") && !text.contains("0x"))
        }
        #expect(Mirror(reflecting: key).children.isEmpty)
    }

    @Test(arguments: ["restic-repository-1.txt", "restic-repository-2.txt"])
    func `a config that restic sealed opens with restic's master key`(name: String) throws {
        let vector = try GoldenVector(name)
        let key = try resticKey(vector.json("master-key", as: MasterKeyJSON.self))
        let sealed = try #require(Hex.decode(vector("config-sealed")))
        let config = try ResticCipher(key: key).open(sealed)
        let opened = try JSONSerialization.jsonObject(with: Data(config)) as? NSDictionary
        let expected = try JSONSerialization.jsonObject(with: Data(vector("config").utf8)) as? NSDictionary
        #expect(opened == expected)
        // The other way: the same IV and plaintext give restic's bytes.
        var again = sealed
        config.withUnsafeBytes { config in
            again.withUnsafeMutableBytes { again in
                let iv = (
                    UnsafeRawBufferPointer(again).bigUInt64(at: 0), UnsafeRawBufferPointer(again).bigUInt64(at: 8)
                )
                ResticCipher(key: key).seal(config, iv: iv, into: again)
            }
        }
        #expect(again == sealed)
    }
}

/// The key of a vector.
func resticKey(_ json: MasterKeyJSON) throws -> ResticKey {
    try #require(ResticKey(encrypt: [UInt8](json.encrypt), k: [UInt8](json.mac.k), r: [UInt8](json.mac.r)))
}
