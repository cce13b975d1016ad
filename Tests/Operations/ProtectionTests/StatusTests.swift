import Foundation
import Testing

import Journal
import Protection
import Strategy
import TestSupport

/// The look at all stores of a lab.
@Suite struct StatusTests {
    private static let names = ["host-os", "host-usb", "offsite", "spare-1", "spare-2", "spare-3"]

    /// More repositories than are opened at a time.
    private static func lab() throws -> TestLab {
        let spares = names.suffix(3).map { "  \($0): { medium: cloud, password: \"file:secrets/\($0)\" }\n" }.joined()
        return try TestLab {
            $0.replacing("roles:\n", with: "\(spares)roles:\n")
                .replacing("to: [offsite, host-usb, host-os]", with: "to: [\(names.joined(separator: ", "))]")
        }
    }

    @Test func `repositories that are looked at side by side come in the order of the file, each with its own`()
        async throws
    {
        let lab = try Self.lab()
        try await lab.runDaily(2)
        let status = try await lab.status()
        #expect(status.repositories.map(\.store.name) == Self.names)
        #expect(status.repositories.allSatisfy { $0.failure == nil && $0.unreadable.isEmpty })
        #expect(status.workloads[0].copies.map(\.repository) == Self.names)
        #expect(status.workloads[0].copies.allSatisfy { $0.count == 2 && $0.remembered == nil })
    }

    @Test(arguments: [0, 3, 5])
    func `a repository that does not open is told alone, and the others are looked at and run to`(_ bad: Int)
        async throws
    {
        let lab = try Self.lab()
        try await lab.runDaily(2)
        try lab.move("secrets/\(Self.names[bad])", to: "taken")
        let status = try await lab.status()
        for (number, repository) in status.repositories.enumerated() {
            #expect((repository.failure != nil) == (number == bad), "\(repository.store.name)")
        }
        let report = try await lab.run()
        let proven = report.results(.readBack).filter { $0.value == "done" }.keys
        #expect(Set(proven) == Set(Self.names).subtracting([Self.names[bad]]))
        #expect(Set(report.results(.open).keys) == [Self.names[bad]])
    }

    @Test func `M-13 a journal that a newer program wrote is amber, with what is right all the same`() async throws {
        let lab = try TestLab()
        try await lab.run()
        let journal = try await lab.openJournal()
        #expect(try await !lab.status().problems.contains { $0.object == "journal" })
        await journal.close()
        // Schema 7 in the header of the file.
        let path = lab.root + "/state/journal.sqlite"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes.replaceSubrange(60..<64, with: [0, 0, 0, 7])
        try bytes.write(to: URL(fileURLWithPath: path))
        let status = try await lab.status()
        let problem = try #require(status.problems.first { $0.object == "journal" })
        #expect(problem.severity == .amber)
        #expect(
            problem.what.hasPrefix("was written by a newer holdfast (schema 7, this one knows 1): copies, ages and")
        )
        #expect(problem.next.hasPrefix("upgrade this holdfast"))
        let examined = try await Examination(try lab.environment).run().first { $0.object == "journal" }
        #expect(examined?.verdict == .doubtful && examined?.what == problem.what && examined?.next == problem.next)
        // Through a journal that is open, too.
        var environment = try lab.environment
        environment.journal = try await lab.openJournal()
        let looked = try await StatusInspection(environment, ledger: try lab.ledger()).run()
        #expect(looked.problems.contains { $0.what == problem.what })
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
    }

    @Test func `a snapshot that cannot be read is told, however many can`() async throws {
        let lab = try Self.lab()
        try await lab.runDaily(3)
        let folder = "media/cloud/offsite/snapshots"
        let name = try #require(lab.names(in: folder).first)
        try lab.remove("\(folder)/\(name)")
        try lab.write("\(folder)/\(name)", "rubbish")
        let status = try await lab.status()
        #expect(status.repositories.map(\.unreadable.count) == [0, 0, 1, 0, 0, 0] && status.isDamaged)
    }
}
