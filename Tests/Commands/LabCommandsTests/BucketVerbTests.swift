import Console
import Foundation
import Outcome
import Testing

import LabCommands

/// The verbs that look after buckets, as they are typed.
@Suite struct BucketVerbTests {
    private let path = NSTemporaryDirectory() + "bucket-\(UUID().uuidString)"

    private func run(_ arguments: String...) async throws -> (status: Int32, output: String, errors: String) {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try """
        lab: home
        media:
          os: { kind: internal, path: media/os }
          cloud: { kind: offsite, s3: { endpoint: "https://127.0.0.2:1", bucket: lab-dr, prefix: dr, lock: 30d }, credentials: "file:secrets/c" }
        repositories: { a: { medium: os, password: "file:secrets/a" }, b: { medium: cloud, password: "file:secrets/b" } }
        protect: [{ host: { paths: [/etc] }, to: [a, b], backup: { schedule: "02:00", keep: { daily: 7 } } }]
        """.write(toFile: path + "/holdfast.yaml", atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (output, errors) = (MemorySink(), MemorySink())
        let screen = Screen(facts: TerminalFacts(), output: output, error: errors)
        let status = await runLab(arguments: arguments + ["--config", path + "/holdfast.yaml"], screen: screen)
        return (status, output.text, errors.text)
    }

    @Test func `media policy prints four documents for a bucket, and refuses what is none`() async throws {
        let policy = try await run("media", "policy", "cloud")
        #expect(policy.status == 0, "\(policy.errors)")
        let titles = policy.output.split(separator: "\n").filter { $0.hasPrefix("# ") }
        #expect(titles.count == 4)
        #expect(policy.output.contains("arn:aws:s3:::lab-dr/dr/*/locks/*"))
        let refused = try await run("media", "policy", "os")
        #expect(refused.status == 1 && refused.errors.contains("name one of: cloud"), "\(refused.errors)")
    }

    @Test func `R-02 verbs that need a bucket, or a key of its own, say so and change nothing`() async throws {
        for (arguments, words) in [
            (["verify", "immutability", "os"], "is no bucket"), (["verify", "immutability", "clod"], "is no medium"),
            (["media", "prune", "cloud"], "has no credentials of its own for pruning"),
        ] {
            let refused = try await run(arguments[0], arguments[1], arguments[2])
            #expect(refused.status == 1 && refused.errors.contains(words), "\(refused.errors)")
            #expect(refused.errors.contains("state: nothing was"))
        }
        // No credentials, no server: what could not be tried proves nothing.
        let unknown = try await run("verify", "immutability", "cloud")
        #expect(unknown.status == 1 && !unknown.output.contains("immutable: yes"), "\(unknown.errors)")
    }
}
