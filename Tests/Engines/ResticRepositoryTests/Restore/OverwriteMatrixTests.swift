import Bytes
import Foundation
import ObjectStorage
import ResticFormat
import Testing

import ResticRepository

/// Every mode of overwriting beside everything that may stand in the way (H-11).
@Suite struct OverwriteMatrixTests {
    private static let moment = 1_500_000_000
    private static let old = Array("what stood here".utf8)
    private static let right = Array("from the snapshot".utf8)

    /// What stands where an entry of the snapshot belongs.
    enum Obstacle: String, CaseIterable {
        case nothing, same, touched, older, newer, sameTime, longer, link, directoryLink, emptyFolder, fullFolder, pipe
        case twoNames
    }

    private static let files = Obstacle.allCases
    private static let folders: [Obstacle] = [.nothing, .older, .newer, .link, .directoryLink, .pipe, .fullFolder]
    private static let links: [Obstacle] = [.nothing, .older, .newer, .link, .emptyFolder, .fullFolder, .pipe]

    private struct Scene {
        let forged: ForgedRepository
        let tree: BlobID
        let snapshot: SnapshotID
    }

    private static func scene() async throws -> Scene {
        let forged = try await ForgedRepository()
        var entries: [ForgedEntry] = []
        for obstacle in files { entries.append(.file("/file-\(obstacle)", right)) }
        for obstacle in folders {
            entries.append(.directory("/folder-\(obstacle)"))
            entries.append(.file("/folder-\(obstacle)/inner", right))
        }
        for obstacle in links { entries.append(.symlink("/link-\(obstacle)", "the/right/way")) }
        for index in entries.indices { entries[index].modified = Timestamp(seconds: Int64(moment)) }
        let tree = try await forged.save(entries)
        return Scene(forged: forged, tree: tree, snapshot: try await forged.saveSnapshot(tree))
    }

