/// Where a message goes.
package enum MessageTarget: Sendable, Hashable {
    case ntfy(NtfyTarget)
    case mail(MailTarget)
    case webhook(WebhookTarget)
    /// The message's own words stand in when the ping has no text.
    case ping(PingTarget)
}

/// A topic of an ntfy server.
package struct NtfyTarget: Sendable, Hashable {
    /// `https://ntfy.example/topic`.
    package var url: String
    /// Before user and password, when both are there.
    package var token: String?
    package var user: String?
    package var password: String?
    /// A PEM file that is trusted beside no others; nil: the system's.
    package var certificates: String?

    package init(
        url: String,
        token: String? = nil,
        user: String? = nil,
        password: String? = nil,
        certificates: String? = nil
    ) {
        self.url = url
        self.token = token
        self.user = user
        self.password = password
        self.certificates = certificates
    }
}

/// A mail server that takes messages, and from whom to whom.
package struct MailTarget: Sendable, Hashable {
    /// When TLS begins.
    package enum Security: String, Sendable, Hashable {
        /// With the connection; port 465.
        case tls
        /// By STARTTLS, or nothing is sent; port 587.
        case starttls
        /// Never: for a server on this machine.
        case none
    }

    package var host: String
    package var port: Int
    package var security: Security
    package var user: String?
    package var password: String?
    /// `holdfast@example.org` or `Holdfast <holdfast@example.org>`.
    package var from: String
    /// The server takes it for all of them, or the message has failed.
    package var to: [String]
    /// A PEM file that is trusted beside no others; nil: the system's.
    package var certificates: String?

    package init(
        host: String,
        port: Int,
        security: Security,
        user: String? = nil,
        password: String? = nil,
        from: String,
        to: [String],
        certificates: String? = nil
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.user = user
        self.password = password
        self.from = from
        self.to = to
        self.certificates = certificates
    }
}

/// A question to any web server, with what the caller has rendered.
package struct WebhookTarget: Sendable, Hashable {
    /// One line of the head.
    package struct Header: Sendable, Hashable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package var url: String
    /// `POST` or `PUT`.
    package var method: String
    package var headers: [Header]
    /// Unless `headers` have one.
    package var contentType: String
    package var body: String
    /// A PEM file that is trusted beside no others; nil: the system's.
    package var certificates: String?

    package init(
        url: String,
        method: String = "POST",
        headers: [Header] = [],
        contentType: String = "application/json",
        body: String,
        certificates: String? = nil
    ) {
        self.url = url
        self.method = method
        self.headers = headers
        self.contentType = contentType
        self.body = body
        self.certificates = certificates
    }
}

/// A check of healthchecks.io, or of a server that speaks as it does: it raises the alarm when pings stay away.
package struct PingTarget: Sendable, Hashable {
    /// What a ping says.
    package enum Kind: String, Sendable, Hashable {
        case start, success, failure, log
    }

    /// `https://hc-ping.com/UUID`, or with a key and a name.
    package var url: String
    package var kind: Kind
    /// One for the pings of one run; what is no UUID is told by a UUID made from it.
    package var runID: String?
    package var body: String
    /// A PEM file that is trusted beside no others; nil: the system's.
    package var certificates: String?

    package init(url: String, kind: Kind, runID: String? = nil, body: String = "", certificates: String? = nil) {
        self.url = url
        self.kind = kind
        self.runID = runID
        self.body = body
        self.certificates = certificates
    }
}
