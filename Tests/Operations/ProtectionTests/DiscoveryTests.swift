import Foundation
import Testing

import Protection
import Strategy
import TestSupport

@Suite struct DiscoveryTests {
    /// A made-up host in a folder.
    private final class Host {
        let root = FileManager.default.temporaryDirectory.path + "/host-\(UUID().uuidString)"

        deinit { try? FileManager.default.removeItem(atPath: root) }

        func file(_ path: String, _ content: String = "x") throws {
            let url = URL(fileURLWithPath: root + path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(content.utf8).write(to: url)
        }

        func found(leaving: [String] = [], below named: [String] = []) -> [FoundItem] {
            var discovery = HostDiscovery(root: root, leaving: leaving)
            return discovery.run(below: named).items
        }
    }

    @Test func `folders, projects, volumes and databases are found, each for what it is`() throws {
        let host = Host()
        try host.file("/etc/hosts")
        try host.file("/home/ann/notes.txt")
        try host.file("/opt/stacks/media/compose.yaml")
        try host.file("/opt/stacks/vault/docker-compose.yml")
        try host.file("/opt/stacks/vault/data/db.sqlite3", "SQLite format 3\0…")
        try host.file("/opt/stacks/vault/data/rsa_key.pem")
        try host.file("/srv/app/app.db", "SQLite format 3\0…")
        try host.file("/srv/app/not.db", "nothing of the kind")
        try host.file("/var/lib/docker/volumes/pg/_data/PG_VERSION", "15")
        try host.file("/var/lib/docker/volumes/pg/_data/base/1")
        let found = host.found()
        func kinds(_ path: String) -> [FoundItem.Kind] { found.filter { $0.path == path }.map(\.kind) }
        #expect(kinds("/etc") == [.folder])
        #expect(kinds("/home/ann") == [.home])
        #expect(kinds("/opt/stacks/media") == [.composeProject])
        #expect(kinds("/opt/stacks/vault") == [.composeProject])
        #expect(kinds("/opt/stacks/vault/data") == [.vault])
        #expect(kinds("/srv/app") == [.folder, .database])
        #expect(found.contains { $0.what == "SQLite (app.db)" })
        #expect(kinds("/var/lib/docker/volumes/pg") == [.volumes])
        #expect(kinds("/var/lib/docker/volumes/pg/_data") == [.database])
    }

    @Test func `paths that somebody named are searched, too, wherever they lie`() throws {
        let host = Host()
        try host.file("/data/apps/vw/compose.yaml")
        try host.file("/data/apps/vw/data/db.sqlite3", "SQLite format 3\0…")
        try host.file("/data/apps/vw/data/rsa_key.pem")
        #expect(host.found().isEmpty)
        let found = host.found(below: ["/data/apps"])
        #expect(found.map(\.kind) == [.composeProject, .vault, .folder])
        #expect(found.map(\.path) == ["/data/apps/vw", "/data/apps/vw/data", "/data/apps"])
    }

    @Test func `folders of our own are not found`() throws {
        let host = Host()
        try host.file("/srv/holdfast/media/x")
        try host.file("/srv/data/x")
        #expect(host.found(leaving: ["/srv/holdfast"]).map(\.path) == ["/srv/data"])
    }

    @Test func `coverage names who protects, why excluded, what is undecided`() throws {
        let text = """
            lab: test
            media: { a: { path: /m } }
            repositories: { r: { medium: a, password: "file:/p" } }
            protect:
              - { name: host, host: { paths: [/etc, /srv], exclude: ["*.tmp"] }, to: r }
              - { name: deep, host: { paths: [/opt/stacks/vault] }, to: r }
            exclude: [{ paths: [/srv/scratch], because: "rebuilt" }]
            retired: [{ name: old, because: "sold" }]
            """
        let rules = DeclarationRules(
            load: { path throws(StrategyProblem) in throw StrategyProblem(Place(file: path), what: "", next: "") },
            patternProblem: { _ in nil }
        )
        let lab = try readDeclaration(DeclarationFile(name: "f", folder: "/", bytes: Array(text.utf8)), rules)
        let items = [
            "/etc", "/srv/app", "/srv/scratch/build", "/srv/x.tmp", "/opt/stacks", "/opt/stacks/vault/data",
            "/home/ann",
        ]
        .map { FoundItem(.folder, path: $0, what: "") }
        let coverage = Coverage(items, lab: lab) { _, path in path.hasSuffix(".tmp") }
        #expect(
            coverage.entries.map(\.verdict) == [
                .protected(by: "host"), .protected(by: "host"), .excluded(because: "rebuilt"), .undecided,
                .partly(by: "deep"), .protected(by: "deep"), .undecided,
            ]
        )
        #expect(coverage.retired.map(\.name) == ["old"])
    }
}
