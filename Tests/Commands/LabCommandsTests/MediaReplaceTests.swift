import Console
import Foundation
import Spawning
import Testing

import Bytes
import HostSystem
import LabCommands

private func shell(_ line: String) -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", line]
    guard (try? process.start()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
}

private let canMount = isSuperuser && shell("command -v mkfs.ext4 >/dev/null")

/// A new disk for a removable medium whose identity was never declared.
@Suite(.serialized) struct MediaReplaceTests {
    /// A lab with disks in images, at most one of them mounted.
    private final class Bench {
        let root = NSTemporaryDirectory() + "replace-\(UUID().uuidString)"

        init(medium: String) throws {
            for folder in ["near", "usb", "source"] {
                try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
            }
            try "content".write(toFile: root + "/source/file", atomically: false, encoding: .utf8)
            try """
            lab: home   # of müller
            state: state
            media:
              near: { path: near }
            \(medium)
            repositories:
              one: { medium: near, password: "file:one.password" }
              two: { medium: usb, password: "file:two.password" }
            protect: [{ host: { paths: [source] }, to: [one, two], backup: { schedule: "02:00" } }]
            """.write(toFile: file, atomically: false, encoding: .utf8)
        }

        deinit {
            _ = unmount()
            try? FileManager.default.removeItem(atPath: root)
        }

        var file: String { root + "/holdfast.yaml" }
        var text: String { get throws { try String(contentsOfFile: file, encoding: .utf8) } }

        /// Makes a file system, mounts it, and returns its UUID.
        func mount(_ name: String) throws -> String {
            let image = "\(root)/\(name).img"
            _ = FileManager.default.createFile(atPath: image, contents: nil)
            try #require(truncate(image, 64 << 20) == 0)
            try #require(shell("mkfs.ext4 -q -F \(image) && mount -o loop \(image) \(root)/usb"))
            return try #require(try DiskSources().identity(of: ByteString(root + "/usb"))?.uuid.text)
        }

        func unmount() -> Bool { shell("umount -l \(root)/usb 2>/dev/null") }

        func holdfast(_ arguments: String...) async -> (status: Int32, output: String, errors: String) {
            let (output, errors) = (MemorySink(), MemorySink())
            let screen = Screen(facts: TerminalFacts(), output: output, error: errors)
            let status = await runLab(arguments: arguments + ["--config", file], screen: screen)
            return (status, output.text, errors.text)
        }
    }

    @Test(
        .enabled(if: canMount, "needs root and mkfs.ext4"),
        arguments: [
            "  usb: { kind: removable, path: usb }",
            "  usb: # the blue one\n    # it travels\n    kind: removable\n    path: usb",
        ]
    )
    func `B-10 the identity of the new disk is declared, and another one is refused from then on`(medium: String)
        async throws
    {
        let bench = try Bench(medium: medium)
        let before = try bench.text
        _ = try bench.mount("dead")
        #expect(await bench.holdfast("run", "--all").status == 0)
        try #require(bench.unmount())
        let uuid = try bench.mount("first")
        let replaced = await bench.holdfast("media", "replace", "usb")
        #expect(replaced.status == 0, "\(replaced.errors)")
        #expect(
            replaced.output.contains("usb: identity \(uuid) in \(bench.file), where none was"),
            "\(replaced.output)"
        )
        let after = try bench.text
        let pinned = "identity: \"\(uuid)\""
        #expect(after.contains(pinned))
        // Without it the file is what it was.
        let rest =
            medium.contains("{")
            ? after.replacing(" \(pinned),", with: "") : after.replacing("    \(pinned)\n", with: "")
        #expect(rest == before)
        #expect(await bench.holdfast("config", "check").status == 0)
        #expect(await bench.holdfast("run", "--all").status == 0)
        try #require(bench.unmount())
        _ = try bench.mount("second")
        let refused = await bench.holdfast("run", "--all")
        #expect(refused.status == 21 && refused.errors.contains("E-FOREIGN"), "\(refused.errors)")
    }

    @Test func `B-09 a removable medium without a disk below it is refused, and nothing is changed`() async throws {
        let bench = try Bench(medium: "  usb: { kind: removable, path: usb }")
        let place = try DiskSources().identity(of: ByteString(bench.root))
        guard place?.mount.point == "/" else { return }
        let before = try bench.text
        let refused = await bench.holdfast("media", "replace", "usb")
        #expect(refused.status == 21, "\(refused.errors)")
        #expect(refused.errors.contains("no disk is mounted there whose file system can be told"))
        #expect(try bench.text == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: bench.root + "/usb").isEmpty)
    }
}
