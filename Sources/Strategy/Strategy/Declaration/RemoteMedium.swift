/// Where a medium is.
package enum MediumLocation: Sendable, Hashable {
    /// A folder on a disk of this machine, absolute.
    case folder(String)
    /// A bucket of an object store that speaks Amazon's S3.
    case s3(S3Bucket)
    /// A server that speaks restic's REST protocol.
    case rest(RESTServer)
    /// A folder of a machine that is reached by SFTP.
    case sftp(SSHFolder)
}

/// A bucket, and how it is spoken to.
package struct S3Bucket: Sendable, Hashable {
    /// `https://HOST[:PORT]`, without a slash at its end.
    package var endpoint: String
    package var bucket: String
    /// In front of all that lies there, without slashes at its ends; may be empty.
    package var prefix = ""
    /// Nil: learned from the server.
    package var region: String?
    /// Of new objects; empty: the bucket's own.
    package var storageClass = ""
    package var lookup = Lookup.auto
    /// How long nobody may destroy a new object; nil: as the bucket has it.
    package var lock: Duration?
    package var lockMode = LockMode.compliance
    /// Nil: not known.
    package var prices: BucketPrices?
    package var budget = BucketBudget()
    /// Requests at a time; nil: five.
    package var connections: Int?
    /// A file of certificates in PEM; nil: those of the system.
    package var certificates: String?

    package init(endpoint: String, bucket: String) {
        self.endpoint = endpoint
        self.bucket = bucket
    }

    /// Whom a lock binds.
    package enum LockMode: String, Sendable, Hashable, CaseIterable {
        case compliance
        case governance

        var summary: String {
            switch self {
            case .compliance: "everybody, the owner of the account too"
            case .governance: "everybody but who has the right to bypass it"
            }
        }
    }

    /// Where the name of the bucket stands in an address.
    package enum Lookup: String, Sendable, Hashable, CaseIterable {
        case auto
        case path
        case dns

        var summary: String {
            switch self {
            case .auto: "in front of Amazon's hosts, in the path of all others"
            case .path: "in the path"
            case .dns: "in front of the host"
            }
        }
    }
}

/// A server, and how it is spoken to.
package struct RESTServer: Sendable, Hashable {
    /// `https://HOST[:PORT][/PATH]`, without a slash at its end, without user and password.
    package var url: String
    /// It removes and replaces nothing for who writes there.
    package var isAppendOnly = false
    /// Requests at a time; nil: five.
    package var connections: Int?
    /// A file of certificates in PEM; nil: those of the system.
    package var certificates: String?

    package init(url: String) { self.url = url }
}

/// A folder behind SSH, and how it is reached.
package struct SSHFolder: Sendable, Hashable {
    package var host: String
    /// Without a slash at its end; a relative one counts from where the server puts the user.
    package var path: String
    /// Nil: as ssh is configured.
    package var user: String?
    package var port: Int?
    /// A file with the private key; nil: as ssh is configured.
    package var key: String?
    /// Objects at a time; nil: five.
    package var connections: Int?

    package init(host: String, path: String) {
        self.host = host
        self.path = path
    }
}

/// Where the name and the secret are found with which a service is entered.
package enum RemoteCredentials: Sendable, Hashable {
    /// One text, `NAME:SECRET`.
    case pair(SecretReference)
    /// User and password of an item of the vault.
    case login(name: SecretReference, secret: SecretReference)
    /// Nowhere: a person types them each time.
    case typed

    /// An item of the vault that names no field has both; everything else is one text.
    init(_ reference: SecretReference) {
        guard case .vault(let place) = reference, place.field == nil else {
            self = .pair(reference)
            return
        }
        var (name, secret) = (place, place)
        name.field = "username"
        secret.field = "password"
        self = .login(name: .vault(name), secret: .vault(secret))
    }

    /// All that are resolved.
    package var references: [SecretReference] {
        switch self {
        case .pair(let reference): [reference]
        case .login(let name, let secret): [name, secret]
        case .typed: []
        }
    }

    /// As it stands in the declaration.
    package var text: String {
        switch self {
        case .pair(let reference): reference.text
        case .login(.vault(var place), _):
            {
                place.field = nil
                return SecretReference.vault(place).text
            }()
        case .login(let name, _): name.text
        case .typed: "typed"
        }
    }
}

extension Medium {
    /// The folder that holds it; nil for one behind a network.
    package var folder: String? { if case .folder(let path) = location { path } else { nil } }

    /// It is reached over a network, and is as slow as that.
    package var isRemote: Bool { folder == nil }

    /// How long nobody may destroy what is stored there; nil: no lock is declared.
    package var lock: Duration? { if case .s3(let bucket) = location { bucket.lock } else { nil } }

    /// It is a server that removes and replaces nothing for who writes there.
    package var isAppendOnly: Bool { if case .rest(let server) = location { server.isAppendOnly } else { false } }

    /// Runs remove nothing there: others do, with credentials that runs do not hold.
    package var isPrunedApart: Bool { pruning != nil || isAppendOnly }

    /// What a month may take of it.
    package var bucketBudget: BucketBudget {
        if case .s3(let bucket) = location { bucket.budget } else { BucketBudget() }
    }

    /// A file of certificates that is named for it.
    package var certificates: String? {
        switch location {
        case .folder: nil
        case .s3(let bucket): bucket.certificates
        case .rest(let server): server.certificates
        case .sftp: nil
        }
    }

    /// Where it is, for people: a folder, or a location as restic writes it.
    package var text: String { text(of: nil) }

    /// Where a repository on it lies, for people and for `-r`.
    package func text(of repository: String?) -> String {
        let behind = repository.map { "/\($0)" } ?? ""
        switch location {
        case .folder(let path): return path + behind
        case .s3(let place):
            let prefix = place.prefix.isEmpty ? "" : "/\(place.prefix)"
            return "s3:\(place.endpoint)/\(place.bucket)\(prefix)\(behind)"
        case .rest(let server): return "rest:\(server.url)\(behind)/"
        case .sftp(let folder):
            let user = folder.user.map { "\($0)@" } ?? ""
            guard let port = folder.port else { return "sftp:\(user)\(folder.host):\(folder.path)\(behind)" }
            return "sftp://\(user)\(folder.host):\(port)/\(folder.path)\(behind)"
        }
    }
}
