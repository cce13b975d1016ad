import Bytes
import Foundation
import ObjectStorage
import ResticFormat
import Testing

import ResticRepository

/// Holes and what stands in the place already (H-12).
@Suite struct SparseRestoreTests {
    private static let part = 1 << 19
    /// Data, zeros, data, zeros: half of it can be holes.
    private static let parts: [[UInt8]] = [1, 0, 2, 0].map { [UInt8](repeating: $0, count: part) }
    private static let content = parts.flatMap { $0 }
    private static let moment = Timestamp(seconds: 1_500_000_000)

    enum Obstacle: String, CaseIterable { case nothing, identical, withHoles, preallocated, other, longer, half }

    private static func place(_ obstacle: Obstacle, at path: String) throws {
        if obstacle == .nothing { return }
        let file = open(path, O_RDWR | O_CREAT, 0o644)
        defer { close(file) }
        func put(_ bytes: [UInt8], _ offset: Int) {
            #expect(pwrite(file, bytes, bytes.count, off_t(offset)) == bytes.count)
        }
        switch obstacle {
        case .nothing: break
        case .identical: put(content, 0)
        case .withHoles:
            ftruncate(file, off_t(content.count))
            put(parts[0], 0)
            put(parts[2], 2 * part)
        case .preallocated: #expect(posix_fallocate(file, 0, off_t(content.count)) == 0)
        case .other: put([UInt8](repeating: 9, count: content.count), 0)
        case .longer: put([UInt8](repeating: 9, count: content.count * 2), 0)
        case .half: put(parts[0] + [UInt8](repeating: 9, count: part), 0)
        }
        fsync(file)
    }

    @Test(arguments: Obstacle.allCases, [false, true])
    func `H-12 the content is right whatever stood there, and holes are made or kept`(
        obstacle: Obstacle,
        isSparse: Bool
    ) async throws {
        let forged = try await ForgedRepository()
        let tree = try await forged.save([ForgedEntry(path: "/disk", kind: .file(Self.parts), modified: Self.moment)])
        let target = TestFolder()
        try Self.place(obstacle, at: target.path + "/disk")
        let before = TreeListing(target.path)
        let outcome = await forged.restore(tree, to: target.path) { $0.sparse = isSparse }
        #expect(outcome.isSuccess, "\(outcome.text)")
        #expect(target.read("disk") == Self.content)
        let file = open(target.path + "/disk", O_RDONLY)
        fsync(file)
        close(file)
        let after = TreeListing(target.path)
        let (full, half) = (Self.content.count / 512, Self.content.count / 1024)
        let blocks = try #require(after.blocks["/disk"])
        switch obstacle {
        case .identical, .withHoles:
            // Nothing differs, so nothing is touched: the same file with the same holes.
            #expect(after.inodes == before.inodes && after.blocks == before.blocks)
            #expect(outcome.result?.progress.bytesWritten == 0)
        case .preallocated:
            // Its zeros are right already and stay where they are.
            #expect(blocks >= full)
        case .nothing, .other, .longer, .half:
            #expect(isSparse ? blocks < half + 64 : blocks >= full, "\(blocks) blocks")
        }
        // A second run finds all of it right.
        let again = await forged.restore(tree, to: target.path) { $0.sparse = isSparse }
        #expect(again.isSuccess && again.result?.progress.bytesWritten == 0, "\(again.text)")
        #expect(TreeListing(target.path).blocks == after.blocks)
    }
}
