import Bytes
import NIOCore

/// What an answer brings beside its head, into a block as long as it is declared, never longer than asked for (L3).
struct AnswerBody {
    private let isGood: Bool
    private let bytesMax: Int
    private(set) var block: Block

    /// Errors: a good answer that declares more than was asked for.
    init(_ head: HTTPReceipt, bytesMax: Int) throws(HTTPTrouble) {
        isGood = head.isGood
        self.bytesMax = isGood ? bytesMax : HTTPTransfer.refusalBytesMax
        let declared = isGood ? head.declaredLength ?? 0 : UInt64(HTTPTransfer.refusalBytesMax)
        guard declared <= UInt64(self.bytesMax) else { throw HTTPTrouble.overlong(bytesMax: bytesMax) }
        block = Block(capacity: Int(declared))
    }

    /// Takes in a piece; false when that is enough of a refusal.
    mutating func add(_ piece: ByteBuffer) throws(HTTPTrouble) -> Bool {
        guard isGood else {
            piece.withUnsafeReadableBytes { block.append(UnsafeRawBufferPointer(rebasing: $0.prefix(block.available))) }
            return block.available > 0
        }
        guard block.count + piece.readableBytes <= bytesMax else { throw HTTPTrouble.overlong(bytesMax: bytesMax) }
        if piece.readableBytes > block.available { block = block.grown(by: piece.readableBytes, atMost: bytesMax) }
        piece.withUnsafeReadableBytes { block.append($0) }
        return true
    }
}

extension Block {
    /// The same bytes with more room, for answers that do not say how long they are.
    fileprivate func grown(by bytes: Int, atMost bytesMax: Int) -> Block {
        let larger = Block(capacity: min(bytesMax, max(count + bytes, count * 2, 16 << 10)))
        withBytes { larger.append($0) }
        return larger
    }
}

/// A block cut into pieces that are copied when the connection takes them.
struct BlockPieces: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let block: Block
    let part: Range<Int>
    let pulse: TransferPulse

    struct AsyncIterator: AsyncIteratorProtocol {
        let pieces: BlockPieces
        var position: Int

        mutating func next() async throws -> ByteBuffer? {
            guard position < pieces.part.upperBound else {
                pieces.pulse.isSending(false)
                return nil
            }
            let end = Swift.min(position + BlockPieces.bytesMax, pieces.part.upperBound)
            let piece = pieces.block.withBytes { ByteBuffer(bytes: $0[position..<end]) }
            pieces.pulse.moved(end - position)
            position = end
            return piece
        }
    }

    /// Large enough that a piece costs nothing beside its copy, small enough that pace is seen on slow lines.
    private static let bytesMax = 128 << 10

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pieces: self, position: part.lowerBound) }
}

extension TransferWatch {
    /// Runs `body` beside the watch, which ends it when it is stuck.
    package func over(_ body: @escaping @Sendable () async throws -> HTTPReceipt) async throws -> HTTPReceipt {
        try await withThrowingTaskGroup(of: HTTPReceipt.self) { group in
            group.addTask { try await body() }
            group.addTask { throw try await stall() }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }
}
