import Bytes
import Foundation
import HostSystem
import Outcome
import SecretStore
import Spawning
import Strategy

/// A server on this machine that answers as a vault does; it ends when the tests do.
final class VaultRig: Sendable {
    /// Without TLS, for all tests.
    static let plain = VaultRig(certificate: nil)

    /// Of the fixtures.
    static let password = "correct horse battery staple"
    static let email = "backup@example.test"
    static let clientID = "user.9f1c2d34-aaaa-4bbb-8ccc-000000000001"
    static let clientSecret = "canary-client-secret"

    let port: Int
    private let input: Pipe

    static var root: String {
        var url = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { url.deleteLastPathComponent() }
        return url.path
    }

    init(certificate: (chain: String, key: String)?) {
        let process = Process()
        let output = Pipe()
        input = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["python3", "\(VaultRig.root)/Support/VaultRig/vault_rig.py", "\(VaultRig.root)/Vectors/vaultwarden"]
            + (certificate.map { [$0.chain, $0.key] } ?? [])
        process.standardInput = input
        process.standardOutput = output
        try? process.start()
        port = Int(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).filter(\.isNumber)) ?? 0
    }

    /// An address whose server behaves so, with a room of its own.
    func address(_ mode: String, scheme: String = "http") -> String {
        "\(scheme)://127.0.0.1:\(port)/\(mode)-\(UUID().uuidString)"
    }

    /// Counters of a room; with a mode, the room behaves so from now on.
    @discardableResult
    static func state(_ address: String, mode: String? = nil) async throws -> [String: Any] {
        let body = mode.map { "{\"mode\":\"\($0)\"}" } ?? ""
        let ask = """
            import sys, urllib.request
            print(urllib.request.urlopen(sys.argv[1], sys.argv[2].encode() or None).read().decode())
            """
        let arguments = ["python3", "-c", ask, address + "/rig", body]
        let result = try await run(Command(arguments.map { ByteString($0) }))
        return try JSONSerialization.jsonObject(with: Data(result.output)) as? [String: Any] ?? [:]
    }
}

/// An account of the rig with its password in a file, and what belongs to it.
struct RigAccount {
    let scratch = Scratch()
    let time = StillTime()
    var address: String
    var password = VaultRig.password
    var hasAPIKey = false
    /// Typed by a person instead of read from a file.
    var typed: String?
    var hasPasswordFile = true
    var clientSecret = VaultRig.clientSecret
    var certificates: String?

    init(_ mode: String) { address = VaultRig.plain.address(mode) }

    var passwordReference: SecretReference { .file(scratch.path + "/master") }
    var cachePath: String { scratch.path + "/state/vault.sealed" }
    var cacheKey: SecretReference { .file(scratch.path + "/machine.key") }

    func cache() throws -> SealedCache {
        if !FileManager.default.fileExists(atPath: scratch.path + "/machine.key") {
            scratch.write("machine.key", "canary-machine-key-0123456789abcdef")
        }
        return try SealedCache(path: cachePath, key: cacheKey, resolver: SecretResolver(time: time))
    }

    /// Waits longer for an answer than a run of all tests takes: what is late is a test of its own.
    func secrets(
        _ mode: VaultSecrets.Mode = .vaultFirst,
        cached: Bool = false,
        answerSeconds: Int = 600,
        sealedFor: Duration = VaultDeclaration.usualSealedFor,
        unsealed: Set<SecretReference> = []
    ) throws -> VaultSecrets {
        scratch.write("master", password + "\n")
        let id = SecretReference.file(scratch.write("id", VaultRig.clientID))
        let secret = SecretReference.file(scratch.write("client", clientSecret))
        let account = try VaultAccount(
            address: address,
            email: VaultRig.email,
            password: hasPasswordFile ? passwordReference : nil,
            apiKey: hasAPIKey ? VaultAccount.APIKey(id: id, secret: secret) : nil,
            certificates: certificates
        )
        return VaultSecrets(
            account,
            mode: mode,
            cache: cached ? try cache() : nil,
            resolver: SecretResolver(time: time),
            ask: question,
            time: time,
            answerSeconds: answerSeconds,
            sealedFor: sealedFor,
            unsealed: unsealed
        )
    }

    private var question: VaultSecrets.Question? {
        guard let typed else { return nil }
        return { @Sendable _ in Secret(typed.utf8) }
    }

    /// Reads `vault:…` through a resolver, as everybody does.
    func read(_ place: SecretReference.VaultField, _ secrets: VaultSecrets) async throws -> ResolvedSecret {
        try await SecretResolver(vault: secrets, time: time).resolve(.vault(place))
    }
}

extension SecretReference.VaultField {
    static let datastore = SecretReference.VaultField(.named("pbs/datastore-main"))
}
