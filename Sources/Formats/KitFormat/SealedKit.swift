package import Bytes
package import Outcome
package import Sealing

/// A kit under a passphrase: what it is can be read, what it says cannot.
///
/// ```
/// 0        16            n-32       n
/// | IV     | ciphertext  | MAC      |     AES-256-CBC under HMAC-SHA-256, the 64 bytes of both keys by scrypt; OpenSSL opens it
/// ```
/// The ciphertext is the text of the whole kit.
package struct SealedKit: Sendable {
    /// Of a new one: a quarter of a second and 128 MiB.
    package static let usualCost = ScryptParameters(n: 1 << 17, r: 8, p: 1)
    /// Characters that a passphrase has at least: six words.
    package static let passphraseMin = 20

    package var lab: String
    package var serial: String
    package var made: String
    package var program: String
    package var holders: [String]
    var cost: ScryptParameters
    var salt: [UInt8]
    var data: [UInt8]

    init(
        lab: String,
        serial: String,
        made: String,
        program: String,
        holders: [String],
        cost: ScryptParameters,
        salt: [UInt8],
        data: [UInt8]
    ) {
        self.lab = lab
        self.serial = serial
        self.made = made
        self.program = program
        self.holders = holders
        self.cost = cost
        self.salt = salt
        self.data = data
    }

    /// Seals a kit, blocking for the time that the cost takes.
    ///
    /// Errors: `ScryptError` where there is no memory.
    package init(
        _ kit: RecoveryKit,
        passphrase: Secret,
        cost: ScryptParameters = SealedKit.usualCost,
        entropy: any EntropySource
    ) throws(ScryptError) {
        let salt = entropy.bytes(ScryptParameters.Limits.saltBytes)
        let message = try Self.cipher(passphrase, salt, cost).seal(KitPage.text(kit), entropy: entropy)
        self.init(
            lab: kit.lab,
            serial: kit.serial,
            made: kit.made,
            program: kit.program,
            holders: kit.holders,
            cost: cost,
            salt: salt,
            data: message.iv + message.ciphertext + message.mac
        )
    }

    /// Opens it; nil: the passphrase is another one.
    ///
    /// Errors: `KitTextError` where what is inside is no kit, or there is no memory for the derivation.
    package func open(passphrase: Secret) throws(KitTextError) -> (kit: RecoveryKit, strange: [Int])? {
        let cipher: CBCCipher
        do throws(ScryptError) { cipher = try Self.cipher(passphrase, salt, cost) } catch {
            throw KitTextError("cannot be opened: there are no \(cost.memoryBytes >> 20) MiB of memory to spare")
        }
        guard data.count > 48 else { throw KitTextError("has less sealed data than any kit") }
        let message = CBCCipher.Message(
            iv: Array(data.prefix(16)),
            ciphertext: Array(data[16..<(data.count - 32)]),
            mac: Array(data.suffix(32))
        )
        let text: Secret
        do throws(CBCError) { text = try cipher.open(message) } catch { return nil }
        guard case .open(let kit, let strange) = try KitReader.read(text) else {
            throw KitTextError("holds another sealed kit")
        }
        return (kit, strange)
    }

    private static func cipher(_ passphrase: Secret, _ salt: [UInt8], _ cost: ScryptParameters) throws(ScryptError)
        -> CBCCipher
    {
        var bytes = try scrypt(password: passphrase, salt: salt, cost, count: CBCCipher.keyBytes)
        defer { wipe(&bytes) }
        guard let cipher = CBCCipher(key: Secret(bytes)) else { preconditionFailure("scrypt gave another length") }
        return cipher
    }

    /// In lines, without the one that ends it.
    var lines: [KitLine] {
        let text = Base32.encode(data)
        var lines = [KitLine(.version, "1 sealed")]
        lines += valueLines(.lab, lab) + valueLines(.serial, serial) + valueLines(.made, made)
        lines += valueLines(.program, program) + holders.flatMap { valueLines(.holder, $0) }
        lines.append(KitLine(.cost, "\(cost.n) \(cost.r) \(cost.p)"))
        lines += packedLines(.salt, Base32.encode(salt), width: 40)
        lines.append(KitLine(.sealed, "\(text.utf8.count) characters"))
        return lines + packedLines(.data, text, width: 40)
    }
}
