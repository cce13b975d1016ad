import Bytes
import Foundation
import ObjectStorage
import ResticFormat
import Testing

import ResticRepository

/// A restore never writes into what it reads from, whatever the path says (H-14).
@Suite(.enabled(if: BuiltBinary.isBuilt)) struct ProtectedTargetTests {
    private static func scene(_ entries: [ForgedEntry], in folder: TestFolder) async throws -> (String, SnapshotID) {
        let forged = try await ForgedRepository()
        let snapshot = try await forged.saveSnapshot(try await forged.save(entries))
        let repository = TestFolder()
        try repository.write(forged.store)
        let path = folder.path + "/repository"
        try FileManager.default.moveItem(atPath: repository.path, toPath: path)
        return (path, snapshot)
    }

    /// What the repository holds, without the locks that come and go.
    private static func content(_ repository: String) -> TreeListing {
        var listing = TreeListing(repository) { $0.hasPrefix("/locks/") }
        listing.entries["/locks"] = nil
        return listing
    }

    @Test func `H-14 a target in the repository or the cache is refused, however it is spelt`() async throws {
        let folder = TestFolder()
        let (repository, snapshot) = try await Self.scene([.file("/a", [1, 2, 3])], in: folder)
        let cache = folder.path + "/cache"
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: false)
        symlink(repository, folder.path + "/link")
        symlink("repository/keys", folder.path + "/deep-link")
        mkdir(folder.path + "/mount", 0o755)
        let before = Self.content(repository)
        let targets = [
            repository, repository + "/", repository + "/keys", repository + "/not/yet/there",
            folder.path + "/./repository/../repository/keys", folder.path + "/link", folder.path + "/link/new",
            folder.path + "/deep-link", folder.path + "/deep-link/new", cache, cache + "/new",
        ]
        for target in targets {
            let run = try BuiltBinary.restic(
                ["restore", snapshot.hex, "--target", target],
                repository: repository,
                cache: cache
            )
            #expect(run.status == 1 && run.errors.contains("inside the repository"), "\(target): \(run)")
            #expect(Self.content(repository) == before, "\(target)")
            #expect(!TreeListing(cache).entries.keys.contains { $0.hasSuffix("/a") || $0.hasSuffix("/new") })
        }
        let bound = [
            "unshare", "--mount", "sh", "-c", "mount --bind '\(repository)' '\(folder.path)/mount' && exec \"$@\"",
            "sh",
        ]
        let mayMount = try BuiltBinary.restic(["version"], repository: repository, wrapper: bound).status == 0
        guard mayMount else { return print("H-14 SKIP: no mount namespaces here, so no bind mount was tried") }
        for target in ["/mount", "/mount/new", "/mount/data"] {
            let run = try BuiltBinary.restic(
                ["restore", snapshot.hex, "--target", folder.path + target],
                repository: repository,
                wrapper: bound
            )
            #expect(run.status == 1 && run.errors.contains("inside the repository"), "\(target): \(run)")
            #expect(Self.content(repository) == before, "\(target)")
        }
    }

    @Test func `H-14 a repository inside the target is neither written to nor removed`() async throws {
        let entries: [ForgedEntry] = [
            .file("/a", [1, 2, 3]), .directory("/repository"), .file("/repository/config", [6]),
            .directory("/repository/keys"), .file("/repository/keys/evil", [7]),
        ]
        let folder = TestFolder()
        let (repository, snapshot) = try await Self.scene(entries, in: folder)
        try folder.write("stranger", [9])
        let before = Self.content(repository)
        let run = try BuiltBinary.restic(
            ["restore", snapshot.hex, "--target", folder.path, "--delete"],
            repository: repository
        )
        #expect(run.status == 1 && run.errors.contains("is the repository"), "\(run)")
        #expect(Self.content(repository) == before)
        #expect(folder.read("a") == [1, 2, 3] && !folder.exists("stranger"))
        // Neither does it go when the snapshot does not know it.
        let elsewhere = TestFolder()
        let (other, without) = try await Self.scene([.file("/b", [1])], in: elsewhere)
        try FileManager.default.createDirectory(atPath: folder.path + "/kept", withIntermediateDirectories: false)
        let inside = folder.path + "/kept/moved"
        try FileManager.default.moveItem(atPath: other, toPath: inside)
        let kept = Self.content(inside)
        let second = try BuiltBinary.restic(
            ["restore", without.hex, "--target", folder.path, "--delete"],
            repository: inside
        )
        #expect(second.status == 1 && second.errors.contains("is the repository"), "\(second)")
        #expect(Self.content(inside) == kept)
        #expect(folder.read("b") == [1] && !folder.exists("a"))
    }
}
