package import Bytes
import CKernels
package import Outcome

/// Why a password was not turned into a key.
package enum ScryptError: Error, Hashable {
    /// `n` is no power of two above 1, or `r` or `p` is below 1, or their product is beyond the algorithm.
    case invalidParameters(ScryptParameters)
    /// More memory than allowed; a key file that asks for it was not made by a sane program (D-13).
    case tooMuchMemory(ScryptParameters, limitBytes: Int)
    /// More work than allowed (D-13).
    case tooMuchWork(ScryptParameters, limit: Int)
    /// The salt is not 64 bytes long.
    case wrongSaltLength(Int)
    /// The library could not get the memory.
    case outOfMemory
}

/// The cost of one key derivation.
package struct ScryptParameters: Sendable, Hashable {
    /// Bounds of what a key file may ask for, far above what any writer chooses.
    package enum Limits {
        /// restic stays below 60 MiB.
        package static let memoryBytes = 1 << 30
        /// Bound of n * r * p: about 30 times restic's half second.
        package static let work = 1 << 26
        package static let saltBytes = 64
    }

    /// Rounds, a power of two.
    package var n: Int
    /// Block size in units of 128 bytes.
    package var r: Int
    /// Repetitions one after the other.
    package var p: Int

    package init(n: Int, r: Int, p: Int) {
        self.n = n
        self.r = r
        self.p = p
    }

    /// The cheapest parameters anybody uses, for tests that do not test the derivation.
    package static let cheapForTests = ScryptParameters(n: 2, r: 1, p: 1)

    /// Working memory in bytes, saturating.
    package var memoryBytes: Int { saturatingProduct(128, n, r) }

    /// Throws when the parameters are senseless or cost more than the limits; allocates nothing.
    package func validate(memoryLimitBytes: Int = Limits.memoryBytes) throws(ScryptError) {
        guard n > 1, n & (n - 1) == 0, r >= 1, p >= 1, saturatingProduct(r, p) < 1 << 30 else {
            throw .invalidParameters(self)
        }
        // The algorithm wants n < 2^(16 r).
        guard r >= 4 || n < 1 << (16 * r) else { throw .invalidParameters(self) }
        guard memoryBytes <= memoryLimitBytes, saturatingProduct(128, r, p) <= memoryLimitBytes else {
            throw .tooMuchMemory(self, limitBytes: memoryLimitBytes)
        }
        guard saturatingProduct(n, r, p) <= Limits.work else { throw .tooMuchWork(self, limit: Limits.work) }
    }
}

private func saturatingProduct(_ factors: Int...) -> Int {
    var product = 1
    for factor in factors {
        let (next, overflow) = product.multipliedReportingOverflow(by: factor)
        if overflow { return .max }
        product = next
    }
    return product
}

/// Derives `count` bytes from a password, blocking for the time the parameters cost.
///
/// The caller wipes the bytes. Errors: parameters out of bounds before any work is done, a salt that is not 64 bytes long, no memory.
package func scrypt(
    password: Secret,
    salt: [UInt8],
    _ parameters: ScryptParameters,
    count: Int = ResticKey.byteCount
) throws(ScryptError) -> [UInt8] {
    guard salt.count == ScryptParameters.Limits.saltBytes else { throw .wrongSaltLength(salt.count) }
    try parameters.validate()
    guard let derived = derive(password: password, salt: salt, parameters, count: count) else { throw .outOfMemory }
    return derived
}

/// The raw function without the rules of key files; nil when the library refuses.
func derive(password: Secret, salt: [UInt8], _ parameters: ScryptParameters, count: Int) -> [UInt8]? {
    var derived = [UInt8](repeating: 0, count: count)
    // The library counts its bookkeeping too, so it gets a margin over what `validate` allowed.
    let memoryLimit = UInt64(ScryptParameters.Limits.memoryBytes) * 2 + (1 << 20)
    let done = password.withBytes { password in
        // An empty password has no memory; the library takes a null pointer to mean something else.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { empty in
            let start =
                password.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? empty.baseAddress.map { UnsafePointer($0) }
            guard let start else { return false }
            return hf_scrypt(
                start,
                password.count,
                salt,
                salt.count,
                UInt64(parameters.n),
                UInt64(parameters.r),
                UInt64(parameters.p),
                memoryLimit,
                &derived,
                count
            )
        }
    }
    return done ? derived : nil
}

/// The key that a password opens a key file with; nil when the derived bytes are no valid key (which does not happen by chance).
package func deriveKey(password: Secret, salt: [UInt8], _ parameters: ScryptParameters) throws(ScryptError)
    -> ResticKey?
{
    var bytes = try scrypt(password: password, salt: salt, parameters)
    defer { wipe(&bytes) }
    return ResticKey(concatenated: bytes)
}

/// Parameters that cost about `milliseconds` on this machine within `memoryBytes`, measured with `time`.
///
/// `n` grows until the memory or half the time is used up, then `p` fills the time, as restic does (it lands at n 32768, r 8, p 5…9).
package func calibrateScrypt(
    milliseconds: Int = 500,
    memoryBytes: Int = 60 << 20,
    time: any TimeSource
) -> ScryptParameters {
    precondition(milliseconds > 0 && memoryBytes >= 16 << 20)
    let budget = UInt64(milliseconds) * 1_000_000
    var parameters = ScryptParameters(n: 1 << 14, r: 8, p: 1)
    var cost = measure(parameters, time)
    while cost * 2 <= budget, ScryptParameters(n: parameters.n * 2, r: 8, p: 1).memoryBytes <= memoryBytes {
        parameters.n *= 2
        cost = measure(parameters, time)
    }
    parameters.p = Int(min(max(budget / max(cost, 1), 1), 64))
    return parameters
}

/// Nanoseconds of one derivation.
private func measure(_ parameters: ScryptParameters, _ time: any TimeSource) -> UInt64 {
    let start = time.monotonicNanoseconds()
    let derived = derive(
        password: Secret("calibration".utf8),
        salt: [UInt8](repeating: 1, count: ScryptParameters.Limits.saltBytes),
        parameters,
        count: ResticKey.byteCount
    )
    precondition(derived != nil, "scrypt failed with \(parameters.memoryBytes) bytes of memory")
    return time.monotonicNanoseconds() &- start
}
