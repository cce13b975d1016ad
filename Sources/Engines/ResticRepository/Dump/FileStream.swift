package import Bytes
import ObjectStorage
import ResticFormat

extension Repository {
    /// Lends the contents of a file to `deliver`, blob by blob in order; several are loaded ahead.
    ///
    /// Memory: blobs loaded or being loaded count with their sealed and their plain bytes twice, at most
    /// `Limits.readAheadBytes` together or one blob; a blob that follows itself, as in runs of zeros, is loaded once.
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
        let width = min(max(2, store.connections) + 1, ids.count)
        let pool = environment.pool
        try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            var window = ReadWindow(ids: ids, width: width)
            var last: [UInt8] = []
            for position in ids.indices {
                try Task.checkCancellation()
                while let next = window.next(cost: { self.readCost($0) }) {
                    group.addTask(executorPreference: pool) {
                        (next, try await self.loadBlob(.data, ids[next], worker: self.makeWorker()))
                    }
                }
                if !window.repeats(position) {
                    while window.ready[position] == nil, let (number, bytes) = try await group.next() {
                        window.ready[number] = bytes
                    }
                    last = window.take(position)
                }
                try last.withUnsafeBytes { try deliver($0) }
            }
        }
    }

    /// Bytes that reading the blob may hold at a time; 0 for one that no index names.
    private func readCost(_ id: BlobID) -> Int {
        guard let location = index.location(.data, id) else { return 0 }
        return 2 * location.plainLength + 2 * Int(location.length)
    }
}

/// Which blobs of a file are being loaded, and which wait to be delivered.
private struct ReadWindow {
    private let ids: [BlobID]
    private let width: Int
    private var started = 0
    private var costs: [Int: Int] = [:]
    private var costTotal = 0
    var ready: [Int: [UInt8]] = [:]

    init(ids: [BlobID], width: Int) {
        self.ids = ids
        self.width = width
    }

    /// True when the blob is the one before it again.
    func repeats(_ position: Int) -> Bool { position > 0 && ids[position] == ids[position - 1] }

    /// The next blob to load now; nil when the window is full or nothing is left.
    mutating func next(cost: (BlobID) -> Int) -> Int? {
        while started < ids.count, repeats(started) { started += 1 }
        guard started < ids.count, costs.count < width else { return nil }
        let bytes = cost(ids[started])
        guard costs.isEmpty || costTotal + bytes <= Limits.readAheadBytes else { return nil }
        costs[started] = bytes
        costTotal += bytes
        defer { started += 1 }
        return started
    }

    mutating func take(_ position: Int) -> [UInt8] {
        costTotal -= costs.removeValue(forKey: position) ?? 0
        return ready.removeValue(forKey: position) ?? []
    }
}
