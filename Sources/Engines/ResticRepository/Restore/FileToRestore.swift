import Bytes
import HostSystem
import Synchronization

/// One regular file to be written, whole or in parts.
///
/// Cost: about 300 bytes and 32 for each blob, since a restore holds all of its files.
final class FileToRestore: Sendable {
    /// What the content is built upon.
    enum Basis: Sendable {
        /// A new file; whatever stands in the place is replaced when it is complete.
        case nothing
        /// The file in place, patched; true for blobs that it holds already.
        case inPlace([Bool])
        /// What a killed restore left under the temporary name; true for blobs that it holds already.
        case leftover([Bool])
    }

    let directory: Int32
    let name: ByteString
    let metadata: NodeMetadata
    let content: [BlobID]
    let size: UInt64
    /// Where each blob but the first begins; empty for files of one blob.
    private let laterOffsets: [UInt64]
    /// A regular file stood there, so restic calls it updated.
    let isUpdate: Bool
    /// Nothing stood there: when something does later, another entry of this restore has the name.
    let isExpectedFree: Bool
    private let state: Mutex<State>

    private struct State {
        var basis: Basis
        var remaining: Int32
        /// The file that is written to; nil until it is made.
        var identity: FileIdentity?
        var isFailed = false
    }

    /// `offsets` has one entry for each blob and the size behind them; `identity` is that of the file in place.
    init(
        directory: Int32,
        name: ByteString,
        metadata: NodeMetadata,
        content: [BlobID],
        offsets: [UInt64],
        basis: Basis,
        identity: FileIdentity?,
        isUpdate: Bool,
        isExpectedFree: Bool
    ) {
        self.directory = directory
        self.name = name
        self.metadata = metadata
        self.content = content
        self.isUpdate = isUpdate
        self.isExpectedFree = isExpectedFree
        size = offsets.last ?? 0
        laterOffsets = content.count > 1 ? Array(offsets[1..<content.count]) : []
        state = Mutex(
            State(basis: basis, remaining: Int32(content.count - basis.presentCount), identity: identity)
        )
    }

    /// Where the blob begins, in bytes.
    func offset(_ position: Int) -> UInt64 { position == 0 ? 0 : laterOffsets[position - 1] }

    /// Bytes of the blob.
    func length(_ position: Int) -> UInt64 {
        (position + 1 < content.count ? laterOffsets[position] : size) - offset(position)
    }

    /// What is there already: true for the blobs that are in place, nil for none.
    var presentBlobs: [Bool]? { state.withLock { $0.basis.blobs } }

    var presentBytes: UInt64 {
        guard let blobs = presentBlobs else { return 0 }
        return blobs.indices.reduce(0) { $0 + (blobs[$1] ? length($1) : 0) }
    }

    /// The file in place is patched, under its final name.
    var isInPlace: Bool {
        state.withLock { state in
            switch state.basis {
            case .inPlace: true
            case .nothing, .leftover: false
            }
        }
    }

    /// Goes on with what a killed restore left; before anything is written.
    func resume(_ identity: FileIdentity, blobs: [Bool]) {
        state.withLock { state in
            state.basis = .leftover(blobs)
            state.identity = identity
            state.remaining = Int32(content.count - state.basis.presentCount)
        }
    }

    /// The file that holds what is written so far; under its final name once it is finished.
    var identity: FileIdentity? { state.withLock { $0.identity } }
    var isComplete: Bool { state.withLock { $0.remaining == 0 && !$0.isFailed } }
    var isFailed: Bool { state.withLock { $0.isFailed } }

    /// Counts a written blob; true when it was the last and the caller finishes the file.
    func blobWritten() -> Bool {
        state.withLock { state in
            state.remaining -= 1
            return state.remaining == 0 && !state.isFailed
        }
    }

    /// The file is given up; true the first time: the caller reports it.
    func markFailed() -> (isFirst: Bool, wasCreated: Bool) {
        state.withLock { state in
            defer { state.isFailed = true }
            return (!state.isFailed, state.identity != nil)
        }
    }

    /// Runs `create` the first time and `open` later, one task at a time; nil once the file is given up.
    func opened<R: Sendable>(
        create: () throws -> (R, FileIdentity),
        open: (FileIdentity) throws -> R
    ) throws -> R? {
        try state.withLock { state in
            if state.isFailed { return nil }
            if let identity = state.identity { return try open(identity) }
            let (result, identity) = try create()
            state.identity = identity
            return result
        }
    }
}

extension FileToRestore.Basis {
    var blobs: [Bool]? {
        switch self {
        case .nothing: nil
        case .inPlace(let blobs), .leftover(let blobs): blobs
        }
    }

    var presentCount: Int { blobs.map { $0.count { $0 } } ?? 0 }
}
