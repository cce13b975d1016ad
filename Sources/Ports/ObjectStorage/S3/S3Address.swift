/// Where requests of one bucket go: host, style and region.
///
/// Pure. The bucket's name stands in the path, or in front of the host where the service wants that (`auto`: Amazon's alone, as restic has
/// it).
package struct S3Address: Sendable, Hashable {
    /// Where the bucket's name goes.
    package enum Lookup: String, Sendable, Hashable, CaseIterable {
        case auto, dns, path
    }

    package var location: S3Location
    package var lookup: Lookup
    package var region: String

    package init(_ location: S3Location, lookup: Lookup, region: String) {
        self.location = location
        self.lookup = lookup
        self.region = region
    }

    /// The region that is tried when none was named: the host's, when its name tells one, else Amazon's first.
    package static func guessedRegion(host: String) -> String {
        let labels = name(of: host).split(separator: ".").map(String.init)
        if labels.suffix(2) == ["cloudflarestorage", "com"] { return "auto" }
        guard let first = labels.first else { return standardRegion }
        if first.hasPrefix("s3-"), isAmazon(host) {
            let region = String(first.dropFirst(3))
            return region.contains("-") ? region : standardRegion
        }
        guard first == "s3", labels.count >= 4 else { return standardRegion }
        let second = labels[1] == "dualstack" ? labels[2] : labels[1]
        return second.contains("-") && second.contains(where: \.isNumber) ? second : standardRegion
    }

    package static let standardRegion = "us-east-1"

    /// The host that is asked, with the port when it has one.
    package var host: String { usesHostName ? "\(location.bucket).\(endpoint)" : endpoint }

    /// The path of a key, or of the bucket when it is empty, escaped.
    package func path(_ key: String) -> String {
        S3Escape.path(usesHostName ? "/\(key)" : key.isEmpty ? "/\(location.bucket)/" : "/\(location.bucket)/\(key)")
    }

    /// The whole address of a request.
    package func url(_ key: String, query: [(name: String, value: String)]) -> String {
        let question = query.isEmpty ? "" : "?\(S3Signature.canonicalQuery(query))"
        return "\(location.isSecure ? "https" : "http")://\(host)\(path(key))\(question)"
    }

    /// Amazon's general host answers for its first region alone; each other region has one of its own.
    private var endpoint: String {
        guard S3Address.name(of: location.host) == "s3.amazonaws.com", region != S3Address.standardRegion else {
            return location.host
        }
        return "s3.\(region).amazonaws.com\(region.hasPrefix("cn-") ? ".cn" : "")"
    }

    private var usesHostName: Bool {
        switch lookup {
        case .path: false
        case .dns: true
        case .auto: S3Address.isAmazon(location.host) && isHostName
        }
    }

    /// Whether the bucket can be part of a host's name: with a dot in it no certificate would fit.
    private var isHostName: Bool {
        (3...63).contains(location.bucket.utf8.count)
            && location.bucket.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// Whether the host is one of Amazon's.
    package static func isAmazon(_ host: String) -> Bool {
        let name = name(of: host)
        let labels = name.split(separator: ".")
        guard name.hasSuffix(".amazonaws.com") || name.hasSuffix(".amazonaws.com.cn") else { return false }
        return labels.first.map { $0 == "s3" || $0.hasPrefix("s3-") } ?? false
    }

    private static func name(of host: String) -> String {
        host.split(separator: ":").first.map { $0.lowercased() } ?? ""
    }
}

extension S3Address {
    /// Whether a server's word can be a region: it becomes part of a host's name.
    static func isRegion(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
