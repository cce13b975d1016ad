import CKernels
package import Outcome

/// PBKDF2 with HMAC-SHA-256 (RFC 8018), blocking for the time it costs.
///
/// Bounds: `iterations` at least 1; the caller limits what others may ask for.
package func pbkdf2SHA256(password: Secret, salt: Secret, iterations: UInt32, count: Int = 32) -> Secret {
    precondition(iterations >= 1 && count >= 1 && password.count < 1 << 30 && salt.count < 1 << 30)
    var key = [UInt8](repeating: 0, count: count)
    defer { wipe(&key) }
    password.withBytes { password in
        salt.withBytes { salt in
            hf_pbkdf2_sha256(
                password.bytePointer,
                password.count,
                salt.bytePointer,
                salt.count,
                iterations,
                &key,
                key.count
            )
        }
    }
    return Secret(key)
}

/// The second half of HKDF (RFC 5869) with SHA-256: bytes from a key that is as good as random, one kind for each `info`.
///
/// Bounds: `count` from 1 to 8160.
package func hkdfExpandSHA256(key: Secret, info: String, count: Int = 32) -> Secret {
    hkdfExpandSHA256(key: key, info: Array(info.utf8), count: count)
}

/// As above, for an `info` of bytes.
package func hkdfExpandSHA256(key: Secret, info: [UInt8], count: Int) -> Secret {
    precondition((1...255 * 32).contains(count))
    var output: [UInt8] = []
    var block: [UInt8] = []
    defer {
        wipe(&output)
        wipe(&block)
    }
    while output.count < count {
        block = hmacSHA256(key: key, block + info + [UInt8(output.count / 32 + 1)])
        output += block
    }
    return Secret(output.prefix(count))
}

/// HMAC-SHA-256 (RFC 2104).
package func hmacSHA256(key: Secret, _ bytes: [UInt8]) -> [UInt8] {
    var mac = [UInt8](repeating: 0, count: 32)
    key.withBytes { hf_hmac_sha256($0.bytePointer, $0.count, bytes, bytes.count, &mac) }
    return mac
}

/// The cost of one Argon2id.
package struct Argon2Parameters: Sendable, Hashable {
    /// Times the memory is gone over.
    package var passes: UInt32
    package var memoryKiB: UInt32
    package var lanes: UInt32

    package init(passes: UInt32, memoryKiB: UInt32, lanes: UInt32) {
        self.passes = passes
        self.memoryKiB = memoryKiB
        self.lanes = lanes
    }
}

/// What RFC 9106 calls the optional inputs; vaults use neither.
package struct Argon2Extras: Sendable {
    package var secret: [UInt8] = []
    package var data: [UInt8] = []

    package init() {}
}

/// Argon2id, version 1.3 (RFC 9106), blocking for the time it costs; nil when the library refuses the parameters or has no memory.
///
/// Bounds: 1 GiB of memory and 2^26 units of passes times KiB, a few seconds; the caller sets its own within them.
package func argon2id(
    password: Secret,
    salt: [UInt8],
    _ parameters: Argon2Parameters,
    extras: Argon2Extras = Argon2Extras(),
    count: Int = 32
) -> Secret? {
    guard parameters.memoryKiB <= 1 << 20, UInt64(parameters.passes) * UInt64(parameters.memoryKiB) <= 1 << 26,
        let passwordCount = UInt32(exactly: password.count)
    else { return nil }
    var key = [UInt8](repeating: 0, count: count)
    defer { wipe(&key) }
    let isDone = password.withBytes { password in
        withUnsafeBytes(of: salt, extras) { salt, secret, data in
            var input = hf_argon2_input(
                password: password.bytePointer,
                salt: salt.bytePointer,
                secret: secret.bytePointer,
                data: data.bytePointer,
                password_count: passwordCount,
                salt_count: UInt32(salt.count),
                secret_count: UInt32(secret.count),
                data_count: UInt32(data.count),
                passes: parameters.passes,
                memory_kib: parameters.memoryKiB,
                lanes: parameters.lanes
            )
            return hf_argon2id(&input, &key, UInt32(key.count))
        }
    }
    return isDone ? Secret(key) : nil
}

private func withUnsafeBytes<R>(
    of salt: [UInt8],
    _ extras: Argon2Extras,
    _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> R
) -> R {
    salt.withUnsafeBytes { salt in
        extras.secret.withUnsafeBytes { secret in extras.data.withUnsafeBytes { body(salt, secret, $0) } }
    }
}

extension UnsafeRawBufferPointer {
    /// The start as bytes; nil for a buffer without memory.
    fileprivate var bytePointer: UnsafePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}
