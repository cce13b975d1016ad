import Foundation
import Spawning
import Testing

import Bytes
import HostSystem
import LabCommands

/// A source folder and a copy of it below another folder, both removed afterwards.
private struct Pair: ~Copyable {
    let root: String
    var source: String { root + "/source" }
    var copy: String { root + "/restored" }

    init() throws {
        root = FileManager.default.temporaryDirectory.path + "/holdfast-compare-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: root + "/source/folder", withIntermediateDirectories: true)
        for name in ["one", "two", "folder/three"] {
            try Data("content of \(name)".utf8).write(to: URL(fileURLWithPath: root + "/source/" + name))
        }
        try FileManager.default.createSymbolicLink(atPath: root + "/source/link", withDestinationPath: "one")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/cp")
        process.arguments = ["-a", root + "/source", root + "/restored"]
        try process.start()
        process.waitUntilExit()
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func compare(since: Timestamp = Timestamp(seconds: 1 << 40)) throws -> TreeComparison {
        try TreeComparer(restored: ByteString(copy), source: ByteString(source), since: since).run()
    }
}

@Suite struct TreeComparisonTests {
    @Test func `an equal copy is equal in every file`() throws {
        let found = try Pair().compare()
        #expect(found.files == 4)
        #expect(found.equal == 4)
        #expect(found.differing.isEmpty)
        #expect(found.changedSince.isEmpty)
    }

    @Test func `H-10 one changed byte under the same size and time is found`() throws {
        let pair = try Pair()
        let path = pair.copy + "/two"
        let attributes = try FileManager.default.attributesOfItem(atPath: pair.source + "/two")
        try Data("content of twx".utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes(
            [.modificationDate: attributes[.modificationDate] as Any],
            ofItemAtPath: path
        )
        let status = try status(at: ByteString(pair.source + "/two"))
        let file = try Directory.open(ByteString(pair.copy))
        try file.setTimes(accessed: status.accessed, modified: status.modified, of: "two")
        let found = try pair.compare()
        #expect(found.differing.map(\.what) == ["has other content"])
        #expect(found.differing.map(\.path) == [ByteString(pair.source + "/two")])
    }

    @Test func `a source that was changed or removed since is named as such and not as damage`() throws {
        let pair = try Pair()
        try Data("another content".utf8).write(to: URL(fileURLWithPath: pair.source + "/two"))
        try FileManager.default.removeItem(atPath: pair.source + "/one")
        let found = try pair.compare(since: Timestamp(seconds: 0))
        #expect(Set(found.changedSince) == [ByteString(pair.source + "/one"), ByteString(pair.source + "/two")])
        #expect(found.differing.isEmpty)
    }

    @Test func `another target of a link and another mode are found`() throws {
        let pair = try Pair()
        try FileManager.default.removeItem(atPath: pair.copy + "/link")
        try FileManager.default.createSymbolicLink(atPath: pair.copy + "/link", withDestinationPath: "two")
        // Set on both sides: other tests of this process may have changed its umask.
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: pair.source + "/one")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: pair.copy + "/one")
        #expect(try Set(pair.compare().differing.map(\.what)) == ["points elsewhere", "has mode 755, had 644"])
    }
}

@Suite struct ScratchRemovalTests {
    @Test func `a deep tree with links and locked folders goes, and nothing that the links point to`() throws {
        let root = FileManager.default.temporaryDirectory.path + "/holdfast-remove-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createDirectory(atPath: root + "/outside", withIntermediateDirectories: true)
        try Data("kept".utf8).write(to: URL(fileURLWithPath: root + "/outside/kept"))
        var path = root + "/scratch"
        for level in 0..<40 { path += "/level-\(level)" }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: path + "/out", withDestinationPath: root + "/outside")
        try FileManager.default.createDirectory(atPath: root + "/scratch/locked/in", withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: root + "/scratch/locked")
        let directory = try Directory.open(ByteString(root))
        try removeTree("scratch", in: directory)
        #expect(try !directory.exists("scratch"))
        #expect(FileManager.default.fileExists(atPath: root + "/outside/kept"))
    }
}
