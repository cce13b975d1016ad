import Bytes
import ResticFormat
import Testing

@Suite struct PackHeaderTests {
    private let entries = [
        PackEntry(type: .data, length: 50, uncompressedLength: 0, id: BlobID(digest("a"))),
        PackEntry(type: .tree, length: 33, uncompressedLength: 0, id: BlobID(digest("b"))),
        PackEntry(type: .data, length: 0x0102_0304, uncompressedLength: 0x0a0b_0c0d, id: BlobID(digest("c"))),
        PackEntry(type: .tree, length: 32, uncompressedLength: 1, id: BlobID(digest("d"))),
    ]

    @Test func `a header has the layout of the specification`() throws {
        let encoded = PackHeader(entries).encode()
        let aa = [UInt8](repeating: 0xaa, count: 32)
        let cc = [UInt8](repeating: 0xcc, count: 32)
        #expect(encoded.count == 37 + 37 + 41 + 41 && PackHeader(entries).encodedSize == encoded.count)
        #expect(Array(encoded[..<37]) == [0, 50, 0, 0, 0] + aa)
        #expect(Array(encoded[74..<115]) == [2, 4, 3, 2, 1, 0x0d, 0x0c, 0x0b, 0x0a] + cc)
        #expect(encoded[37] == 1 && encoded[115] == 3)
        let total: UInt64 = 50 + 33 + 0x0102_0304 + 32
        #expect(try PackHeader.decode(encoded, blobBytes: total).entries == entries)
        #expect(PackHeader.lengthField(sealedSize: 0x0102) == [2, 1, 0, 0])
    }

    @Test func `I-04 a header length that cannot be is refused`() throws {
        let size: UInt64 = 10_000
        #expect(try PackHeader.sealedSize(lengthField: 69, packSize: size) == 69)
        #expect(try PackHeader.sealedSize(lengthField: 9996, packSize: size) == 9996)
        for length: UInt32 in [0, 1, 32, 68, 9997, 10_000, 1 << 31, (1 << 31) - 1, .max, (16 << 20) + 1] {
            #expect(throws: PackHeaderError.lengthOutOfRange(length)) {
                try PackHeader.sealedSize(lengthField: length, packSize: size)
            }
        }
        for size: UInt64 in [0, 1, 4, 72] {
            #expect(throws: PackHeaderError.fileTooShort(size)) {
                try PackHeader.sealedSize(lengthField: 69, packSize: size)
            }
        }
        #expect(throws: PackHeaderError.lengthOutOfRange((16 << 20) + 1)) {
            try PackHeader.sealedSize(lengthField: (16 << 20) + 1, packSize: .max)
        }
    }

    @Test func `I-01 and I-04 a header cut anywhere but between entries is refused`() throws {
        let encoded = PackHeader(entries).encode()
        for count in 0..<encoded.count {
            let result = try? PackHeader.decode(Array(encoded[..<count]), blobBytes: nil)
            #expect(result?.entries.count == [37: 1, 74: 2, 115: 3][count])
        }
    }

    @Test func `I-04 blobs that do not fill the file are refused`() {
        let encoded = PackHeader(Array(entries[..<2])).encode()
        for size: UInt64 in [0, 82, 84, .max] {
            #expect(throws: PackHeaderError.sumMismatch(entries: 83, file: size)) {
                try PackHeader.decode(encoded, blobBytes: size)
            }
        }
    }

    @Test func `I-04 unknown types, impossible lengths and null IDs are refused`() {
        func header(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
            var encoded = PackHeader(entries).encode()
            change(&encoded)
            return encoded
        }
        for type: UInt8 in [4, 5, 127, 255] {
            #expect(throws: PackHeaderError.unknownType(type, entry: 1)) {
                try PackHeader.decode(header { $0[37] = type }, blobBytes: nil)
            }
        }
        #expect(throws: PackHeaderError.impossibleLength(entry: 0)) {
            try PackHeader.decode(header { $0[1] = 31 }, blobBytes: nil)
        }
        #expect(throws: PackHeaderError.impossibleLength(entry: 2)) {
            try PackHeader.decode(header { for index in 79..<83 { $0[index] = 0 } }, blobBytes: nil)
        }
        #expect(throws: PackHeaderError.nullID(entry: 0)) {
            try PackHeader.decode(header { for index in 5..<37 { $0[index] = 0 } }, blobBytes: nil)
        }
    }

    @Test func `I-05 the largest lengths add up without overflow`() throws {
        let largest = PackEntry(type: .data, length: .max, uncompressedLength: .max, id: BlobID(digest("e")))
        let encoded = PackHeader(Array(repeating: largest, count: 1000)).encode()
        #expect(try PackHeader.decode(encoded, blobBytes: 1000 * UInt64(UInt32.max)).entries.count == 1000)
    }

    @Test func `the limits are restic's`() {
        #expect(PackHeader.entriesMax == 409_199 && PackHeader.eagerReadSize == 651 && PackHeader.packSizeMin == 73)
    }
}

