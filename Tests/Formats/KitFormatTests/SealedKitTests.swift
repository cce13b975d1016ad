import Bytes
import Foundation
import KitFormat
import Outcome
import Sealing
import Spawning
import Testing

/// The seed of all random tests here: `TEST_SEED`, or a fixed one.
let testSeed = ProcessInfo.processInfo.environment["TEST_SEED"].flatMap { UInt64($0) } ?? 20_261_122

/// A kit under a passphrase.
@Suite struct SealedKitTests {
    private static let passphrase = "correct horse battery staple apple tree"

    private static func sealed() throws -> SealedKit {
        try SealedKit(
            KitSamples.usual,
            passphrase: Secret(text: passphrase),
            cost: .cheapForTests,
            entropy: SeededEntropy(seed: 3)
        )
    }

    @Test func `the right passphrase opens it, another one does not, and nothing of it can be read without`() throws {
        let text = KitPage.text(try Self.sealed())
        guard case .sealed(let read) = try KitReader.read(text) else {
            Issue.record("is not read as sealed")
            return
        }
        #expect(read.serial == "4F7K-2M9P" && read.holders == KitSamples.usual.holders)
        #expect(try read.open(passphrase: Secret(text: Self.passphrase))?.kit.text == KitSamples.usual.text)
        #expect(try read.open(passphrase: Secret(text: Self.passphrase + " ")) == nil)
        let shown = text.withBytes { String(decoding: $0, as: UTF8.self) }
        for word in ["3f9a 1c77", "host-usb", "docker-srv", "vault.example"] { #expect(!shown.contains(word)) }
    }

    @Test func `a wrong letter in sealed data names its line`() throws {
        let text = KitPage.text(try Self.sealed()).withBytes { String(decoding: $0, as: UTF8.self) }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let index = try #require(lines.firstIndex { $0.contains(" data: ") })
        var spoilt = lines
        let letter = lines[index].contains("A") ? ("A", "B") : ("B", "C")
        spoilt[index] = lines[index].replacing(letter.0, with: letter.1, maxReplacements: 1)
        let number = lines[index].split(separator: " ").first.flatMap { Int($0) }
        #expect {
            try KitReader.read(Secret(text: spoilt.joined(separator: "\n")))
        } throws: { error in
            (error as? KitTextError)?.problems.map(\.line) == [number]
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
    func `openssl opens it by the words on the page`() throws {
        let folder = NSTemporaryDirectory() + "sealed-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let text = KitPage.text(try Self.sealed()).withBytes { String(decoding: $0, as: UTF8.self) }
        let lines = text.split(separator: "\n").map(String.init)
        for key in ["salt", "data"] {
            let typed = lines.filter { $0.contains(" \(key): ") }.map { line in
                line.split(separator: " ").dropFirst(2).dropLast().joined()
            }
            try typed.joined(separator: "\n").write(toFile: "\(folder)/\(key).txt", atomically: false, encoding: .utf8)
        }
        let start = try #require(lines.firstIndex { $0.contains("hex()") })
        let script = lines[start...].joined(separator: "\n").replacing("PASSPHRASE", with: Self.passphrase)
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/bash")
        shell.arguments = ["-e", "-c", script]
        shell.currentDirectoryURL = URL(filePath: folder)
        try shell.start()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0)
        #expect(try String(contentsOfFile: "\(folder)/kit.txt", encoding: .utf8) == KitSamples.usual.text)
    }
}
