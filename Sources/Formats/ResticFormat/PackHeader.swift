package import Bytes

/// Content of files, or the document of a directory.
package enum BlobType: UInt8, Sendable, Hashable, CustomStringConvertible {
    case data, tree
    package var description: String { self == .data ? "data" : "tree" }
}

/// Bounds and sizes of the format, in bytes.
package enum ResticFormatLimits {
    package static let sealOverheadBytes = 32
    package static let packHeaderBytesMax = 16 << 20
    package static let tagBytesMax = 1 << 20
}

/// One blob as a pack's header lists it; lengths in bytes.
package struct PackEntry: Sendable, Hashable {
    package var type: BlobType
    package var length: UInt32
    package var uncompressedLength: UInt32
    package var id: BlobID

    package init(type: BlobType, length: UInt32, uncompressedLength: UInt32, id: BlobID) {
        self.type = type
        self.length = length
        self.uncompressedLength = uncompressedLength
        self.id = id
    }
}

/// Why a header was refused.
package enum PackHeaderError: Error, Hashable { case wrongSize, unknownType(UInt8), tooLarge }

/// The list of blobs at the end of a pack.
///
/// Each entry: type 1 byte, length 4, uncompressed length 4 when compressed, identifier 32; integers little-endian.
package struct PackHeader: Sendable, Hashable {
    package static let entrySizeRaw = 37
    package static let entrySizeMax = 41
    package var entries: [PackEntry]

    package init(entries: [PackEntry]) { self.entries = entries }

    package func encode() -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(entries.count * Self.entrySizeMax)
        for entry in entries {
            let compressed = entry.uncompressedLength != 0
            output.append((entry.type == .tree ? 1 : 0) + (compressed ? 2 : 0))
            append(entry.length, &output)
            if compressed { append(entry.uncompressedLength, &output) }
            output.append(contentsOf: entry.id.digest.bytes)
        }
        return output
    }

    private func append(_ value: UInt32, _ output: inout [UInt8]) {
        for shift: UInt32 in [0, 8, 16, 24] { output.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    /// Reads an opened header; every entry is bounded before it is read (L3).
    package static func decode(_ plain: [UInt8]) throws(PackHeaderError) -> PackHeader {
        guard plain.count <= ResticFormatLimits.packHeaderBytesMax else { throw .tooLarge }
        var entries: [PackEntry] = []
        var index = 0
        func word(_ at: Int) -> UInt32 {
            UInt32(plain[at]) | UInt32(plain[at + 1]) << 8 | UInt32(plain[at + 2]) << 16 | UInt32(plain[at + 3]) << 24
        }
        while index < plain.count {
            let kind = plain[index]
            guard kind < 4 else { throw .unknownType(kind) }
            let size = kind >= 2 ? entrySizeMax : entrySizeRaw
            guard index + size <= plain.count else { throw .wrongSize }
            let id = plain.withUnsafeBytes {
                Digest(bytes: UnsafeRawBufferPointer(rebasing: $0[(index + size - 32)..<(index + size)]))
            }
            entries.append(
                PackEntry(
                    type: kind & 1 == 1 ? .tree : .data,
                    length: word(index + 1),
                    uncompressedLength: kind >= 2 ? word(index + 5) : 0,
                    id: BlobID(id)
                )
            )
            index += size
        }
        return PackHeader(entries: entries)
    }
}
