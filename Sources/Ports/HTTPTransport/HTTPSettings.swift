import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL

/// Whom to trust and how long to wait.
package struct HTTPSettings: Sendable, Hashable {
    /// A file of certificates in PEM that are trusted beside no others; nil: those of the system.
    package var certificates: String?
    /// More such files.
    package var moreCertificates: [String]
    /// A file in PEM with the certificate that we show, and its key; nil: none.
    package var clientCertificate: String?
    /// False takes any certificate, for those who asked for that by name.
    package var verifiesCertificates: Bool
    /// For a connection; the answer's deadline when that is shorter.
    package var connectSeconds: Int
    /// For one question with its whole answer; for transfers, without any byte moved.
    package var answerSeconds: Int

    package init(
        certificates: String? = nil,
        moreCertificates: [String] = [],
        clientCertificate: String? = nil,
        verifiesCertificates: Bool = true,
        connectSeconds: Int,
        answerSeconds: Int
    ) {
        self.certificates = certificates
        self.moreCertificates = moreCertificates
        self.clientCertificate = clientCertificate
        self.verifiesCertificates = verifiesCertificates
        self.connectSeconds = connectSeconds
        self.answerSeconds = answerSeconds
    }

    /// A client with our manners: HTTP/1.1, TLS 1.2 up, no redirect, proxy, decompression or second try.
    ///
    /// Errors: of reading the client's certificate and key.
    func makeClient(connectionsMax: Int = 8) throws -> HTTPClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let certificates { tls.trustRoots = .file(certificates) }
        tls.additionalTrustRoots = moreCertificates.map { .file($0) }
        if let clientCertificate {
            tls.certificateChain = try NIOSSLCertificate.fromPEMFile(clientCertificate).map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: clientCertificate, format: .pem))
        }
        if !verifiesCertificates { tls.certificateVerification = .none }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls,
            redirectConfiguration: .disallow,
            timeout: HTTPClient.Configuration.Timeout(connect: .seconds(Int64(min(connectSeconds, answerSeconds)))),
            decompression: .disabled
        )
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connectionsMax
        return HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
    }
}
