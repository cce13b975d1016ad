import ResticFormat
import Bytes
import ObjectStorage
import Outcome

/// Level 1: index files, the list of packs, keys.
extension CheckRun {
    /// Loads all index files and judges them; nil when one of them is damaged, since on the rest everything would look
    /// damaged.
    func checkIndexes() async throws -> PackTable? {
        begin(.indexes)
        let entries = try await repository.listIndexes().sorted { $0.digest < $1.digest }
        expect(.indexes, total: entries.count)
        var table = PackTable()
        var failures: [(IndexID, any Error)] = []
        let next = SharedCounter()
        try await withThrowingTaskGroup(of: IndexReading?.self) { group in
            func startOne() {
                group.addTask(executorPreference: repository.environment.pool) {
                    guard let number = next.take(below: entries.count) else { return nil }
                    return try await self.readIndex(IndexID(entries[number].digest))
                }
            }
            for _ in 0..<width(entries.count) { startOne() }
            while let reading = try await group.next() {
                guard let reading else { continue }
                switch reading.result {
                case .success(let loaded): table.add(reading.id, loaded, to: index)
                case .failure(let error): failures.append((reading.id, error))
                }
                advance(.indexes)
                startOne()
            }
        }
        for (id, error) in failures.sorted(by: { $0.0 < $1.0 }) { await reportUnreadable(id, error) }
        judge(table)
        guard failures.isEmpty else {
            suggestRepairIndex()
            noteIndexDamage()
            return nil
        }
        return table
    }

    private struct IndexReading: Sendable {
        var id: IndexID
        var result: Result<LoadedIndex, any Error>
    }

    private func readIndex(_ id: IndexID) async throws -> IndexReading {
        try Task.checkCancellation()
        do {
            return IndexReading(id: id, result: .success(try await repository.loadIndexFile(id)))
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            return IndexReading(id: id, result: .failure(error))
        }
    }

    private func reportUnreadable(_ id: IndexID, _ error: any Error) async {
        let why = await reason(.index, id.digest, error)
        report(
            Finding(
                .damage,
                .indexUnreadable,
                object: "index \(id.hex)",
                what: "error loading index \(id.hex): \(why)",
                next: CheckWords.repairIndex
            )
        )
    }

    /// Restic's words when the stored bytes do not have the name's hash, ours for everything else.
    func reason(_ kind: ObjectKind, _ id: Digest, _ error: any Error) async -> String {
        let load = CheckWords.load(kind, id)
        guard let block = try? await repository.store.get(ObjectName(kind, id), range: nil) else {
            return "\(load): \(CheckWords.text(error))"
        }
        return sha256(block) == id ? CheckWords.text(error) : "\(load): invalid data returned"
    }

    /// What the index files say about packs, compared with each other.
    private func judge(_ table: PackTable) {
        for pack in table.packs {
            let object = Finding.pack(pack.id)
            if pack.isInconsistent {
                markBroken(pack.id)
                let names = CheckWords.set(table.indexFiles(naming: pack))
                report(
                    Finding(
                        .damage,
                        .indexSplit,
                        object: object,
                        what: "\(object) has different data in indexes: \(names)",
                        next: CheckWords.repairPacks(pack.id)
                    )
                )
            } else if table.isDuplicate(pack) {
                suggestRepairIndex()
                let names = CheckWords.set(table.indexFiles(naming: pack))
                report(
                    Finding(
                        .hint,
                        .indexDuplicate,
                        object: object,
                        what: "\(object) contained in several indexes: \(names)",
                        next: CheckWords.repairIndex
                    )
                )
            }
            if pack.isMixed {
                suggestPrune()
                report(
                    Finding(
                        .hint,
                        .packMixed,
                        object: object,
                        what: "pack \(pack.id.short) contains a mix of tree and data blobs",
                        next: "run `prune`"
                    )
                )
            }
        }
    }

    /// Compares the packs that the index names with those that are there.
    func checkPackList(_ table: PackTable) async throws {
        begin(.packs)
        let listing = try await repository.store.listing(.pack)
        var stored: [PackID: UInt64] = [:]
        stored.reserveCapacity(listing.entries.count)
        for entry in listing.entries { stored[PackID(entry.digest)] = entry.size }
        for pack in table.packs {
            let size = stored.removeValue(forKey: pack.id)
            judge(pack, table.blobs(of: pack, in: index), storedBytes: size)
        }
        for id in stored.keys.sorted() {
            report(
                Finding(
                    .hint,
                    .packOrphaned,
                    object: Finding.pack(id),
                    what: "not referenced in any index",
                    next: "run `prune`"
                )
            )
        }
        noteOrphans(stored.count)
        reportForeign(listing)
    }

    private func judge(_ pack: CheckedPack, _ blobs: [PackedBlob], storedBytes: UInt64?) {
        guard let storedBytes else {
            for blob in blobs { lost.insert(blob, in: pack.id) }
            report(
                Finding(
                    .damage,
                    .packMissing,
                    object: Finding.pack(pack.id),
                    what: "does not exist",
                    next: CheckWords.repairIndex
                )
            )
            return
        }
        let expected = blobs.packBytes
        guard storedBytes != expected else { return }
        markBroken(pack.id)
        for blob in blobs where UInt64(blob.offset) + UInt64(blob.length) > storedBytes {
            lost.insert(blob, in: pack.id)
        }
        report(
            Finding(
                .damage,
                .packSize,
                object: Finding.pack(pack.id),
                what: "unexpected file size: got \(storedBytes), expected \(expected)",
                next: CheckWords.repairPacks(pack.id)
            )
        )
    }

    /// Files between the packs that are none: told, never touched (D-05).
    private func reportForeign(_ listing: ObjectListing) {
        guard listing.foreignCount > 0 else { return }
        let names = listing.foreign.sorted().prefix(10).joined(separator: ", ")
        let rest = listing.foreignCount > 10 ? ", …" : ""
        report(
            Finding(
                .hint,
                .foreign,
                object: "directory data in \(repository.store.location)",
                what:
                    "\(listing.foreignCount) entries are no packs of this repository and were passed over: \(names)\(rest)",
                next: "look at them; they may be left over from a crash or put there by another program"
            )
        )
    }

    /// Every key file has the bytes of its name; a damaged one locks out whoever has its password alone.
    func checkKeys() async throws {
        for entry in try await repository.list(.key).sorted(by: { $0.digest < $1.digest }) {
            try Task.checkCancellation()
            guard try await isKeyDamaged(entry.digest) else { continue }
            report(
                Finding(
                    .damage,
                    .keyDamaged,
                    object: "key \(entry.digest.hex)",
                    what: "the file has other bytes than its name says",
                    next:
                        "restore it from a copy of the repository, or add a new key with `key add` and remove this one"
                )
            )
        }
    }

    private func isKeyDamaged(_ id: Digest) async throws -> Bool {
        for _ in 0..<CheckLimits.packAttempts {
            if let block = try? await repository.store.get(ObjectName(.key, id), range: nil), sha256(block) == id {
                return false
            }
            try Task.checkCancellation()
        }
        return true
    }
}
