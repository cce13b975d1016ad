import Bytes
import Glibc
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix

/// Questions over HTTP/2 over two descriptors, such as the standard streams of a program: many at a time, without TLS.
///
/// What holds of `HTTPConnections` holds here: no second try, a pace in the place of a deadline, answers no longer than asked for.
/// **Errors**: `HTTPTrouble`, `HTTPStall`, `CancellationError`.
package final class HTTPStreams: HTTPSender {
    private typealias Stream = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    /// Of one answer and of all together, on their way before we took them; the pipe is no slow line.
    private static let windowBytes = 1 << 20

    private let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.AsyncStreamMultiplexer<Void>
    private let answerSeconds: Int
    private let pace: HTTPPace

    /// Takes over both descriptors, also when it fails.
    package init(reading: CInt, writing: CInt, answerSeconds: Int, pace: HTTPPace = HTTPPace()) async throws {
        self.answerSeconds = answerSeconds
        self.pace = pace
        do {
            (channel, multiplexer) = try await NIOPipeBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .takingOwnershipOfDescriptors(input: reading, output: writing) { channel in
                    channel.eventLoop.makeCompletedFuture { (channel, try Self.multiplexer(on: channel)) }
                }
        } catch {
            Glibc.close(reading)
            Glibc.close(writing)
            throw HTTPTrouble.noConnection("no connection")
        }
    }

    deinit { channel.close(promise: nil) }

    /// Whether it can still be asked.
    package var isOpen: Bool { channel.isActive }

    private static func multiplexer(on channel: any Channel) throws -> NIOHTTP2Handler.AsyncStreamMultiplexer<Void> {
        var configuration = NIOHTTP2Handler.Configuration()
        configuration.connection.initialSettings += [
            HTTP2Setting(parameter: .initialWindowSize, value: windowBytes)
        ]
        configuration.stream.targetWindowSize = windowBytes
        let multiplexer = try channel.pipeline.syncOperations.configureAsyncHTTP2Pipeline(
            mode: .client,
            configuration: configuration
        ) { stream in
            // A server that begins streams of its own is not heard.
            stream.close()
        }
        try channel.pipeline.syncOperations.addHandler(CloseOnError())
        return multiplexer
    }

    package func send(_ transfer: HTTPTransfer) async throws -> HTTPReceipt {
        let pulse = TransferPulse()
        do {
            let watch = TransferWatch(pulse, answerSeconds: answerSeconds, pace: pace)
            return try await watch.over { [self] in try await exchange(transfer, pulse) }
        } catch let error as HTTPStall {
            throw error
        } catch let error as HTTPTrouble {
            throw error
        } catch let error as CancellationError {
            throw error
        } catch {
            try Task.checkCancellation()
            throw HTTPTrouble.noConnection("it closed the connection")
        }
    }

    private func exchange(_ transfer: HTTPTransfer, _ pulse: TransferPulse) async throws -> HTTPReceipt {
        let stream = try await multiplexer.openStream { channel in
            channel.eventLoop.makeCompletedFuture {
                let codec = HTTP2FramePayloadToHTTP1ClientCodec(httpProtocol: .http)
                try channel.pipeline.syncOperations.addHandler(codec)
                return try Stream(wrappingChannelSynchronously: channel)
            }
        }
        return try await stream.executeThenClose { inbound, outbound in
            try await withThrowingTaskGroup(of: Void.self) { group in
                // A server that answers before it has all is heard; what it says counts.
                group.addTask { try? await Self.write(transfer, to: outbound, pulse) }
                defer { group.cancelAll() }
                return try await Self.read(inbound, transfer, pulse)
            }
        }
    }

    private static func write(
        _ transfer: HTTPTransfer,
        to outbound: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>,
        _ pulse: TransferPulse
    ) async throws {
        var head = HTTPRequestHead(
            version: .http1_1,
            method: .init(rawValue: transfer.method.rawValue),
            uri: path(of: transfer.url)
        )
        for header in transfer.headers { head.headers.add(name: header.name, value: header.value) }
        let block = transfer.body ?? Block(capacity: 0)
        let part = transfer.part ?? 0..<block.count
        if transfer.body != nil { head.headers.add(name: "Content-Length", value: "\(part.count)") }
        pulse.isSending(!part.isEmpty)
        try await outbound.write(.head(head))
        for try await piece in BlockPieces(block: block, part: part, pulse: pulse) {
            try await outbound.write(.body(.byteBuffer(piece)))
        }
        try await outbound.write(.end(nil))
    }

    private static func read(
        _ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>,
        _ transfer: HTTPTransfer,
        _ pulse: TransferPulse
    ) async throws -> HTTPReceipt {
        var receipt = HTTPReceipt(status: 0)
        var body: AnswerBody?
        do {
            for try await part in inbound {
                switch part {
                // What comes before the answer says nothing.
                case .head(let head) where head.status.code < 200: continue
                case .head(let head):
                    pulse.isReceiving()
                    let headers = head.headers.map { HTTPHeader($0.name, $0.value) }
                    receipt = HTTPReceipt(status: Int(head.status.code), headers: headers)
                    if transfer.method != .head { body = try AnswerBody(receipt, bytesMax: transfer.answerBytesMax) }
                case .body(let piece):
                    pulse.moved(piece.readableBytes)
                    if try body?.add(piece) == false { return whole(receipt, body) }
                case .end: return whole(receipt, body)
                }
            }
            try Task.checkCancellation()
            throw HTTPTrouble.noConnection("it closed the connection")
        } catch  where receipt.status != 0 && !receipt.isGood && !Task.isCancelled {
            // What came of a refusal has to do.
            return whole(receipt, body)
        }
    }

    private static func whole(_ head: HTTPReceipt, _ body: AnswerBody?) -> HTTPReceipt {
        var receipt = head
        if let body { receipt.body = body.block }
        return receipt
    }

    /// From the slash behind the host on.
    private static func path(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        let rest = url[scheme.upperBound...]
        return rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? "/"
    }
}

/// Ends a conversation with what does not speak HTTP/2.
private final class CloseOnError: ChannelInboundHandler {
    typealias InboundIn = Never

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
