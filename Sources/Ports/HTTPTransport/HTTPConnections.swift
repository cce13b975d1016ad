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
package final class HTTPConnections: HTTPSender {
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
            let watch = TransferWatch(pulse, answerSeconds: settings.answerSeconds, pace: pace)
            return try await watch.over { [self] in try await exchange(transfer, pulse) }
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
        var body = try AnswerBody(receipt, bytesMax: transfer.answerBytesMax)
        do {
            for try await piece in response.body {
                pulse.moved(piece.readableBytes)
                guard try body.add(piece) else { break }
            }
        } catch  where !receipt.isGood {
            // What came of a refusal has to do.
        }
        receipt.body = body.block
        return receipt
    }
}
