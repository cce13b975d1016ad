import Bytes
import Foundation
import HostSystem
import ObjectStorage
import Testing

import ResticRepository

/// What a directory hands to files that are made in it does not stay on restored files.
@Suite struct InheritedAttributesTests {
    /// u::rwx u:1234:rwx g::r-x m::rwx o::r-x, as the kernel keeps it.
    private static let accessList: [UInt8] =
        [2, 0, 0, 0]
        + [(1, 7, UInt32.max), (2, 7, 1234), (4, 5, .max), (16, 7, .max), (32, 5, .max)].flatMap {
            (tag, permissions, id) in
            [tag, 0, permissions, 0].map { UInt8($0) } + withUnsafeBytes(of: id.littleEndian) { Array($0) }
        }

    @Test func `G-10 files in a directory with a default access list get what the snapshot says and nothing more`()
        async throws
    {
        let target = TestFolder()
        let folder = try Directory.open(target.bytes)
        do { try folder.setAttribute("system.posix_acl_default", to: Self.accessList, of: nil) } catch {
            print("SKIP inherited attributes: \(target.path) takes no access list: \(error)")
            return
        }
        let forged = try await ForgedRepository()
        let entries: [ForgedEntry] = [
            .file("/plain", Array("one".utf8)), .file("/private", Array("two".utf8), mode: 0o600),
            .directory("/dir"), .file("/dir/inner", Array("three".utf8)), .file("/dir/empty"),
        ]
        let outcome = await forged.restore(try await forged.save(entries), to: target.path)
        #expect(outcome.isSuccess, "\(outcome.text)")
        for (name, mode) in [("plain", 0o644), ("private", 0o600), ("dir/inner", 0o644), ("dir/empty", 0o644)] {
            let file = try Directory.open(target.bytes).openFileBeneath(ByteString(name))
            let names = try file.attributeNames()
            #expect(!names.contains("system.posix_acl_access"), "\(name) has \(names.map(\.display))")
            #expect(try file.status().permissions == UInt32(mode), "\(name)")
        }
    }
}
