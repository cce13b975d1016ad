import Bytes
import Foundation
import HostSystem
import ObjectStorage
import Testing

/// Reads for a proof: they come from the disk, and not out of what memory keeps of a write.
@Suite struct LocalMediumTests {
    private let scratch = Scratch()

    /// Changes one byte of what a disk holds, below its file system; false when its bytes are nowhere.
    private func spoil(_ content: [UInt8], at place: Int) throws -> Bool {
        let image = "\(scratch.path)/disk"
        let disk = try Data(contentsOf: URL(fileURLWithPath: image), options: .alwaysMapped)
        guard let found = disk.range(of: Data(content[place..<place + 64])) else { return false }
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: image))
        try file.seek(toOffset: UInt64(found.lowerBound))
        try file.write(contentsOf: Data([content[place] ^ 1]))
        try file.synchronize()
        try file.close()
        return true
    }

    @Test func `B-13 a read for a proof sees what the disk has, which memory does not know`() async throws {
        guard scratch.mountDisk(for: "B-13") else { return }
        var random = SplitMix64(seed: 13)
        let content = random.bytes(5_000_000)
        let store = LocalStorage(ByteString("\(scratch.path)/mnt/repo"), entropy: SeededBytes(3))
        try await store.prepare()
        try await store.put(.config, Block(Array("config".utf8)))
        try await store.put(name(.pack, 1), Block(content))
        let limited = LimitedStorage(store, uploadBytesPerSecond: 0, downloadBytesPerSecond: 0, time: SystemTime())
        #expect(try await limited.fromMedium.get(name(.pack, 1)).bytes == content)
        // The kernel has it in memory again.
        #expect(try await store.get(name(.pack, 1)).bytes == content)
        var spoilt = content
        for (number, place) in [0, 70_000, 2_500_000, 4_999_000].enumerated() {
            try #require(try spoil(content, at: place))
            spoilt[place] ^= 1
            let medium = number % 2 == 0 ? store.fromMedium : limited.fromMedium
            let range = UInt64(place)..<UInt64(place + 1000)
            #expect(try await medium.get(name(.pack, 1), range: range).bytes == Array(spoilt[place..<place + 1000]))
        }
        #expect(try await store.fromMedium.get(name(.pack, 1)).bytes == spoilt)
    }

    @Test func `what keeps everything in memory is read all the same`() async throws {
        let store = try await scratch.preparedStore()
        try await store.fromMedium.put(name(.pack, 1), block("bytes"))
        #expect(try await store.fromMedium.get(name(.pack, 1), range: 1..<4).bytes == Array("yte".utf8))
        #expect(try await store.fromMedium.list(.pack).count == 1)
        #expect(store.fromMedium.isLocalDisk == store.isLocalDisk)
    }
}
