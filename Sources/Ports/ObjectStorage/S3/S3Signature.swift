package import Bytes
package import Outcome
import Sealing
import Strategy

/// What a service knows us by.
package struct S3Credentials: Sendable {
    package var keyID: String
    package var secret: Secret
    /// Of temporary credentials; empty for others.
    package var sessionToken: Secret

    package init(keyID: String, secret: Secret, sessionToken: Secret = Secret([])) {
        self.keyID = keyID
        self.secret = secret
        self.sessionToken = sessionToken
    }
}

/// Amazon's signature of a request, version 4.
///
/// ```
/// canonical request  = method \n path \n query \n headers \n names \n hash of the body
/// string to sign     = AWS4-HMAC-SHA256 \n 20130524T000000Z \n 20130524/region/service/aws4_request \n hash of the canonical request
/// signing key        = HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), service), "aws4_request")
/// Authorization      = AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=hex(HMAC(signing key, string to sign))
/// ```
/// Pure: the moment is passed in. **Source**: AWS, "Signature Version 4 signing process"; proven by its published examples.
package struct S3Signature: Sendable {
    package var credentials: S3Credentials
    package var region: String
    package var service: String
    package var moment: Timestamp

    package init(_ credentials: S3Credentials, region: String, service: String = "s3", moment: Timestamp) {
        self.credentials = credentials
        self.region = region
        self.service = service
        self.moment = moment
    }

    /// The hash of no body, in hexadecimal.
    package static let emptyBodyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    /// `20130524T000000Z`, the value of `x-amz-date`.
    package var dateTime: String {
        let time = LocalTime(utc: moment)
        return
            "\(date)T\(digits(time.secondOfDay / 3600))\(digits(time.secondOfDay / 60 % 60))\(digits(time.secondOfDay % 60))Z"
    }

    private var date: String {
        let date = LocalTime(utc: moment).date
        return "\(digits(date.year / 100))\(digits(date.year % 100))\(digits(date.month))\(digits(date.day))"
    }

    private func digits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private var scope: String { "\(date)/\(region)/\(service)/aws4_request" }

    /// The value of `Authorization`.
    ///
    /// `path` is escaped already; `query` has names and values as they are meant; `headers` are all that are signed, `host` and
    /// `x-amz-date` among them; `bodyHash` is in hexadecimal, or one of Amazon's words in its place.
    package func authorization(
        method: String,
        path: String,
        query: [(name: String, value: String)],
        headers: [(name: String, value: String)],
        bodyHash: String
    ) -> String {
        let (canonical, names) = canonicalRequest(method, path, query, headers, bodyHash)
        return
            "AWS4-HMAC-SHA256 Credential=\(credentials.keyID)/\(scope), SignedHeaders=\(names), Signature=\(signature(of: canonical))"
    }

    /// The request as it is hashed, and the names of its headers.
    package func canonicalRequest(
        _ method: String,
        _ path: String,
        _ query: [(name: String, value: String)],
        _ headers: [(name: String, value: String)],
        _ bodyHash: String
    ) -> (text: String, names: String) {
        let lines = headers.map { ($0.name.lowercased(), S3Signature.trimmed($0.value)) }.sorted { $0.0 < $1.0 }
        let names = lines.map(\.0).joined(separator: ";")
        let text =
            [method, path, S3Signature.canonicalQuery(query)] + lines.map { "\($0):\($1)" } + ["", names, bodyHash]
        return (text.joined(separator: "\n"), names)
    }

    /// The query in the order in which it is signed, which is the one it is sent in.
    package static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
        let pairs: [(String, String)] = query.map { (S3Escape.value($0.name), S3Escape.value($0.value)) }
        let sorted = pairs.sorted { left, right in left.0 != right.0 ? left.0 < right.0 : left.1 < right.1 }
        return sorted.map { name, value in "\(name)=\(value)" }.joined(separator: "&")
    }

    private func signature(of canonical: String) -> String {
        let text = "AWS4-HMAC-SHA256\n\(dateTime)\n\(scope)\n\(sha256(canonical).hex)"
        var key = credentials.secret.withBytes { Secret(Array("AWS4".utf8) + $0) }
        for word in [date, region, service, "aws4_request"] { key = Secret(hmacSHA256(key: key, Array(word.utf8))) }
        return Hex.encode(hmacSHA256(key: key, Array(text.utf8)))
    }

    /// Without blanks around it, and with one where there are several.
    private static func trimmed(_ value: String) -> String {
        value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }
}
