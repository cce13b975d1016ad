import Bytes
package import ResticRepository
package import Strategy

extension SourceFilter {
    /// What a workload's declaration leaves out, and what is left out by itself: our own repositories and what this machine remembers.
    package init(_ host: HostPaths, leavingOut own: [String] = []) {
        self.init()
        excludes = host.exclude.map { ByteString($0) } + own.map { ByteString(literalPattern($0)) }
        largerThanBytes = host.excludeLargerThan
        oneFileSystem = host.isOneFileSystem
        if host.excludesCaches { markers = [.cacheDirectory] }
    }
}

/// A path as a pattern of restic's filter language that matches it alone: wildcards are escaped.
package func literalPattern(_ path: String) -> String {
    var pattern = ""
    for character in path.unicodeScalars {
        if ["*", "?", "[", "\\"].contains(character) { pattern += "\\" }
        pattern.unicodeScalars.append(character)
    }
    return pattern
}
