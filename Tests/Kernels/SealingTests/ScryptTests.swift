import Bytes
import GoldenVectors
import Outcome
import Sealing
import Synchronization
import Testing

@Suite struct ScryptTests {
    private let salt = [UInt8](0..<64)

    @Test(arguments: ["restic-repository-1.txt", "restic-repository-2.txt"])
    func `the password of a real key file opens it`(name: String) throws {
        let vector = try GoldenVector(name)
        let file = try vector.json("key-file", as: KeyFileJSON.self)
        let parameters = ScryptParameters(n: file.N, r: file.r, p: file.p)
        let key = try #require(
            try deriveKey(password: Secret(vector("password").utf8), salt: [UInt8](file.salt), parameters)
        )
        let opened = try ResticCipher(key: key).open([UInt8](file.data))
        #expect(try String(decoding: opened, as: UTF8.self) == vector("master-key"))
        #expect(try sha256(vector("key-file")).hex == vector("key-file-name"))
    }

    @Test func `a wrong password gives a key that opens nothing`() throws {
        let cheap = ScryptParameters.cheapForTests
        let right = try #require(try deriveKey(password: Secret("right".utf8), salt: salt, cheap))
        let wrong = try #require(try deriveKey(password: Secret("right ".utf8), salt: salt, cheap))
        #expect(right != wrong)
        let sealed = ResticCipher(key: right).seal([1], entropy: SeededEntropy(seed: 1))
        #expect(throws: SealError.wrongMAC) { try ResticCipher(key: wrong).open(sealed) }
    }

    @Test func `an empty password derives`() throws {
        #expect(try scrypt(password: Secret([]), salt: salt, .cheapForTests).count == 64)
    }

    @Test func `a salt that is not 64 bytes long is refused`() {
        #expect(throws: ScryptError.wrongSaltLength(16)) {
            try scrypt(
                password: Secret("pleaseletmein".utf8),
                salt: [UInt8]("SodiumChloride__".utf8),
                .init(n: 2, r: 1, p: 1)
            )
        }
    }

    @Test(arguments: [
        (0, 8, 1), (1, 8, 1), (-2, 8, 1), (3, 8, 1), (32769, 8, 1), (32768, 0, 1), (32768, 8, 0), (32768, -8, 1),
        (32768, 8, -1), (2, 1 << 30, 1), (2, 1, 1 << 30), (65536, 1, 1), (2, .max, .max), (.min, 8, 1),
    ])
    func `I-05 senseless parameters are refused`(n: Int, r: Int, p: Int) {
        let parameters = ScryptParameters(n: n, r: r, p: p)
        #expect(throws: ScryptError.invalidParameters(parameters)) { try parameters.validate() }
        #expect(throws: ScryptError.invalidParameters(parameters)) {
            try scrypt(password: Secret([1]), salt: salt, parameters)
        }
    }

    @Test func `D-13 a huge cost is refused before any work`() {
        for n in [1 << 40, 1 << 62, 1 << 21] {
            let parameters = ScryptParameters(n: n, r: 8, p: 1)
            #expect(throws: ScryptError.tooMuchMemory(parameters, limitBytes: 1 << 30)) { try parameters.validate() }
        }
        let wide = ScryptParameters(n: 2, r: 1 << 24, p: 1)
        #expect(throws: ScryptError.tooMuchMemory(wide, limitBytes: 1 << 30)) { try wide.validate() }
        let long = ScryptParameters(n: 1 << 15, r: 8, p: 1 << 20)
        #expect(throws: ScryptError.self) { try long.validate() }
        let slow = ScryptParameters(n: 1 << 15, r: 8, p: 1 << 9)
        #expect(throws: ScryptError.tooMuchWork(slow, limit: 1 << 26)) { try slow.validate() }
    }

    @Test func `what restic chooses is within the bounds`() throws {
        for p in 1...16 { try ScryptParameters(n: 32768, r: 8, p: p).validate() }
        try ScryptParameters(n: 1 << 20, r: 8, p: 1).validate()
    }

    @Test func `calibration stays within the memory and lands near the time`() {
        /// Advances by the same step at each look, so that a derivation seems to take 20 ms.
        final class SteppingClock: TimeSource {
            let nanoseconds = Atomic<UInt64>(0)
            func now() -> Timestamp { Timestamp(seconds: 0) }
            func monotonicNanoseconds() -> UInt64 { nanoseconds.add(20_000_000, ordering: .relaxed).newValue }
            func localOffsetSeconds(at moment: Timestamp) -> Int32 { 0 }
            func sleep(nanoseconds: UInt64) async throws {}
        }
        let parameters = calibrateScrypt(time: SteppingClock())
        #expect(parameters == ScryptParameters(n: 32768, r: 8, p: 25))
        #expect(parameters.memoryBytes <= 60 << 20)
        let slow = calibrateScrypt(milliseconds: 30, time: SteppingClock())
        #expect(slow == ScryptParameters(n: 16384, r: 8, p: 1))
    }
}
