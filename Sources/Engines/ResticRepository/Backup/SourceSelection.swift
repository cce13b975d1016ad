import Bytes
import HostSystem

/// Which answers the exclude-if-present rules gave for one directory, in the order of the rules.
struct MarkerAnswers {
    var isMarked: [Bool]
}

/// Decides what of the source is left out: `SourceFilter` made ready for many questions.
final class SourceSelection {
    private let filter: SourceFilter
    private let lists: [PatternList]
    private let markers: [Marker]
    private let cacheDirectory: ByteString?

    private struct Marker {
        var name: ByteString
        var header: ByteString?
    }

    static let cacheTagName: ByteString = "CACHEDIR.TAG"
    static let cacheTagHeader: ByteString = "Signature: 8a477f597d28d172789f06886806bc55"

    init(_ filter: SourceFilter, cacheDirectory: ByteString?) {
        self.filter = filter
        self.cacheDirectory = cacheDirectory.map(SourcePath.clean)
        lists = filter.excludeLists
        var markers = filter.excludeIfPresent.map { Marker(name: $0.name, header: $0.header) }
        if filter.excludeCaches {
            markers.append(Marker(name: Self.cacheTagName, header: Self.cacheTagHeader))
        }
        self.markers = markers
    }

    /// True when paths have to be built for `excludes(_:)`.
    var hasPatterns: Bool { !lists.isEmpty || cacheDirectory != nil }

    /// Rules on the absolute path alone.
    func excludes(_ path: ByteString) -> Bool {
        if let cacheDirectory, path == cacheDirectory || path.bytes.starts(with: cacheDirectory.bytes + [UInt8(ascii: "/")]) {
            return true
        }
        return lists.contains { $0.matches(path) }
    }

    /// Rules that need the entry's status or its neighbours.
    func excludes(_ entry: SourceEntry, path: () -> ByteString, markers directory: ListedDirectory?) -> Bool {
        if filter.oneFileSystem, entry.status.device != entry.homeDevice {
            // A mount point itself is kept, as an empty directory.
            let isBelowHome = directory.map { $0.status.device == entry.homeDevice } ?? true
            let isMountPoint = entry.status.kind == .directory && isBelowHome
            if !isMountPoint { return true }
        }
        if let limit = filter.excludeLargerThanBytes, entry.status.kind == .regular, entry.status.size > limit { return true }
        guard !markers.isEmpty else { return false }
        let answers = directory?.markers ?? ask(entry.directory)
        directory?.markers = answers
        return zip(markers, answers.isMarked).contains { marker, isMarked in isMarked && entry.sourceName != marker.name }
    }

    private func ask(_ directory: Directory) -> MarkerAnswers {
        MarkerAnswers(isMarked: markers.map { marker in
            guard (try? directory.status(marker.name)) != nil else { return false }
            guard let header = marker.header, !header.bytes.isEmpty else { return true }
            guard let file = try? directory.openFile(marker.name) else { return false }
            var start = [UInt8](repeating: 0, count: header.bytes.count)
            let count = start.withUnsafeMutableBytes { buffer in (try? file.readFully(into: buffer)) ?? 0 }
            return count == header.bytes.count && start == header.bytes
        })
    }
}
