import Bytes
import ObjectStorage
import Outcome
import ResticFormat

/// Level 3: reading packs.
extension CheckRun {
    /// Reads the packs that were asked for, several at a time, and reports those that are damaged.
    func checkData(_ table: PackTable, needed: EntrySet?) async throws {
        let candidates = request.isFiltered ? packs(holding: needed, table) : table.packs
        let selection = PackSelection(
            request.readData,
            of: candidates,
            isFiltered: request.isFiltered,
            entropy: repository.environment.entropy
        ) { table.blobs(of: $0, in: self.index).packBytes }
        guard let selection else { return }
        let packs = selection.packs
        let total = packs.reduce(0) { $0 + table.blobs(of: $1, in: index).packBytes }
        let phase = CheckPhase.readData(text: selection.text)
        begin(phase, total: packs.count, bytesTotal: total)
        let workers = width(packs.count)
        let inStep = max(1, min(CheckLimits.packsInStep, packs.count / workers))
        let next = SharedCounter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<workers {
                group.addTask(executorPreference: repository.environment.pool) {
                    let reader = PackReader(repository: self.repository)
                    while let step = next.take(below: (packs.count + inStep - 1) / inStep) {
                        try Task.checkCancellation()
                        let wanted = packs[(step * inStep)...].prefix(inStep).map { pack in
                            PackToRead(
                                id: pack.id,
                                blobs: table.blobs(of: pack, in: self.index),
                                opensBlobs: !self.request.provenInMemory.contains(pack.id)
                            )
                        }
                        try await self.read(wanted, reader, phase)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// The packs that hold a copy of one of those blobs.
    private func packs(holding needed: EntrySet?, _ table: PackTable) -> [CheckedPack] {
        guard let needed else { return table.packs }
        return table.packs.filter { pack in
            table.blobs(of: pack, in: index).contains { blob in
                index.firstEntry(blob.type, blob.id).map { needed.contains($0) } ?? false
            }
        }
    }

    /// Reads packs in step, and those with something wrong again, each alone.
    private func read(_ packs: [PackToRead], _ reader: PackReader, _ phase: CheckPhase) async throws {
        for (pack, reading) in zip(packs, try await reader.read(packs)) {
            if !reading.isGood { try await readAgain(pack, after: reading, reader) }
            advance(phase, bytes: pack.blobs.packBytes)
        }
    }

    private func readAgain(_ pack: PackToRead, after first: PackReading, _ reader: PackReader) async throws {
        repository.cache?.forget(.pack, pack.id.digest)
        var last = first
        // What is wrong with it is known once its blobs are opened, too.
        let pack = PackToRead(id: pack.id, blobs: pack.blobs)
        for _ in 1..<CheckLimits.packAttempts where !last.isMissing {
            let reading = try await reader.read([pack])[0]
            if reading.isGood { return reportTransient(pack.id, last) }
            last = reading
        }
        reportDamage(pack.id, pack.blobs, last)
    }

    private func words(_ pack: PackID, _ reading: PackReading) -> String {
        if let unreadable = reading.unreadable, reading.problems.isEmpty { return unreadable }
        let problems = reading.problems + (reading.unreadable.map { ["partial \($0)"] } ?? [])
        return "contains \(problems.count) errors: [\(problems.joined(separator: " "))]"
    }

    private func reportTransient(_ pack: PackID, _ reading: PackReading) {
        noteTransient(
            Finding(
                .hint,
                .transientRead,
                object: Finding.pack(pack),
                what:
                    "check successful on second attempt, original error \(Finding.pack(pack)) \(words(pack, reading))",
                next: "the stored data is right, the way to it is not: check cables, network and memory"
            )
        )
    }

    private func reportDamage(_ pack: PackID, _ blobs: [PackedBlob], _ reading: PackReading) {
        for blob in reading.unreadable == nil ? reading.lost : blobs { lost.insert(blob, in: pack) }
        let isDamage = !reading.problems.isEmpty
        if isDamage { markBroken(pack) }
        report(
            Finding(
                .damage,
                isDamage ? .packDamaged : .packUnreadable,
                object: Finding.pack(pack),
                what: words(pack, reading),
                next: isDamage ? CheckWords.repairPacks(pack) : "find out why the file cannot be read, then check again"
            )
        )
    }
}
