import Bytes
import HostSystem
import ResticRepository

/// A pattern that Go's `filepath.Match` refuses.
struct MalformedPattern: Error {}

/// The existing paths that a pattern names, as Go's `filepath.Glob` finds them: sorted within each directory.
///
/// Directories that cannot be read are passed over. Recursion is as deep as the pattern has components.
func glob(_ pattern: ByteString) throws(MalformedPattern) -> [ByteString] {
    guard GlobPattern(pattern.bytes[...]) != nil else { throw MalformedPattern() }
    guard hasWildcard(pattern.bytes[...]) else {
        return (try? status(at: pattern)) == nil ? [] : [pattern]
    }
    let (directory, file) = splitPath(pattern.bytes[...])
    let parents = hasWildcard(directory) ? try glob(ByteString(Array(directory))) : [ByteString(Array(directory))]
    var found: [ByteString] = []
    for parent in parents { found += try entries(of: parent, matching: file) }
    return found
}

private func entries(of parent: ByteString, matching file: ArraySlice<UInt8>) throws(MalformedPattern) -> [ByteString] {
    guard let pattern = GlobPattern(file) else { throw MalformedPattern() }
    guard let directory = try? Directory.open(parent), let entries = try? directory.entries() else { return [] }
    return entries.map(\.name).filter { pattern.matches($0.bytes[...]) }.sorted().map { SourcePath.join(parent, $0) }
}

private func hasWildcard(_ path: ArraySlice<UInt8>) -> Bool { path.contains { "*?[\\".utf8.contains($0) } }

/// The directory part without its trailing slash (`.` when there is none, `/` for the root) and the last component.
private func splitPath(_ path: ArraySlice<UInt8>) -> (directory: ArraySlice<UInt8>, file: ArraySlice<UInt8>) {
    guard let slash = path.lastIndex(of: 0x2f) else { return ([0x2e], path) }
    let directory = path[..<slash]
    return (directory.isEmpty ? [0x2f] : directory, path[(slash + 1)...])
}
