import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Why there is no answer, without a word of the address: what an address may be shown as is the caller's to know (S-04).
package enum HTTPTrouble: Error, Sendable, Hashable {
    /// Not within the deadline.
    case late(seconds: Int)
    /// More bytes than were asked for.
    case overlong(bytesMax: Int)
    /// A certificate that is not trusted, or no TLS at all where it is asked for.
    case untrusted
    /// The file of certificates cannot be read.
    case certificateFile(String)
    /// The address is none that can be asked.
    case address
    /// The name stands for no machine, or nobody can be asked what it stands for.
    case unknownName
    /// Nobody takes the connection, it breaks, or what speaks there is not HTTP: in words, such as `the connection is refused`.
    case noConnection(String)

    /// Tells what the client's errors mean.
    init(_ error: any Error, _ settings: HTTPSettings, bytesMax: Int) {
        switch error {
        case is NIOTooManyBytesError: self = .overlong(bytesMax: bytesMax)
        case let error as HTTPClientError where error == .connectTimeout:
            self = .late(seconds: min(settings.connectSeconds, settings.answerSeconds))
        case let error as HTTPClientError where HTTPTrouble.lateness.contains(error):
            self = .late(seconds: settings.answerSeconds)
        case let error as HTTPClientError where HTTPTrouble.addresses.contains(error): self = .address
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            let files =
                [settings.certificates, settings.clientCertificate].compactMap { $0 } + settings.moreCertificates
            if let file = files.first(where: { access($0, R_OK) != 0 }) {
                self = .certificateFile(file)
            } else {
                self = .untrusted
            }
        case let error as NIOConnectionError: self.init(error)
        case let error as IOError: self = .noConnection(HTTPTrouble.words(errno: error.errnoCode))
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            self = .noConnection("it closed the connection")
        case is ChannelError: self = .noConnection("it closed the connection")
        case is HTTPClientError, is HTTPParserError: self = .noConnection("it does not speak HTTP")
        default: self = .noConnection("no connection")
        }
    }

    private init(_ error: NIOConnectionError) {
        guard let first = error.connectionErrors.first else {
            self = .unknownName
            return
        }
        guard let reason = first.error as? IOError else {
            self = .noConnection("no connection")
            return
        }
        self = .noConnection(HTTPTrouble.words(errno: reason.errnoCode))
    }

    private static let lateness: [HTTPClientError] = [.deadlineExceeded, .readTimeout, .writeTimeout]
    private static let addresses: [HTTPClientError] = [.invalidURL, .emptyHost, .emptyScheme]

    private static func words(errno code: CInt) -> String {
        switch code {
        case ECONNREFUSED: "the connection is refused"
        case ECONNRESET, EPIPE: "it closed the connection"
        case EHOSTUNREACH, ENETUNREACH: "no way leads there"
        default: "connection failed (errno \(code))"
        }
    }
}

extension HTTPTrouble: CustomStringConvertible {
    package var description: String {
        switch self {
        case .late(let seconds): "within \(seconds) s"
        case .overlong(let bytesMax): "more than the \(bytesMax) bytes"
        case .untrusted: "is not trusted"
        case .certificateFile(let file): file
        case .address: "the address"
        case .unknownName: "stands for no machine"
        case .noConnection(let why): why
        }
    }
}
