package import Bytes
import HostSystem

/// The existing paths that a pattern names, as Go's `filepath.Glob` finds them: sorted within each directory.
///
/// Directories that cannot be read are passed over. Recursion is as deep as the pattern has components.
func glob(_ pattern: ByteString) throws(BadPattern) -> [ByteString] {
    guard isValidGoPattern(pattern.bytes[...]) else { throw BadPattern() }
    guard hasWildcard(pattern.bytes[...]) else {
        return (try? status(at: pattern)) == nil ? [] : [pattern]
    }
    let (directory, file) = splitPath(pattern.bytes[...])
    let parents = hasWildcard(directory) ? try glob(ByteString(Array(directory))) : [ByteString(Array(directory))]
    var found: [ByteString] = []
    for parent in parents { found += try entries(of: parent, matching: file) }
    return found
}

private func entries(of parent: ByteString, matching file: ArraySlice<UInt8>) throws(BadPattern) -> [ByteString] {
    guard let directory = try? Directory.open(parent), let entries = try? directory.entries() else { return [] }
    var names: [ByteString] = []
    for entry in entries where try goMatch(file, entry.name.bytes[...]) { names.append(entry.name) }
    return names.sorted().map { joined(parent, $0) }
}

private func hasWildcard(_ path: ArraySlice<UInt8>) -> Bool { path.contains { "*?[\\".utf8.contains($0) } }

/// The directory part without its trailing slash (`.` when there is none, `/` for the root) and the last component.
private func splitPath(_ path: ArraySlice<UInt8>) -> (directory: ArraySlice<UInt8>, file: ArraySlice<UInt8>) {
    guard let slash = path.lastIndex(of: 0x2f) else { return ([0x2e], path) }
    let directory = path[..<slash]
    return (directory.isEmpty ? [0x2f] : directory, path[(slash + 1)...])
}

/// The two joined by a slash and cleaned: no `.`, no doubled slashes, `..` taken back.
private func joined(_ directory: ByteString, _ name: ByteString) -> ByteString {
    cleanPath(ByteString(directory.bytes + [0x2f] + name.bytes))
}

/// The shortest equal path, as Go's `filepath.Clean` makes it.
package func cleanPath(_ path: ByteString) -> ByteString {
    let isAbsolute = path.bytes.first == 0x2f
    var parts: [ArraySlice<UInt8>] = []
    for part in path.bytes.split(separator: 0x2f) where !part.elementsEqual([0x2e]) {
        if !part.elementsEqual([0x2e, 0x2e]) {
            parts.append(part)
        } else if let last = parts.last, !last.elementsEqual([0x2e, 0x2e]) {
            parts.removeLast()
        } else if !isAbsolute {
            parts.append(part)
        }
    }
    let body = Array(parts.joined(separator: [0x2f]))
    if isAbsolute { return ByteString([0x2f] + body) }
    return body.isEmpty ? "." : ByteString(body)
}

/// The path from the root, cleaned; relative ones start at `workingDirectory`.
func absolutePath(_ path: ByteString, workingDirectory: ByteString) -> ByteString {
    path.bytes.first == 0x2f ? cleanPath(path) : cleanPath(ByteString(workingDirectory.bytes + [0x2f] + path.bytes))
}
