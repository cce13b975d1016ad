import Bytes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Strategy

/// Answers on this machine alone whether the daemon lives and the promises are kept.
///
/// `GET /health`: 200 when they are, 503 when not, with a JSON document either way. No password is asked for, and nothing can be changed.
struct HealthEndpoint: Sendable {
    /// Bounds of it.
    private enum Limits {
        static let idleSeconds: Int64 = 30
        static let headerBytes = 8 << 10
        static let connections = 32
    }

    let address: LoopbackAddress
    let report: HealthReport
    let time: any TimeSource

    /// Serves until the task is cancelled.
    ///
    /// Errors: those of listening, such as a port that is taken.
    func run() async throws {
        let (report, time) = (report, time)
        let router = Router()
        router.get("health") { _, _ in
            let answer = report.answer(at: time.monotonicNanoseconds())
            return Response(
                status: answer.isWell ? .ok : .serviceUnavailable,
                headers: [.contentType: "application/json", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.json))
            )
        }
        let application = Application(
            responder: router.buildResponder(),
            server: .http1(
                configuration: HTTP1Channel.Configuration(
                    idleTimeout: .seconds(Limits.idleSeconds),
                    httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                        maxHeaderFieldSize: Limits.headerBytes,
                        maxHeaderListSize: Limits.headerBytes
                    )
                )
            ),
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port),
                availableConnectionsDelegate: MaximumAvailableConnections(Limits.connections)
            ),
            logger: Logger(label: "health") { _ in SwiftLogNoOpLogHandler() }
        )
        try await application.run()
    }
}