    private static func place(_ obstacle: Obstacle, at path: String, _ arena: Arena) throws {
        let manager = FileManager.default
        func write(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: path)) }
        var modified = moment - 1000
        switch obstacle {
        case .nothing: return
        case .same:
            try write(right)
            modified = moment
        case .touched: try write(right)
        case .older: try write(old)
        case .newer:
            try write(old)
            modified = moment + 1000
        case .sameTime:
            try write([UInt8](repeating: 88, count: right.count))
            modified = moment
        case .longer:
            try write(right + old)
            modified = moment + 1000
        case .link: symlink(arena.outside + "/witness", path)
        case .directoryLink: symlink(arena.outside, path)
        case .emptyFolder: mkdir(path, 0o755)
        case .fullFolder:
            try manager.createDirectory(atPath: path + "/below", withIntermediateDirectories: true)
            try Data(old).write(to: URL(filePath: path + "/below/kept"))
        case .pipe: mkfifo(path, 0o644)
        case .twoNames:
            try write(old)
            link(path, arena.folder.path + "/other-name")
        }
        let times = [timespec(tv_sec: modified, tv_nsec: 0), timespec(tv_sec: modified, tv_nsec: 0)]
        utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW)
    }

    private static func arena() throws -> Arena {
        let arena = try Arena()
        for obstacle in files { try place(obstacle, at: arena.target + "/file-\(obstacle)", arena) }
        for obstacle in folders { try place(obstacle, at: arena.target + "/folder-\(obstacle)", arena) }
        for obstacle in links { try place(obstacle, at: arena.target + "/link-\(obstacle)", arena) }
        try arena.folder.write("deep/target/stranger", old)
        try arena.folder.write("deep/target/strangers/inner", old)
        return arena
    }

    /// Whether the mode lets something from the snapshot take the place.
    private static func isReplaced(_ obstacle: Obstacle, _ mode: OverwriteMode, delete: Bool) -> Bool {
        if obstacle == .nothing { return true }
        if obstacle == .fullFolder, !delete { return false }
        switch mode {
        case .always: return true
        case .ifChanged: return obstacle != .sameTime
        case .ifNewer:
            // A folder that was just filled has the time of now.
            return ![.newer, .sameTime, .longer, .same].contains(obstacle)
        case .never: return false
        }
    }

    private static func run(
        _ scene: Scene,
        _ arena: Arena,
        _ mode: OverwriteMode,
        delete: Bool,
        isDryRun: Bool = false
    ) async -> RestoreOutcome {
        await scene.forged.restore(scene.tree, to: arena.target) { request in
            request.overwrite = mode
            request.delete = delete
            request.isDryRun = isDryRun
        }
    }

    @Test(arguments: OverwriteMode.allCases, [false, true])
    func `H-11 nothing is destroyed without the mode that says so`(mode: OverwriteMode, delete: Bool) async throws {
        let scene = try await Self.scene()
        let arena = try Self.arena()
        let before = TreeListing(arena.target)
        let changes = try await arena.changes {
            let outcome = await Self.run(scene, arena, mode, delete: delete)
            #expect(outcome.error == nil, "\(outcome.text)")
            let found = TreeListing(arena.target)
            for obstacle in Self.files {
                let path = "/file-\(obstacle)"
                let isReplaced = Self.isReplaced(obstacle, mode, delete: delete)
                let entry = try #require(found.entries[path], "\(path)")
                if isReplaced {
                    #expect(entry.kind == S_IFREG && entry.content == Self.right, "\(path)")
                } else {
                    #expect(entry.kind == before.entries[path]?.kind, "\(path)")
                    #expect(entry.content == before.entries[path]?.content, "\(path)")
                }
            }
            for obstacle in Self.links {
                let path = "/link-\(obstacle)"
                // A link has no content that could be compared, so what is not newer or forbidden is replaced.
                let isReplaced = Self.isReplaced(obstacle, mode, delete: delete)
                let kind = isReplaced ? S_IFLNK : before.entries[path]?.kind
                #expect(found.entries[path]?.kind == kind, "\(path)")
            }
            for obstacle in Self.folders where obstacle != .fullFolder {
                let path = "/folder-\(obstacle)"
                let isReplaced = Self.isReplaced(obstacle, mode, delete: delete)
                #expect(found.entries[path]?.kind == (isReplaced ? S_IFDIR : before.entries[path]?.kind), "\(path)")
                #expect(found.entries[path + "/inner"]?.content == (isReplaced ? Self.right : nil), "\(path)/inner")
                if !isReplaced { #expect(outcome.log.failedPaths.contains(path + "/inner"), "\(path)/inner") }
            }
            #expect((found.entries["/folder-fullFolder/below/kept"] == nil) == delete)
            #expect((found.entries["/stranger"] == nil) == delete)
            #expect((found.entries["/strangers/inner"] == nil) == delete)
            // What was not replaced because a folder stood there is told.
            let mayReplace = mode == .always || mode == .ifChanged
            if mayReplace, !delete {
                #expect(outcome.log.failedPaths.isSuperset(of: ["/file-fullFolder", "/link-fullFolder"]))
            }
        }
        #expect(changes.isEmpty, "\(changes)")
    }

    @Test(arguments: OverwriteMode.allCases, [false, true])
    func `H-11 a dry run tells what the real run then does`(mode: OverwriteMode, delete: Bool) async throws {
        let scene = try await Self.scene()
        let arena = try Self.arena()
        let before = arena.folder
        let listing = TreeListing(before.path)
        let dry = await Self.run(scene, arena, mode, delete: delete, isDryRun: true)
        #expect(TreeListing(before.path).differences(from: listing).isEmpty, "a dry run changes nothing")
        let real = await Self.run(scene, arena, mode, delete: delete)
        #expect(dry.log.failedPaths == real.log.failedPaths)
        let (told, done) = (Set(dry.log.completed), Set(real.log.completed))
        #expect(told == done, "only told: \(told.subtracting(done)); only done: \(done.subtracting(told))")
        #expect(dry.result?.progress == real.result?.progress)
    }

    /// Where restic 0.19.1 does what nobody wants, we do not.
    ///
    /// - it removes what stands where a folder belongs in every mode,
    /// - it leaves a filled folder where a file belongs, and gives it the file's time and mode,
    /// - it leaves a filled folder where a link belongs, even with `--delete`, which removes it where a file belongs.
    private static func isOurChoice(_ path: String, _ mode: OverwriteMode, delete: Bool) -> Bool {
        if mode != .never, !delete, path == "/file-fullFolder" { return true }
        if mode != .never, delete, path.hasPrefix("/link-fullFolder") { return true }
        let kept: [Obstacle] = mode == .never ? folders : mode == .ifNewer ? [.newer] : []
        return kept.contains { path == "/folder-\($0)" || path == "/folder-\($0)/inner" }
    }

    @Test(.enabled(if: StockRestic.isInstalled), arguments: OverwriteMode.allCases, [false, true])
    func `H-11 every cell ends as with stock restic 0.19.1`(mode: OverwriteMode, delete: Bool) async throws {
        let scene = try await Self.scene()
        let repository = TestFolder()
        try repository.write(scene.forged.store)
        let (ours, stock) = (try Self.arena(), try Self.arena())
        // restic 0.19.1 opens a pipe that stands where a file belongs, and waits for ever.
        for arena in [ours, stock] { unlink(arena.target + "/file-\(Obstacle.pipe)") }
        _ = await Self.run(scene, ours, mode, delete: delete)
        let run = try StockRestic.run(
            ["restore", "\(scene.snapshot.hex)", "--target", stock.target, "--overwrite", mode.rawValue]
                + (delete ? ["--delete"] : []),
            repository: repository.path
        )
        #expect(run.status == 0 || run.status == 1, "\(run.errors)")
        let (left, right) = (TreeListing(ours.target), TreeListing(stock.target))
        let paths = Set(left.entries.keys).union(right.entries.keys)
        for path in paths.sorted() where !Self.isOurChoice(path, mode, delete: delete) {
            let entries = [left, right].map { Self.comparable($0.entries[path], at: path) }
            #expect(entries[0] == entries[1], "\(path): ours against stock's\n\(run.errors)")
        }
    }

    /// Without what differs between two arenas, too: times of this test, and where links to the outside lead.
    private static func comparable(_ entry: TreeListing.Entry?, at path: String) -> TreeListing.Entry? {
        var entry = entry
        if path.contains("tranger") || path.contains("/below") { entry?.modified = [] }
        if entry?.kind == S_IFLNK { entry?.content = [] }
        return entry
    }
}
