import Foundation
import Testing

import Outcome
import Protection
import ResticRepository
import Strategy
import TestSupport

/// What a path set takes in, and what is said of one that takes in nothing.
@Suite struct SourceTests {
    private func files(_ lab: TestLab) throws -> UInt64? {
        LedgerFile.read("\(lab.root)/state")?.workloads["host"]?.size?.files
    }

    @Test func `G-16 files beside our repositories on a medium are in the backup`() async throws {
        let lab = try TestLab { $0.replacing("paths: [source]", with: "paths: [source, media/usb-ssd/photos]") }
        for number in 0..<20 { try lab.write("media/usb-ssd/photos/\(number)", "photo \(number)") }
        #expect(try await lab.run().exitStatus == .success)
        #expect(try files(lab) == 60)
        #expect(try await lab.run().exitStatus == .success)
        #expect(try files(lab) == 60)
    }

    @Test func `our repositories stay out by whatever path they are reached`() async throws {
        let lab = try TestLab {
            $0.replacing("path: media/os-ssd", with: "path: link")
                .replacing("paths: [source]", with: "paths: [source, media/os-ssd]")
        }
        try FileManager.default.createSymbolicLink(
            atPath: "\(lab.root)/link",
            withDestinationPath: "\(lab.root)/media/os-ssd"
        )
        try lab.write("media/os-ssd/beside", "somebody's")
        for _ in 0..<3 {
            #expect(try await lab.run().exitStatus == .success)
            #expect(try files(lab) == 41)
        }
    }

    @Test func `G-16 a path that is a symbolic link is amber, and warned of`() async throws {
        let lab = try TestLab { $0.replacing("paths: [source]", with: "paths: [link]") }
        try FileManager.default.createSymbolicLink(atPath: "\(lab.root)/link", withDestinationPath: "source")
        try await lab.run()
        #expect(lab.warnings.all.contains { $0.contains("/link is a symbolic link to source") })
        let problems = try await lab.status().problems.filter { $0.kind == .linked }
        #expect(problems.count == 1 && problems[0].severity == .amber && problems[0].object == "host")
    }

    @Test func `G-16 copies without a file in them are amber until there is one`() async throws {
        let lab = try TestLab { $0.replacing("paths: [source]", with: "paths: [empty]") }
        try lab.makeFolder("empty")
        try await lab.run()
        #expect(try await lab.status().problems.contains { $0.kind == .hollow && $0.severity == .amber })
        try lab.write("empty/file", "content")
        lab.clock.advance(86_400)
        try await lab.run()
        #expect(try await lab.status().problems.allSatisfy { $0.kind != .hollow })
    }

    @Test func `G-16 a source of which everything is excluded is amber`() async throws {
        let lab = try TestLab { $0.replacing("paths: [source]", with: "paths: [source], exclude: [\"*\"]") }
        try await lab.run()
        #expect(try await lab.status().problems.contains { $0.kind == .hollow })
    }

    @Test func `F-06 a schedule whose last date is past is amber`() async throws {
        let lab = try TestLab { $0.replacing("schedule: \"02:00\"", with: "schedule: \"2020-01-01 02:00\"") }
        try await lab.run()
        #expect(try await lab.status().problems.contains { $0.kind == .noSchedule && $0.what.contains("never due") })
    }
}
