import AsyncHTTPClient
import Dispatch
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// HTTP to others, for as long as a closure runs.
///
/// TLS is verified; redirects, proxies from the environment and compressed answers are not followed, heard or asked for; nothing is tried
/// twice; each question has one deadline for all of its answer, and each answer a bound.
/// **Errors**: `HTTPTrouble`, and `CancellationError` when the task is cancelled; an answer of any status is an answer.
package struct HTTPErrand: Sendable {
    private let settings: HTTPSettings
    private let client: HTTPClient

    /// Runs `body` with connections that are closed behind it.
    package static func with<R: Sendable>(
        _ settings: HTTPSettings,
        _ body: (HTTPErrand) async throws -> R
    ) async throws -> R {
        let client: HTTPClient
        do { client = try settings.makeClient() } catch { throw HTTPTrouble(error, settings, bytesMax: 0) }
        let errand = HTTPErrand(settings: settings, client: client)
        do {
            let result = try await body(errand)
            await close(client)
            return result
        } catch {
            await close(client)
            throw error
        }
    }

    /// Waits for it on a queue of our own: the client's default shares its threads with everybody's tasks.
    private static func close(_ client: HTTPClient) async {
        await withCheckedContinuation { continuation in
            client.shutdown(queue: closing) { _ in continuation.resume() }
        }
    }

    private static let closing = DispatchQueue(label: "http errand")

    /// Asks once.
    package func send(_ request: HTTPRequest) async throws -> HTTPAnswer {
        let begun = BegunAnswer()
        do {
            return try await withDeadline { try await exchange(request, begun) }
        } catch let error as CancellationError {
            throw error
        } catch {
            try Task.checkCancellation()
            if case .beginning = request.reading, let answer = begun.answer { return answer }
            throw HTTPTrouble(error, settings, bytesMax: request.reading.bytesMax)
        }
    }

    private func exchange(_ request: HTTPRequest, _ begun: BegunAnswer) async throws -> HTTPAnswer {
        var outgoing = HTTPClientRequest(url: request.url)
        outgoing.method = .init(rawValue: request.method.rawValue)
        for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
        if let body = request.body { outgoing.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await client.execute(outgoing, timeout: .seconds(Int64(settings.answerSeconds)))
        let headers = response.headers.map { HTTPHeader($0.name, $0.value) }
        begun.set(HTTPAnswer(status: Int(response.status.code), headers: headers))
        let body = try await read(response.body, request.reading)
        return HTTPAnswer(status: Int(response.status.code), headers: headers, body: body)
    }

    private func read(_ body: HTTPClientResponse.Body, _ reading: HTTPRequest.Reading) async throws -> [UInt8] {
        switch reading {
        case .whole(let bytesMax): return Array(try await body.collect(upTo: bytesMax).readableBytesView)
        case .beginning(let bytesMax):
            var bytes: [UInt8] = []
            for try await part in body {
                bytes += part.readableBytesView.prefix(bytesMax - bytes.count)
                if bytes.count == bytesMax { break }
            }
            return bytes
        }
    }

    /// The client's own deadline ends with the head of an answer; this one covers the body too.
    ///
    /// Its clock is an event loop's: it is on time also when the threads of the language are busy.
    private func withDeadline(_ body: @escaping @Sendable () async throws -> HTTPAnswer) async throws -> HTTPAnswer {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let alarm = loop.scheduleTask(in: .seconds(Int64(settings.answerSeconds))) {}
        return try await withThrowingTaskGroup(of: HTTPAnswer.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await alarm.futureResult.get()
                throw HTTPClientError.deadlineExceeded
            }
            defer {
                group.cancelAll()
                alarm.cancel()
            }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }
}

extension HTTPRequest.Reading {
    var bytesMax: Int {
        switch self {
        case .whole(let bytesMax), .beginning(let bytesMax): bytesMax
        }
    }
}

/// The head of an answer whose body is still on its way.
private final class BegunAnswer: Sendable {
    private let head = Mutex<HTTPAnswer?>(nil)

    var answer: HTTPAnswer? { head.withLock { $0 } }

    func set(_ answer: HTTPAnswer) { head.withLock { $0 = answer } }
}
