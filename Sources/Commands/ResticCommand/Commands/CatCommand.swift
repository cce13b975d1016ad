import Bytes
import Console
import ObjectStorage
import Outcome
import ResticFormat
import ResticRepository
import Sealing

extension Session {
    private static let catKinds = ["config", "index", "snapshot", "key", "masterkey", "lock", "pack", "blob", "tree"]

    /// `cat KIND [ID]`: prints one object, documents indented, packs and blobs as they are.
    func runCat() async throws -> ExitStatus {
        guard let kind = words.first else { throw CommandFailure.fatal("type not specified") }
        guard Self.catKinds.contains(kind.display) else {
            let list = Self.catKinds.joined(separator: "|")
            throw CommandFailure.fatal("invalid type \(quoted(kind)), must be one of [\(list)]")
        }
        let needsName = kind != "masterkey" && kind != "config"
        if needsName, words.count != 2 { throw CommandFailure.fatal("ID not specified") }
        let name = needsName ? words[1] : ""
        return try await withRepository(readLock) { repository in
            switch kind.display {
            case "config": printDocument(repository.config.encode())
            case "masterkey": printMasterKey(repository)
            case "snapshot": printDocument(try await foundSnapshot(name, in: repository).document.encode())
            case "tree": try await printTree(name, repository)
            case "index": printer.result(Text(bytes: try await repository.loadUnpacked(.index, try parseID(name))))
            case "lock":
                let json = try await repository.loadUnpacked(.lock, try parseID(name))
                printDocument(try LockDocument(decoding: json).encode())
            case "key":
                let block = try await repository.store.get(ObjectName(.key, try parseID(name)))
                printDocument(try KeyFile(decoding: block.bytes).encode())
            case "pack": try await printPack(try parseID(name), repository)
            default: try await printBlob(BlobID(try parseID(name)), repository)
            }
            return .success
        }
    }

    private func printDocument(_ json: [UInt8]) { printer.result(Text(bytes: indentedJSON(json))) }

    private func printMasterKey(_ repository: Repository) {
        repository.key.withParts { encrypt, k, r in
            printDocument(MasterKeyDocument(k: Array(k), r: Array(r), encrypt: Array(encrypt)).encode())
        }
    }

    private func foundSnapshot(_ name: ByteString, in repository: Repository) async throws -> Snapshot {
        let snapshotName = SnapshotName(name)
        do {
            // Unlike elsewhere, "latest" is no name here, as in restic.
            let id = try await repository.find(.snapshot, prefix: snapshotName.name)
            return try await repository.loadSnapshot(SnapshotID(id))
        } catch let failure as RepositoryFailure where failure.code == .notFound || failure.code == .ambiguous {
            throw CommandFailure.fatal("could not find snapshot: \(causeText(failure))")
        }
    }

    private func printTree(_ name: ByteString, _ repository: Repository) async throws {
        let snapshot = try await foundSnapshot(name, in: repository)
        try await repository.loadIndex()
        let tree = try await findDirectory(SnapshotName(name).subfolder, in: snapshot, repository)
        context.screen.raw(try await repository.loadTree(tree, worker: repository.makeWorker()))
    }

    /// Prints the pack even when it is damaged, since that is when somebody wants to see it.
    private func printPack(_ id: Digest, _ repository: Repository) async throws {
        let block = try await repository.store.get(ObjectName(.pack, id))
        let found = block.withBytes { SHA256Context.hash($0) }
        if found != id {
            printer.error("Warning: hash of data does not match ID, want\n  \(id)\ngot:\n  \(found)")
        }
        context.screen.raw(block.bytes)
    }

    private func printBlob(_ id: BlobID, _ repository: Repository) async throws {
        try await repository.loadIndex()
        for type in [BlobType.data, .tree] where repository.index.contains(type, id) {
            context.screen.raw(try await repository.loadBlob(type, id, worker: repository.makeWorker()))
            return
        }
        throw CommandFailure.fatal("blob not found")
    }

    /// The first byte that is no hexadecimal digit, as Go shows it: `U+007A 'z'`.
    private func invalidHexByte(_ name: ByteString) -> String {
        let byte = name.bytes.first { !Character(Unicode.Scalar($0)).isHexDigit } ?? 0
        let digits = String(byte, radix: 16, uppercase: true)
        let shown = (0x20..<0x7f).contains(byte) ? " '\(Character(Unicode.Scalar(byte)))'" : ""
        return "U+\(String(repeating: "0", count: 4 - digits.utf8.count))\(digits)\(shown)"
    }

    private func parseID(_ name: ByteString) throws -> Digest {
        guard name.bytes.count == 64 else {
            throw CommandFailure.fatal("unable to parse ID: invalid length for ID: \(quoted(name))")
        }
        guard let digest = Digest(hex: name.display.lowercased()) else {
            throw CommandFailure.fatal(
                "unable to parse ID: invalid ID: encoding/hex: invalid byte: \(invalidHexByte(name))"
            )
        }
        return digest
    }
}
