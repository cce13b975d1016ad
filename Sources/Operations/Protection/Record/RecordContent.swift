import Bytes
import HostSystem
import ResticFormat
package import ResticRepository
package import Strategy

/// What a run left of a lab in a repository: the declaration with what it includes, and the ledger.
package struct RecordContent: Sendable {
    /// Files but the ledger, the declaration among them, in the order of their names.
    package var files: [(name: String, bytes: [UInt8])] = []
    package var ledger: Ledger?

    /// Files that are read at most, and bytes of each (L5).
    fileprivate static let filesMax = 200
}

extension Repository {
    /// Reads a record; nil where it holds no declaration that can be read.
    ///
    /// Names that are no single component are passed over. The index is loaded. Errors: cancellation.
    package func loadRecord(_ record: Snapshot) async throws -> RecordContent? {
        guard let tree = record.document.tree, let folder = record.document.paths.first else { return nil }
        do {
            try await loadIndex()
            let worker = makeWorker()
            guard case .directory(let place, _) = try await dumpItem(folder, in: tree, worker: worker) else {
                return nil
            }
            var content = RecordContent()
            var nodes = TreeReader(try await loadTree(place, worker: worker))
            while let node = try nodes.next() {
                guard node.type == .file, node.name.isSingleComponent, node.size <= UInt64(Ledger.bytesMax),
                    content.files.count < RecordContent.filesMax
                else { continue }
                var bytes: [UInt8] = []
                for id in node.content ?? [] where bytes.count <= Ledger.bytesMax {
                    bytes += try await loadBlob(.data, id, worker: worker)
                }
                if node.name == "ledger.json" {
                    content.ledger = Ledger(decoding: bytes)
                } else {
                    content.files.append((node.name.display, bytes))
                }
            }
            return content.files.contains { $0.name == "holdfast.yaml" } ? content : nil
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            return nil
        }
    }
}
