/// Where a repository lies in an object store, as restic writes it.
///
/// ```
/// s3:https://host:port/bucket/prefix    s3:http://host/bucket    s3://host/bucket/prefix    s3:host/bucket/prefix
/// ```
package struct S3Location: Sendable, Hashable {
    /// With its port, when one was named.
    package var host: String
    package var isSecure: Bool
    package var bucket: String
    /// In front of every key, without slashes at its ends; may be empty.
    package var prefix: String

    package init(host: String, isSecure: Bool = true, bucket: String, prefix: String = "") {
        self.host = host
        self.isSecure = isSecure
        self.bucket = bucket
        self.prefix = prefix
    }

    /// Why a location was not read, in restic's words.
    package struct Trouble: Error, Hashable {
        package var what: String
    }

    /// Reads what stands behind `s3:`.
    package init(parsing text: String) throws(Trouble) {
        var rest = Substring(text)
        isSecure = true
        if rest.hasPrefix("https://") {
            rest = rest.dropFirst("https://".count)
        } else if rest.hasPrefix("http://") {
            rest = rest.dropFirst("http://".count)
            isSecure = false
        } else if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
        } else if rest.hasPrefix("http:") || rest.hasPrefix("https:") {
            throw Trouble(what: "s3: invalid URL")
        }
        let (host, path) = S3Location.cut(rest)
        let (bucket, prefix) = S3Location.cut(path)
        guard !host.isEmpty, !bucket.isEmpty else {
            throw Trouble(what: "s3: invalid format, host/region or bucket name not found")
        }
        guard !host.contains("@"), host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw Trouble(
                what: "s3: the host is none; credentials belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        }
        self.host = String(host)
        self.bucket = String(bucket)
        self.prefix = S3Location.cleaned(prefix)
    }

    /// As it is shown; nothing in it is a secret.
    package var text: String {
        let address = isSecure ? host : "http://\(host)"
        return prefix.isEmpty ? "s3:\(address)/\(bucket)" : "s3:\(address)/\(bucket)/\(prefix)"
    }

    private static func cut(_ text: Substring) -> (Substring, Substring) {
        guard let slash = text.firstIndex(of: "/") else { return (text, "") }
        return (text[..<slash], text[text.index(after: slash)...])
    }

    /// Without empty parts, `.` and `..`, as restic cleans it.
    private static func cleaned(_ path: Substring) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", !parts.isEmpty { parts.removeLast() } else { parts.append(part) }
        }
        return parts.joined(separator: "/")
    }
}
