package import Bytes

/// What carries questions to a server and answers back.
package protocol HTTPSender: Sendable {
    /// Asks once; an answer of any status is an answer.
    ///
    /// Errors: `HTTPTrouble`, `HTTPStall`, `CancellationError`, those of its own.
    func send(_ transfer: HTTPTransfer) async throws -> HTTPReceipt
}

/// A question with a large body, or with an answer that has one.
package struct HTTPTransfer: Sendable {
    package var method: HTTPMethod
    /// Whole, with its path escaped as it goes over the wire.
    package var url: String
    package var headers: [HTTPHeader]
    /// The bytes sent, as they lie: they are copied in pieces while they leave.
    package var body: Block?
    /// The part of `body` that is sent; all of it when nil.
    package var part: Range<Int>?
    /// Most bytes that a good answer may have; more is a failure.
    package var answerBytesMax: Int

    /// Most bytes of an answer that says no: enough for every reason, too few to hurt (E-16).
    package static let refusalBytesMax = 64 << 10

    package init(
        _ method: HTTPMethod,
        url: String,
        headers: [HTTPHeader] = [],
        body: Block? = nil,
        part: Range<Int>? = nil,
        answerBytesMax: Int
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.part = part
        self.answerBytesMax = answerBytesMax
    }
}

/// What came back, whatever its status.
package struct HTTPReceipt: Sendable {
    package var status: Int
    package var headers: [HTTPHeader]
    /// All of a good answer; of a refusal its first 64 KiB, as far as they came.
    package var body: Block

    package init(status: Int, headers: [HTTPHeader] = [], body: Block = Block(capacity: 0)) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package var isGood: Bool { (200..<300).contains(status) }

    /// The value of the first header of that name, in lower case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name }?.value
    }

    /// The length that the head declares.
    package var declaredLength: UInt64? { header("content-length").flatMap { UInt64($0) } }
}

/// How slow a transfer may be before it counts as stuck (E-11).
package struct HTTPPace: Sendable, Hashable {
    /// Each span of this many seconds in which a body is on its way is looked at; a server that thinks has the settings' `answerSeconds`.
    package var spanSeconds: Int
    /// Fewest bytes of a span: 32 KiB in a minute is a fifteenth of what a line of 64 kbit/s carries.
    package var bytesMin: Int

    package init(spanSeconds: Int = 60, bytesMin: Int = 32 << 10) {
        self.spanSeconds = spanSeconds
        self.bytesMin = bytesMin
    }
}

/// A transfer that was given up, since it hardly moved.
package struct HTTPStall: Error, Sendable, Hashable {
    /// The span in which so few bytes moved.
    package var seconds: Int
    package var bytes: Int

    package init(seconds: Int, bytes: Int) {
        self.seconds = seconds
        self.bytes = bytes
    }
}

extension HTTPStall: CustomStringConvertible {
    package var description: String { "\(bytes) bytes in \(seconds) s" }
}
