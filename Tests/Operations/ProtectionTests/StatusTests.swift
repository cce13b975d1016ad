import Testing

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
