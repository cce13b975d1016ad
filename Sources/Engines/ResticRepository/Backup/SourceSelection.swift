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
    private let cacheDirectory: ByteString?

    init(_ filter: SourceFilter, cacheDirectory: ByteString?) {
        self.filter = filter
        self.cacheDirectory = cacheDirectory.map(SourcePath.clean)
        var lists: [PatternList] = []
        if !filter.excludes.isEmpty { lists.append(PatternList(filter.excludes)) }
        if !filter.insensitiveExcludes.isEmpty {
            lists.append(PatternList(filter.insensitiveExcludes, ignoringCase: true))
        }
        self.lists = lists
    }

    /// True when paths have to be built for `excludes(_:)`.
    var hasPatterns: Bool { !lists.isEmpty || cacheDirectory != nil }

    /// Rules on the absolute path alone.
    func excludes(_ path: ByteString) -> Bool {
        if let cacheDirectory,
            path == cacheDirectory || path.bytes.starts(with: cacheDirectory.bytes + [UInt8(ascii: "/")])
        {
            return true
        }
        return lists.contains { $0.matches(path) }
    }

    /// Rules that need the entry's status or its neighbours.
    func excludes(_ entry: SourceEntry, path: () -> ByteString, markers directory: ListedDirectory?) -> Bool {
        if entry.status.kind == .directory, filter.leftOutDirectories.contains(entry.status.identity) { return true }
        if filter.oneFileSystem, entry.status.device != entry.homeDevice {
            // A mount point itself is kept, as an empty directory.
            let isBelowHome = directory.map { $0.status.device == entry.homeDevice } ?? true
            let isMountPoint = entry.status.kind == .directory && isBelowHome
            if !isMountPoint { return true }
        }
        if let limit = filter.largerThanBytes, entry.status.kind == .regular, entry.status.size > limit { return true }
        guard !filter.markers.isEmpty else { return false }
        let answers = directory?.markers ?? ask(entry.directory)
        directory?.markers = answers
        return zip(filter.markers, answers.isMarked).contains { marker, isMarked in
            isMarked && entry.sourceName != marker.fileName
        }
    }

    private func ask(_ directory: Directory) -> MarkerAnswers {
        MarkerAnswers(
            isMarked: filter.markers.map { marker in
                guard (try? directory.status(marker.fileName)) != nil else { return false }
                guard let header = marker.header, !header.bytes.isEmpty else { return true }
                guard let file = try? directory.openFile(marker.fileName) else { return false }
                var start = [UInt8](repeating: 0, count: header.bytes.count)
                let count = start.withUnsafeMutableBytes { buffer in (try? file.readFully(into: buffer)) ?? 0 }
                return count == header.bytes.count && start == header.bytes
            }
        )
    }
}
