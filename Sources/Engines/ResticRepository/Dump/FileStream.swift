package import Bytes
import ObjectStorage
import ResticFormat

extension Repository {
    /// Lends the contents of a file to `deliver`, blob by blob in order; the stretches that follow are loaded meanwhile.
    ///
    /// A stretch is opened together, so that its hashes run side by side, and lent where it was opened. Memory: stretches loaded
    /// or being loaded count with their sealed and their plain bytes, at most `Limits.readAheadBytes` together or one stretch.
    /// Errors: those of `loadBlob`, and what `deliver` throws.
    package func streamBlobs(
        _ ids: [BlobID],
        worker: BlobWorker,
        deliver: (UnsafeRawBufferPointer) throws -> Void
    ) async throws {
        if ids.count <= 2 {
            for id in ids {
                try Task.checkCancellation()
                let bytes = try await loadBlob(.data, id, worker: worker)
                try bytes.withUnsafeBytes { try deliver($0) }
            }
            return
        }
        let width = max(2, store.connections) + 1
        let pool = environment.pool
        try await withThrowingTaskGroup(of: LoadedStretch.self) { group in
            var window = StretchWindow(ids: ids, width: width)
            var idle: [StretchLoader] = []
            while let current = window.current(cost: { self.readCost($0) }) {
                try Task.checkCancellation()
                while let next = window.next(cost: { self.readCost($0) }) {
                    let loader = idle.popLast() ?? StretchLoader(worker: self.makeWorker())
                    group.addTask(executorPreference: pool) {
                        try await loader.load(ids[next], from: self)
                        return LoadedStretch(start: next.lowerBound, loader: loader)
                    }
                }
                while window.ready[current.lowerBound] == nil, let loaded = try await group.next() {
                    window.ready[loaded.start] = loaded.loader
                }
                guard let loader = window.take(current) else { throw CancellationError() }
                for id in ids[current] { try loader.lend(id, to: deliver) }
                idle.append(loader)
            }
        }
    }

    /// Bytes that reading the blob holds at a time, and those of its plaintext; 0 for one that no index names.
    private func readCost(_ id: BlobID) -> (held: Int, plain: Int) {
        guard let location = index.location(.data, id) else { return (0, 0) }
        return (location.plainLength + Int(location.length), location.plainLength)
    }
}

private struct LoadedStretch: Sendable {
    let start: Int
    let loader: StretchLoader
}

/// Blobs of one stretch, opened in the scratch of one worker until the next stretch.
///
/// `@unchecked Sendable`: belongs to the task that loads, then to the one that delivers, which gives it to the next that loads.
private final class StretchLoader: @unchecked Sendable {
    private let worker: BlobWorker
    private var contents: [BlobID: UnsafeRawBufferPointer] = [:]
    /// Blobs that were not opened with the others, in memory of their own.
    private var alone: [BlobID: [UInt8]] = [:]

    init(worker: BlobWorker) { self.worker = worker }

    func lend(_ id: BlobID, to body: (UnsafeRawBufferPointer) throws -> Void) throws {
        if let bytes = contents[id] { return try body(bytes) }
        try alone[id]?.withUnsafeBytes { try body($0) }
    }

    /// Loads the distinct blobs of `ids`; one that does not open is tried alone, from every copy.
    func load(_ ids: ArraySlice<BlobID>, from repository: Repository) async throws {
        contents.removeAll(keepingCapacity: true)
        alone = [:]
        let locations = Set(ids).compactMap { repository.index.location(.data, $0) }
        var blocks: [Block] = []
        var parts: [SealedPart] = []
        for (pack, blobs) in Dictionary(grouping: locations, by: \.pack) {
            for span in ReadSpans(blobs) {
                try Task.checkCancellation()
                guard let block = try? await repository.store.get(ObjectName(.pack, pack.digest), range: span.range),
                    block.count == span.range.count
                else { continue }
                blocks.append(block)
                parts.append(contentsOf: span.blobs.map { SealedPart($0, in: block, from: span.range.lowerBound) })
            }
        }
        for (part, result) in zip(parts, worker.openAll(parts)) {
            contents[part.location.id] = try? result.get().plaintext
        }
        withExtendedLifetime(blocks) {}
        for id in Set(ids) where contents[id] == nil {
            alone[id] = try await repository.loadBlob(.data, id, worker: repository.makeWorker())
        }
    }
}

/// Which stretches of a file are being loaded, and which wait to be delivered.
private struct StretchWindow {
    private let ids: [BlobID]
    private let width: Int
    private var stretches: [Range<Int>] = []
    private var delivered = 0
    private var started = 0
    private var costs: [Int: Int] = [:]
    private var costTotal = 0
    private var planned = 0
    var ready: [Int: StretchLoader] = [:]

    init(ids: [BlobID], width: Int) {
        self.ids = ids
        self.width = width
    }

    /// The stretch to be delivered now; nil at the end.
    mutating func current(cost: (BlobID) -> (held: Int, plain: Int)) -> Range<Int>? {
        if delivered == stretches.count { plan(cost) }
        return delivered < stretches.count ? stretches[delivered] : nil
    }

    /// The next stretch to load now; nil when the window is full or nothing is left.
    mutating func next(cost: (BlobID) -> (held: Int, plain: Int)) -> Range<Int>? {
        guard costs.count < width else { return nil }
        if started == stretches.count { plan(cost) }
        guard started < stretches.count else { return nil }
        let stretch = stretches[started]
        let held = Set(ids[stretch]).reduce(0) { $0 + cost($1).held }
        guard costs.isEmpty || costTotal + held <= Limits.readAheadBytes else { return nil }
        costs[stretch.lowerBound] = held
        costTotal += held
        started += 1
        return stretch
    }

    mutating func take(_ stretch: Range<Int>) -> StretchLoader? {
        costTotal -= costs.removeValue(forKey: stretch.lowerBound) ?? 0
        delivered += 1
        return ready.removeValue(forKey: stretch.lowerBound)
    }

    /// Appends the next stretch: blobs up to the limits, where a blob that is in it already costs nothing.
    private mutating func plan(_ cost: (BlobID) -> (held: Int, plain: Int)) {
        guard planned < ids.count else { return }
        let start = planned
        var distinct: Set<BlobID> = []
        var bytes = 0
        while planned < ids.count {
            let id = ids[planned]
            if !distinct.contains(id) {
                bytes += cost(id).plain
                guard distinct.isEmpty || bytes <= Limits.stretchBytes && distinct.count < Limits.batchBlobs else {
                    break
                }
                distinct.insert(id)
            }
            planned += 1
        }
        stretches.append(start..<planned)
    }
}
