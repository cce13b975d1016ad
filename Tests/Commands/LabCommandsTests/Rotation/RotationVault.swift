import Foundation
import Spawning

/// A server on this machine that answers as a vault does, with the fixtures of `Tests/Vectors/vaultwarden`; it ends with its owner.
final class RotationVault {
    /// Of the fixtures: an item and its password, the account and what opens it.
    static let item = "pbs/datastore-main"
    static let itemID = "38d65def-bbb1-4935-89e9-25e1faba63b3"
    static let itemPassword = "S3cret-ü"
    static let email = "backup@example.test"
    static let masterPassword = "correct horse battery staple"

    private let process = Process()
    private let input = Pipe()
    private let address: String

    /// Answers as the mode says, which `Tests/Support/VaultRig/vault_rig.py` lists.
    init(_ mode: String) throws {
        var tests = URL(filePath: #filePath)
        for _ in 0..<4 { tests.deleteLastPathComponent() }
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "python3", "\(tests.path)/Support/VaultRig/vault_rig.py", "\(tests.path)/Vectors/vaultwarden",
        ]
        process.standardInput = input
        process.standardOutput = output
        try process.start()
        let port = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).filter(\.isNumber)
        address = "http://127.0.0.1:\(port)/\(mode)-room"
    }

    deinit { try? input.fileHandleForWriting.close() }

    /// From now on it behaves so.
    func turn(_ mode: String) throws {
        let ask = Process()
        ask.executableURL = URL(filePath: "/usr/bin/env")
        ask.arguments = [
            "python3", "-c",
            "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], sys.argv[2].encode())",
            address + "/rig", "{\"mode\":\"\(mode)\"}",
        ]
        try ask.start()
        ask.waitUntilExit()
    }

    /// What a declaration says of it; with `isTyped` no place of the master password is named.
    func declaration(isTyped: Bool = false) -> String {
        """
        vault:
          address: "\(address)"
          email: \(Self.email)
          sealed-copy: state/vault.sealed
          sealed-by: "file:secrets/machine"
        \(isTyped ? "" : "  password: \"file:secrets/master\"")
        """
    }

    /// A lab whose repositories name the fixtures' item.
    func bench(reference: String = "vault:\(item)", isTyped: Bool = false) throws -> RotationBench {
        let bench = try RotationBench(
            reference: reference,
            password: Self.itemPassword,
            more: declaration(isTyped: isTyped)
        )
        try bench.write("secrets/master", Self.masterPassword + "\n")
        try bench.write("secrets/machine", "canary-machine-key-0123456789abcdef\n")
        return bench
    }
}