@Suite struct IndexTests {
    @Test func `an index is written as restic writes it`() throws {
        var writer = IndexWriter()
        writer.append(
            pack: PackID(digest("1")),
            blobs: [
                IndexEntry(id: BlobID(digest("2")), type: .data, offset: 0, length: 42, uncompressedLength: 1),
                IndexEntry(id: BlobID(digest("3")), type: .tree, offset: 42, length: .max - 42, uncompressedLength: 0),
            ]
        )
        writer.append(pack: PackID(digest("4")), blobs: [])
        #expect(writer.blobCount == 2 && writer.packCount == 2)
        let document = writer.finish()
        #expect(
            text(document)
                == "{\"packs\":[{\"id\":\"\(digest("1").hex)\",\"blobs\":[{\"id\":\"\(digest("2").hex)\",\"type\":\"data\",\"offset\":0,\"length\":42,"
                + "\"uncompressed_length\":1},{\"id\":\"\(digest("3").hex)\",\"type\":\"tree\",\"offset\":42,\"length\":4294967253}]},"
                + "{\"id\":\"\(digest("4").hex)\",\"blobs\":[]}]}\n"
        )
        #expect(try IndexContents(document).encode() == document)
    }

    @Test func `keys in another order, white space, unknown keys and supersedes are tolerated`() throws {
        let document = """
            { "supersedes": ["x"], "packs": [ { "new": 1, "blobs": [
              { "type": "tree", "length": 40, "id": "\(digest("2").hex.uppercased())", "offset": 4294967000, "uncompressed_length": null, "z": {} },
              {"id":"\(digest("3").hex)","type":"data","offset":1000000000,"length":40,"uncompressed_length":4294967295},
              {"id":"\(digest("3").hex)","type":"data","offset":0 ,"length":40}
            ], "id": "\(digest("1").hex)" }, {"id":"\(digest("4").hex)","blobs":null} ] }
            """
        let contents = try IndexContents(bytes(document))
        #expect(contents.packs == [PackID(digest("1")), PackID(digest("4"))])
        #expect(contents.blobs.map(\.count) == [3, 0])
        #expect(
            contents.blobs[0][0]
                == IndexEntry(
                    id: BlobID(digest("2")),
                    type: .tree,
                    offset: 4_294_967_000,
                    length: 40,
                    uncompressedLength: 0
                )
        )
        #expect(contents.blobs[0][1].uncompressedLength == .max && contents.blobs[0][1].offset == 1_000_000_000)
    }

    @Test(arguments: [
        "{}", "[]", "{\"packs\":{}}", "{\"packs\":[{}]}", "{\"packs\":[{\"id\":\"#\",\"id\":\"#\"}]}",
        "{\"packs\":[],\"PaCKS\":[]}", "{\"packs\":[{\"id\":\"0\"}]}",
        "{\"packs\":[{\"id\":\"#\",\"blobs\":[],\"blobs\":[]}]}", "{\"packs\":[{\"id\":\"Z\"}]}",
        "{\"packs\":[{\"blobs\":[]}]}", "{\"packs\":[]}x", "{\"packs\":[],}",
        "{\"packs\":[{\"id\":null,\"blobs\":[]}]}",
    ])
    func `an index that cannot be trusted is refused`(document: String) {
        let full = document.replacing("#", with: digest("1").hex).replacing("Z", with: Digest.zero.hex)
        #expect(throws: FormatError.self) { try IndexContents(bytes(full)) }
    }

    @Test(arguments: [
        "{\"id\":\"B\",\"type\":\"data\",\"offset\":0,\"length\":31}", "{\"id\":\"B\",\"type\":\"data\",\"offset\":0}",
        "{\"id\":\"B\",\"offset\":0,\"length\":40}",
        "{\"id\":\"B\",\"type\":\"data\",\"offset\":4294967296,\"length\":40}",
        "{\"id\":\"B\",\"type\":\"data\",\"offset\":-1,\"length\":40}",
        "{\"id\":\"B\",\"type\":\"data\",\"offset\":4294967290,\"length\":40}",
        "{\"id\":\"B\",\"type\":\"Data\",\"offset\":0,\"length\":40}",
        "{\"id\":\"B\",\"type\":\"data\",\"offset\":0,\"length\":040}",
        "{\"id\":\"B\",\"type\":\"data\",\"offset\":0,\"length\":40.0}",
        "{\"id\":\"B\",\"type\":\"data\",\"offset\":0,\"length\":40,\"length\":41}",
        "{\"type\":\"data\",\"offset\":0,\"length\":40}",
        "{\"id\":\"0\",\"type\":\"data\",\"offset\":0,\"length\":40}",
        "{\"id\":\"B\",\"type\":\"data\",\"offset\":0,\"length\":40", "null", "7",
        "{\"id\":\"B\",\"type\":\"data\",\"offset\":0,\"length\":18446744073709551656}",
        "{\"id\":\"Z\",\"type\":\"data\",\"offset\":0,\"length\":40}",
    ])
    func `I-05 a blob that cannot be is refused`(blob: String) {
        let full = "{\"packs\":[{\"id\":\"\(digest("1").hex)\",\"blobs\":[\(blob)]}]}".replacing(
            "B",
            with: digest("2").hex
        ).replacing("Z", with: Digest.zero.hex)
        #expect(throws: FormatError.self) { try IndexContents(bytes(full)) }
    }

    @Test func `the quick and the general reader agree on random blobs`() throws {
        let document = sampleIndex(packs: 5, blobs: 200)
        let spaced = bytes(text(document).replacing(",\"length\"", with: ", \"length\""))
        #expect(try IndexContents(spaced) == IndexContents(document))
        #expect(try IndexContents(document).blobs.joined().count == 1000)
    }
}
