package import Bytes

/// Path arithmetic on bytes, as Go's `path/filepath` does it on Linux.
package enum SourcePath {
    private static let slash = UInt8(ascii: "/")

    /// True when the path begins at the root.
    package static func isAbsolute(_ path: ByteString) -> Bool { path.bytes.first == slash }

    /// The shortest equal path: no empty or `.` parts, `..` resolved by text.
    package static func clean(_ path: ByteString) -> ByteString {
        let absolute = isAbsolute(path)
        var parts: [ArraySlice<UInt8>] = []
        for part in path.bytes.split(separator: slash) where !part.elementsEqual(".".utf8) {
            guard part.elementsEqual("..".utf8) else {
                parts.append(part)
                continue
            }
            if let last = parts.last, !last.elementsEqual("..".utf8) {
                parts.removeLast()
            } else if !absolute {
                parts.append(part)
            }
        }
        var bytes = Array(parts.joined(separator: [slash]))
        if absolute { bytes.insert(slash, at: 0) }
        return bytes.isEmpty ? "." : ByteString(bytes)
    }

    /// The two joined by a slash, and cleaned.
    package static func join(_ base: ByteString, _ name: ByteString) -> ByteString {
        if base.bytes.isEmpty { return clean(name) }
        return clean(ByteString(base.bytes + [slash] + name.bytes))
    }

    /// An entry's path below a directory's, which is empty for the root; nothing is cleaned.
    package static func child(_ name: ByteString, of directory: ByteString) -> ByteString {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(directory.bytes.count + 1 + name.bytes.count)
        bytes.append(contentsOf: directory.bytes)
        bytes.append(slash)
        bytes.append(contentsOf: name.bytes)
        return ByteString(bytes)
    }

    /// Absolute and clean.
    package static func absolute(_ path: ByteString, from workingDirectory: ByteString) -> ByteString {
        isAbsolute(path) ? clean(path) : join(workingDirectory, path)
    }

    /// The components that appear in a snapshot: leading `..` vanish, as below a root.
    package static func components(_ path: ByteString) -> [ByteString] {
        let rooted = isAbsolute(path) ? path : ByteString([slash] + path.bytes)
        return clean(rooted).bytes.split(separator: slash).map { ByteString(Array($0)) }
    }

    /// The directory that holds the first component.
    package static func root(_ path: ByteString) -> ByteString {
        if isAbsolute(path) { return "/" }
        let parents = clean(path).bytes.split(separator: slash).prefix { $0.elementsEqual("..".utf8) }
        return parents.isEmpty ? "." : ByteString(Array(parents.joined(separator: [slash])))
    }

    /// Directory part and last component.
    package static func split(_ path: ByteString) -> (directory: ByteString, name: ByteString) {
        guard let position = path.bytes.lastIndex(of: slash) else { return (".", path) }
        let directory = position == 0 ? "/" : ByteString(Array(path.bytes[..<position]))
        return (directory, ByteString(Array(path.bytes[(position + 1)...])))
    }
}
