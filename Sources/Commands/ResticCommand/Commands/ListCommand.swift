import Bytes
import Console
import ObjectStorage
import Outcome
import ResticFormat
import ResticRepository

extension Session {
    /// `list KIND`: names, one a line; blobs with their type, once for each copy.
    func runList() async throws -> ExitStatus {
        let word = words[0].display
        return try await withRepository(word == "locks" ? .none : readLock) { repository in
            guard let kind = Self.listedKind(word) else {
                try await repository.loadIndex()
                for pack in 0..<repository.index.packCount {
                    for blob in repository.index.blobs(ofPack: pack) {
                        printer.listed("\(blob.type == .tree ? "tree" : "data") \(blob.id)")
                    }
                    try checkOutput()
                }
                return .success
            }
            for entry in try await repository.list(kind) { printer.listed("\(entry.digest)") }
            return .success
        }
    }

    private static func listedKind(_ word: String) -> ObjectKind? {
        switch word {
        case "packs": .pack
        case "index": .index
        case "snapshots": .snapshot
        case "keys": .key
        case "locks": .lock
        default: nil
        }
    }

    /// Ends a listing that nobody reads any more, or that was interrupted.
    func checkOutput() throws {
        try Task.checkCancellation()
        if context.screen.isOutputGone { throw OutputGone() }
    }
}

/// The reader of a listing has seen enough (`… | head`): no error to speak of, but not the whole listing either.
struct OutputGone: Error {}

extension Printer {
    /// A line of a listing.
    func listed(_ text: Text) { screen.bulk(text) }
}
