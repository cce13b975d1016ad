package import Bytes
package import HostSystem

/// What a backup leaves out, as the user said it: plain data, evaluated by the walker.
///
/// Patterns are in restic's language (spec 17.4) and valid; whoever builds the value has checked them. Nothing here applies to a path
/// that was named explicitly as a source.
package struct SourceFilter: Sendable, Hashable {
    /// A directory that holds a file of this name is kept empty but for that file.
    package struct Marker: Sendable, Hashable {
        package var fileName: ByteString
        /// The file counts only when it begins with these bytes; nil: always.
        package var header: ByteString?

        package init(fileName: ByteString, header: ByteString? = nil) {
            self.fileName = fileName
            self.header = header
        }

        /// The Cache Directory Tagging Standard.
        package static let cacheDirectory = Marker(
            fileName: "CACHEDIR.TAG",
            header: "Signature: 8a477f597d28d172789f06886806bc55"
        )
    }

    /// Case-sensitive patterns, those of files after those of the command line; later ones win.
    package var excludes: [ByteString] = []
    /// Patterns that take upper and lower case alike.
    package var insensitiveExcludes: [ByteString] = []
    /// Nothing on file systems (devices) that hold none of the sources.
    package var oneFileSystem = false
    /// Markers; `--exclude-caches` adds `Marker.cacheDirectory`.
    package var markers: [Marker] = []
    /// Directories that stay out whatever path leads to them: by a mount, or below a directory that a symbolic link named.
    package var leftOutDirectories: Set<FileIdentity> = []
    /// Regular files larger than this many bytes stay out; nil: no limit.
    package var largerThanBytes: UInt64?

    package init() {}

    /// True when nothing is left out.
    package var isEmpty: Bool { self == SourceFilter() }
}
