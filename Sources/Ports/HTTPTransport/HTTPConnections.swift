import AsyncHTTPClient
import Bytes
import Dispatch
import NIOCore
import NIOHTTP1
import NIOPosix

/// Connections to others that are kept open between questions, with bodies of any size both ways.
///
/// 1. What `HTTPErrand` refuses is refused here: no redirect, no proxy from the environment, no second try, verified TLS unless told
///    otherwise.
/// 2. A question has no deadline as a whole: it ends when its bytes move slower than the pace (E-11), or when its task does.
/// 3. A body is copied piece by piece while it leaves; an answer is written into a block as long as it is declared, never longer than
///    asked for (L3).
///
/// **Errors**: `HTTPTrouble`, `HTTPStall`, `CancellationError`; an answer of any status is an answer.
package final class HTTPConnections: Sendable {
    private let client: HTTPClient
    private let settings: HTTPSettings
    private let pace: HTTPPace

    /// Opens nothing yet; `connections` is how many are kept at a time.
    package init(_ settings: HTTPSettings, connections: Int, pace: HTTPPace = HTTPPace()) throws(HTTPTrouble) {
        self.settings = settings
        self.pace = pace
        do { client = try settings.makeClient(connectionsMax: connections) } catch {
            throw HTTPTrouble(error, settings, bytesMax: 0)
        }
    }

    // The client keeps itself until its connections are closed; its default queue is everybody's.
    deinit { client.shutdown(queue: HTTPConnections.closing) { _ in } }

    private static let closing = DispatchQueue(label: "http connections")

    /// Asks once.
    package func send(_ transfer: HTTPTransfer) async throws -> HTTPReceipt {
        let pulse = TransferPulse()
        do {
            return try await watched(pulse) { [self] in try await exchange(transfer, pulse) }
        } catch let error as HTTPStall {
            throw error
        } catch let error as HTTPTrouble {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            try Task.checkCancellation()
            throw HTTPTrouble(error, settings, bytesMax: transfer.answerBytesMax)
        }
    }

    private func exchange(_ transfer: HTTPTransfer, _ pulse: TransferPulse) async throws -> HTTPReceipt {
        var outgoing = HTTPClientRequest(url: transfer.url)
        outgoing.method = .init(rawValue: transfer.method.rawValue)
        for header in transfer.headers { outgoing.headers.add(name: header.name, value: header.value) }
        if let block = transfer.body {
            let part = transfer.part ?? 0..<block.count
            pulse.isSending(!part.isEmpty)
            outgoing.body = .stream(
                BlockPieces(block: block, part: part, pulse: pulse),
                length: .known(Int64(part.count))
            )
        }
        let response = try await client.execute(outgoing, deadline: .distantFuture)
        let headers = response.headers.map { HTTPHeader($0.name, $0.value) }
        var receipt = HTTPReceipt(status: Int(response.status.code), headers: headers)
        pulse.isReceiving()
        guard transfer.method != .head else { return receipt }
        receipt.body =
            receipt.isGood
            ? try await whole(response.body, receipt.declaredLength, transfer.answerBytesMax, pulse)
            : await beginning(response.body, pulse)
        return receipt
    }

    private func whole(
        _ body: HTTPClientResponse.Body,
        _ declared: UInt64?,
        _ bytesMax: Int,
        _ pulse: TransferPulse
    ) async throws -> Block {
        guard declared ?? 0 <= UInt64(bytesMax) else { throw HTTPTrouble.overlong(bytesMax: bytesMax) }
        var block = Block(capacity: Int(declared ?? 0))
        for try await piece in body {
            pulse.moved(piece.readableBytes)
            guard block.count + piece.readableBytes <= bytesMax else { throw HTTPTrouble.overlong(bytesMax: bytesMax) }
            if piece.readableBytes > block.available { block = block.grown(by: piece.readableBytes, atMost: bytesMax) }
            piece.withUnsafeReadableBytes { block.append($0) }
        }
        return block
    }

    /// A refusal is one however its words end.
    private func beginning(_ body: HTTPClientResponse.Body, _ pulse: TransferPulse) async -> Block {
        let block = Block(capacity: HTTPTransfer.refusalBytesMax)
        do {
            for try await piece in body {
                pulse.moved(piece.readableBytes)
                piece.withUnsafeReadableBytes {
                    block.append(UnsafeRawBufferPointer(rebasing: $0.prefix(block.available)))
                }
                if block.available == 0 { break }
            }
        } catch {
            // What came of it has to do.
        }
        return block
    }

    // MARK: The pace

    /// Runs `body` beside a watch, which ends it when it is stuck.
    private func watched(
        _ pulse: TransferPulse,
        _ body: @escaping @Sendable () async throws -> HTTPReceipt
    ) async throws -> HTTPReceipt {
        let watch = TransferWatch(pulse, answerSeconds: settings.answerSeconds, pace: pace)
        return try await withThrowingTaskGroup(of: HTTPReceipt.self) { group in
            group.addTask { try await body() }
            group.addTask { throw try await watch.stall() }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
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
private struct BlockPieces: AsyncSequence, Sendable {
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
