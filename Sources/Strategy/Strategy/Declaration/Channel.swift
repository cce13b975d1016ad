/// A way in which the operator hears of the lab.
package struct Channel: Sendable, Hashable {
    /// What carries a message.
    package enum Carrier: Sendable, Hashable {
        case ntfy(NtfyDeclaration)
        case mail(MailDeclaration)
        case webhook(WebhookDeclaration)
        /// Hears each run begin and end, and raises the alarm itself when nothing comes.
        case ping(PingDeclaration)
    }

    package var name: String
    package var carrier: Carrier
    package var events: Set<AlarmEvent>
    /// What is wrong still is told again after this; nil: once.
    package var remind: Duration?
    /// When the sign of life is due.
    package var signOfLife: Schedule
    package var place: Place

    package var isPing: Bool { if case .ping = carrier { true } else { false } }
}

/// An address, which may be a secret as a whole: who knows it may write there.
package enum ChannelAddress: Sendable, Hashable {
    case plain(String)
    case secret(SecretReference)

    /// Host of a plain one, in lower case, without port; nil for a secret.
    package var host: String? {
        guard case .plain(let text) = self, let start = text.firstRange(of: "://") else { return nil }
        let rest = text[start.upperBound...].prefix { !"/?#".contains($0) }
        if rest.hasPrefix("[") { return rest.dropFirst().prefix { $0 != "]" }.lowercased() }
        return rest.prefix { $0 != ":" }.lowercased()
    }

    /// True for an address of this very machine; a secret one is taken to be elsewhere.
    package var isLoopback: Bool {
        guard let host else { return false }
        return host == "localhost" || host.hasSuffix(".localhost") || host == "::1" || host.hasPrefix("127.")
    }

    /// True where what is sent can be read on the way.
    package var isInTheClear: Bool {
        guard case .plain(let text) = self else { return false }
        return text.hasPrefix("http://") && !isLoopback
    }
}

/// A topic of an ntfy server.
package struct NtfyDeclaration: Sendable, Hashable {
    package var address: ChannelAddress
    package var token: SecretReference?
    package var user: String?
    package var password: SecretReference?
    /// A file in PEM; nil: the system's.
    package var certificates: String?
}

/// Mail through a server.
package struct MailDeclaration: Sendable, Hashable {
    /// How the way to the server is sealed.
    package enum Security: String, Sendable, Hashable, CaseIterable {
        case tls
        case starttls
        case none

        var port: UInt16 {
            switch self {
            case .tls: 465
            case .starttls: 587
            case .none: 25
            }
        }

        var summary: String {
            switch self {
            case .tls: "TLS from the first byte, port 465"
            case .starttls: "TLS after STARTTLS, port 587"
            case .none: "in the clear, port 25"
            }
        }
    }

    package var host: String
    package var port: UInt16
    package var security: Security
    package var user: String?
    package var password: SecretReference?
    package var from: String
    package var to: [String]
    package var certificates: String?
}

/// A request of the operator's own making.
package struct WebhookDeclaration: Sendable, Hashable {
    package var address: ChannelAddress
    package var method: String
    package var contentType: String
    /// In Mustache; nil: a JSON object with all there is.
    package var template: String?
    package var headers: [Header]
    package var certificates: String?

    /// A header whose value is a secret.
    package struct Header: Sendable, Hashable {
        package var name: String
        package var value: SecretReference
    }
}

/// A check in the way of healthchecks.io.
package struct PingDeclaration: Sendable, Hashable {
    package var address: ChannelAddress
    package var certificates: String?
}

extension Channel {
    /// The secrets that it needs, with the keys that name them.
    package var references: [(key: String, reference: SecretReference)] {
        func of(_ address: ChannelAddress) -> SecretReference? {
            if case .secret(let reference) = address { reference } else { nil }
        }
        let found: [(String, SecretReference?)] =
            switch carrier {
            case .ntfy(let ntfy):
                [("url", of(ntfy.address)), ("token", ntfy.token), ("password", ntfy.password)]
            case .mail(let mail): [("password", mail.password)]
            case .webhook(let hook):
                [("url", of(hook.address))] + hook.headers.map { ("headers.\($0.name)", $0.value) }
            case .ping(let ping): [("url", of(ping.address))]
            }
        return found.compactMap { key, reference in reference.map { ("notify.\(name).\(key)", $0) } }
    }

    /// The file that verifies the server; nil: the system's.
    package var certificates: String? {
        switch carrier {
        case .ntfy(let ntfy): ntfy.certificates
        case .mail(let mail): mail.certificates
        case .webhook(let hook): hook.certificates
        case .ping(let ping): ping.certificates
        }
    }

    /// In one word, as the file has it.
    package var kind: String {
        switch carrier {
        case .ntfy: "ntfy"
        case .mail: "smtp"
        case .webhook: "webhook"
        case .ping: "ping"
        }
    }
}

extension Lab {
    /// True when something outside of this machine would notice that it fell silent.
    package var isWatched: Bool {
        channels.contains { channel in
            if case .ping(let ping) = channel.carrier { !ping.address.isLoopback } else { false }
        }
    }
}
