/// What is asked of a server.
package enum HTTPMethod: String, Sendable, Hashable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
}

/// One line of a head.
package struct HTTPHeader: Sendable, Hashable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// False for what would be another line, or no header, on the wire (S-09): a name is a token, a value holds no control character but the tab.
    package var isSound: Bool {
        let signs = "!#$%&'*+-.^_`|~".utf8
        let isToken = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: signs.contains(byte)
            }
        }
        return isToken && !name.isEmpty && value.utf8.allSatisfy { $0 == 9 || ($0 >= 0x20 && $0 != 0x7f) }
    }
}

/// A question to a server.
package struct HTTPRequest: Sendable {
    /// What to do with the body of an answer; the deadline covers it in each case.
    package enum Reading: Sendable, Hashable {
        /// All of it; more than so many bytes is a failure.
        case whole(bytesMax: Int)
        /// As far as it comes within so many bytes: once the head is there, nothing that befalls the body is a failure.
        case beginning(bytesMax: Int)
    }

    package var method: HTTPMethod
    /// Whole: `https://vault.example/api/sync`.
    package var url: String
    package var headers: [HTTPHeader]
    package var body: [UInt8]?
    package var reading: Reading

    package init(
        _ method: HTTPMethod,
        url: String,
        headers: [HTTPHeader] = [],
        body: [UInt8]? = nil,
        reading: Reading
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.reading = reading
    }
}

/// What a server answered, whatever its status.
package struct HTTPAnswer: Sendable {
    package var status: Int
    package var headers: [HTTPHeader]
    package var body: [UInt8]

    package init(status: Int, headers: [HTTPHeader] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of the first header of that name, in lower case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name }?.value
    }
}
