package import HTTPTransport

/// How a bucket is spoken to.
package struct S3Settings: Sendable {
    package var location: S3Location
    package var lookup: S3Address.Lookup
    /// The bucket's region when it was named; else it is guessed, and learned from the server's refusals.
    package var region: String?
    /// Of new objects; empty for the bucket's own.
    package var storageClass: String
    /// Requests at a time.
    package var connections: Int
    /// Lists by the old interface, for services that lack the new one.
    package var listsByOldInterface: Bool
    /// Signs nothing, for buckets that are open to everyone.
    package var isAnonymous: Bool
    package var userAgent: String
    package var trust: HTTPSettings
    package var pace: HTTPPace
    /// Objects of this size and more go up in parts, each repeatable by itself; restic's bound, so that no pack does.
    package var multipartBytesMin: Int
    /// Of one part; services want at least 5 MiB and at most 10,000 parts.
    package var partBytes: Int
    /// Hears of each request; nil: nobody counts.
    package var meter: S3Meter?
    /// Of new objects, but for those of the kind lock; nil: as the bucket has it.
    package var lock: ObjectLock?

    package init(
        _ location: S3Location,
        lookup: S3Address.Lookup = .auto,
        region: String? = nil,
        storageClass: String = "",
        connections: Int = 5,
        listsByOldInterface: Bool = false,
        isAnonymous: Bool = false,
        userAgent: String = "holdfast",
        trust: HTTPSettings = S3Settings.trust(),
        pace: HTTPPace = HTTPPace(),
        multipartBytesMin: Int = 200 << 20,
        partBytes: Int = 64 << 20
    ) {
        self.location = location
        self.lookup = lookup
        self.region = region
        self.storageClass = storageClass
        self.connections = connections
        self.listsByOldInterface = listsByOldInterface
        self.isAnonymous = isAnonymous
        self.userAgent = userAgent
        self.trust = trust
        self.pace = pace
        self.multipartBytesMin = multipartBytesMin
        self.partBytes = partBytes
    }

    /// Ten seconds for a connection, and restic's five minutes for a server that says nothing.
    package static func trust() -> HTTPSettings { HTTPSettings(connectSeconds: 10, answerSeconds: 300) }

    /// The class of a new object of that kind: archives take packs alone, since everything else is read by every run.
    func storageClass(of kind: ObjectKind) -> String? {
        let isArchive = ["GLACIER", "DEEP_ARCHIVE"].contains(storageClass)
        return storageClass.isEmpty || (isArchive && kind != .pack) ? nil : storageClass
    }
}
