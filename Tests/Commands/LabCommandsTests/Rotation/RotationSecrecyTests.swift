import Foundation
import Testing

/// A password that rotation makes shows nowhere but where it is kept; a killed rotation leaves no key that nobody knows.
@Suite(.enabled(if: RotationBench.canJudge, "needs the built binary and stock restic below $PEERS"))
struct RotationSecrecyTests {
    @Test(.enabled(if: RotationBench.hasStrace, "needs strace"))
    func `S-01 S-02 S-03 S-07 a new password is in no argument, environment, output, log or record`() throws {
        let bench = try RotationBench(reference: "command:cat secrets/shared")
        let trace = bench.folder + "/trace"
        let strace = [
            "strace", "-f", "-v", "-qq", "-s", "8192", "-e", "trace=execve,execveat", "-o", trace,
        ]
        // The command's path is relative to where it runs.
        let rotated = try bench.run(["secret", "rotate", "near", "-v", "--to", "file:secrets/new"], wrapper: strace)
        #expect(rotated.status == 0, "\(rotated.errors)")
        let json = try bench.run(["secret", "rotate", "far", "--json", "--to", "file:secrets/newer"])
        let checked = try bench.run(["secret", "check", "-v"])
        #expect(json.status == 0 && checked.status == 0)
        let executed = try bench.text("trace")
        #expect(executed.contains("\"cat\""))
        let said = Data((rotated.all + json.all + checked.all).utf8)
        for name in ["secrets/new", "secrets/newer"] {
            let password = String(try bench.text(name).dropLast())
            #expect(password.utf8.count == 64)
            #expect(!bench.finds(password, in: said))
            // The trace lies among the files; the journal, its emergency file and the repositories do too.
            for file in bench.files() {
                let content = FileManager.default.contents(atPath: "\(bench.folder)/\(file)") ?? Data()
                #expect(!bench.finds(password, in: content), "\(file)")
                #expect(!bench.finds(RotationBench.oldPassword, in: content), "\(file)")
            }
        }
        #expect(bench.files().contains { $0.hasPrefix("state/") && $0.contains("journal") })
        #expect(!bench.finds(RotationBench.oldPassword, in: said))
    }

    @Test func `killed at any moment, the old password opens, and every key's password is kept`() throws {
        let bench = try RotationBench()
        let oldKeys = bench.repositories.map { keys(bench, $0)[0] }
        var known = Set(oldKeys)
        let begun = Date()
        #expect(try bench.run(["secret", "rotate", "near"]).status == 0)
        let whole = Date().timeIntervalSince(begun)
        for _ in 0..<10 {
            let moment = Double.random(in: 0.05...(whole * 1.05))
            _ = try bench.run(["secret", "rotate", "near"], killedAfter: moment)
            for (repository, oldKey) in zip(bench.repositories, oldKeys) {
                let old = try bench.stock(repository, "secrets/shared", "--key-hint", oldKey, "cat", "config")
                #expect(old.status == 0, "after \(moment) s: \(old.errors)")
                for key in keys(bench, repository) where !known.contains(key) {
                    #expect(try isKept(key, bench, repository), "after \(moment) s: \(key)")
                    known.insert(key)
                }
            }
        }
        let last = try bench.run(["secret", "rotate", "near"])
        #expect(last.status == 0, "\(last.errors)")
        for repository in bench.repositories {
            #expect(try bench.stock(repository, "secrets/shared", "check").status == 0)
        }
    }

    private func keys(_ bench: RotationBench, _ repository: String) -> [String] {
        bench.names("\(repository)/keys").filter { !$0.contains("tmp") }
    }

    /// Whether one of the stored passwords opens just that key, the newest ones tried first.
    private func isKept(_ key: String, _ bench: RotationBench, _ repository: String) throws -> Bool {
        try bench.stored.sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }.contains { name in
            let listed = try bench.stock(repository, "secrets/\(name)", "--key-hint", key, "key", "list")
            return listed.output.contains("*\(key.prefix(8))")
        }
    }
}
