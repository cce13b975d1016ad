import Bytes
import HostSystem
import Outcome
import Strategy

/// A new password of 256 random bits in a file of mode 0600 that did not exist.
func makeSecret(at path: String, entropy: any EntropySource) throws -> Secret {
    let (folder, name) = splitPath(path)
    let password = entropy.bytes(32).map { byte in
        let digits = Array("0123456789abcdef".utf8)
        return [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }.flatMap { $0 }
    do throws(Errno) {
        let directory = try Directory.createAll(ByteString(folder))
        try writeDurably(password + [0x0a], to: ByteString(name), in: directory, ifExists: .fail, entropy: entropy)
    } catch {
        throw secretFailure(.file(path), "cannot be written: \(error)", next: error.remedy)
    }
    return Secret(password)
}

/// Gives a password file its final name.
func promoteSecret(from temporary: String, to path: String) throws {
    let (folder, name) = splitPath(path)
    do throws(Errno) {
        let directory = try Directory.open(ByteString(folder))
        try directory.renameWithoutReplacing(ByteString(splitPath(temporary).name), to: ByteString(name), in: directory)
        try directory.sync()
    } catch {
        throw secretFailure(.file(path), "cannot be named: \(error)", next: error.remedy)
    }
}

func secretFailure(_ reference: SecretReference, _ what: String, next: String) -> ProtectionFailure {
    ProtectionFailure(
        .secret,
        operation: "write password",
        object: reference.text,
        what: what,
        state: "nothing was changed",
        next: next
    )
}
