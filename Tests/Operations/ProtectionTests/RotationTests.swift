import Foundation
import Synchronization
import Testing

import Bytes
import HostSystem
import Outcome
import Protection
import ResticRepository
import Sealing
import Strategy
import TestSupport

/// Rotation of passwords, killed at each boundary between its steps.
@Suite struct RotationTests {
    /// `host-os` and `host-usb` share one password.
    private static func sharing(_ text: String) -> String {
        text.replacing("file:secrets/host-usb", with: "file:secrets/host-os")
    }

    private func lab() async throws -> TestLab {
        let lab = try TestLab(RotationTests.sharing)
        try lab.write("secrets/host-os", "canary-old-password\n")
        try await lab.environment.createRepositories { _, _ in }
        return lab
    }

    /// How many of the stored passwords open each key; a key that none opens would be one that nobody knows.
    private func unknownKeys(_ lab: TestLab, _ repository: String) async throws -> Int {
        let environment = try lab.environment
        let store = try #require(environment.store(named: repository))
        var keys = Set(lab.names(in: "media/\(store.medium.name)/\(repository)/keys"))
        for name in lab.names(in: "secrets") where name.hasPrefix("host-os") && !name.contains("-tmp-") {
            let found = try await environment.secrets.find(.file("\(lab.root)/secrets/\(name)"))
            guard let found else { continue }
            if let repository = try? await store.open(.proof, with: found) { keys.remove(repository.keyID.hex) }
        }
        return keys.count
    }

    /// Number of the stage behind which the process is killed, from 1: opened, stored, then keyed and proven of each, recorded.
    @Test(arguments: 1...7)
    func `killed behind a step, the old password opens, no key is unknown, and the next rotation works`(
        _ stage: Int
    ) async throws {
        let lab = try await lab()
        await #expect(processExitsWith: .signal(SIGKILL)) { [root = lab.root as String, stage = stage as Int] in
            let lab = try TestLab(at: root, RotationTests.sharing)
            let seen = StageCounter()
            let rotation = PasswordRotation(try lab.environment) { _ in
                if seen.next() == stage { kill(currentProcessID(), SIGKILL) }
            }
            _ = try await rotation.run("host-os")
        }
        for repository in ["host-os", "host-usb"] {
            #expect(try await unknownKeys(lab, repository) == 0)
            _ = try await lab.environment.store(named: repository)?.open(.proof)
        }
        let made = lab.names(in: "secrets").count { $0.hasPrefix("host-os.") }
        #expect(made == (stage == 1 ? 0 : 1))
        let report = try await PasswordRotation(try lab.environment).run("host-usb")
        #expect(report.outcomes.map(\.repository.name) == ["host-usb", "host-os"])
        #expect(report.outcomes.allSatisfy { $0.failure == nil })
        #expect(report.new.text.hasSuffix(stage == 1 ? "host-os.2026-03-01" : "host-os.2026-03-01.2"))
        for repository in ["host-os", "host-usb"] { #expect(try await unknownKeys(lab, repository) == 0) }
        try await lab.run()
    }

    @Test func `a repository that goes away between keeps none of the others, and is told`() async throws {
        let lab = try await lab()
        let root = lab.root
        let rotation = PasswordRotation(try lab.environment) { stage in
            guard case .stored = stage else { return }
            try? FileManager.default.moveItem(
                atPath: "\(root)/media/os-ssd/host-os/keys",
                toPath: "\(root)/media/os-ssd/host-os/away"
            )
        }
        let report = try await rotation.run("host-os")
        #expect(report.outcomes[0].failure != nil && report.outcomes[1].failure == nil)
        try lab.move("media/os-ssd/host-os/away", to: "media/os-ssd/host-os/keys")
        #expect(try await unknownKeys(lab, "host-os") == 0)
        #expect(lab.names(in: "media/usb-ssd/host-usb/keys").count == 2)
        try lab.remove("secrets/host-os.2026-03-01")
        #expect(try await unknownKeys(lab, "host-usb") == 1, "such a key would be found")
    }

    @Test func `two rotations at once do not meet`() async throws {
        let lab = try await lab()
        let lock = try StateFolder.takeLock("secret-rotate", in: try lab.environment.stateFolder)
        defer { lock?.unlock() }
        await #expect(throws: ProtectionFailure.self) {
            _ = try await PasswordRotation(try lab.environment).run("host-os")
        }
        #expect(lab.names(in: "media/os-ssd/host-os/keys").count == 1)
        #expect(lab.names(in: "secrets").count { $0.hasPrefix("host-os.") } == 0)
    }
}

/// Counts from 1, on any task.
private final class StageCounter: Sendable {
    private let count = Atomic<Int>(0)

    func next() -> Int { count.add(1, ordering: .relaxed).newValue }
}
