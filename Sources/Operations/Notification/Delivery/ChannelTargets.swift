import Messaging
import Outcome
import Protection
import Strategy

/// Makes of a channel the target that a message is carried to, with its secrets.
///
/// Secrets live in the target alone, for one delivery.
struct ChannelTargets {
    let secrets: LabSecrets

    /// The target; `body` is what the channel carries, for a webhook the whole request.
    ///
    /// Errors: those of the secrets.
    func target(of channel: Channel, body: String) async throws -> MessageTarget {
        switch channel.carrier {
        case .ntfy(let ntfy):
            return .ntfy(
                NtfyTarget(
                    url: try await text(ntfy.address),
                    token: try await text(ntfy.token),
                    user: ntfy.user,
                    password: try await text(ntfy.password),
                    certificates: ntfy.certificates
                )
            )
        case .mail(let mail):
            return .mail(
                MailTarget(
                    host: mail.host,
                    port: Int(mail.port),
                    security: Self.security(mail.security),
                    user: mail.user,
                    password: try await text(mail.password),
                    from: mail.from,
                    to: mail.to,
                    certificates: mail.certificates
                )
            )
        case .webhook(let hook):
            var headers: [WebhookTarget.Header] = []
            for header in hook.headers {
                headers.append(WebhookTarget.Header(name: header.name, value: try await text(header.value)))
            }
            return .webhook(
                WebhookTarget(
                    url: try await text(hook.address),
                    method: hook.method,
                    headers: headers,
                    contentType: hook.contentType,
                    body: body,
                    certificates: hook.certificates
                )
            )
        case .ping: preconditionFailure("a check is pinged")
        }
    }

    /// The address of a check.
    ///
    /// Errors: those of the secrets.
    func ping(_ ping: PingDeclaration, _ kind: PingTarget.Kind, _ body: String) async throws -> PingTarget {
        PingTarget(
            url: try await text(ping.address),
            kind: kind,
            body: body,
            certificates: ping.certificates
        )
    }

    private static func security(_ security: MailDeclaration.Security) -> MailTarget.Security {
        switch security {
        case .tls: .tls
        case .starttls: .starttls
        case .none: .none
        }
    }

    private func text(_ address: ChannelAddress) async throws -> String {
        switch address {
        case .plain(let text): text
        case .secret(let reference): try await text(reference)
        }
    }

    private func text(_ reference: SecretReference?) async throws -> String? {
        guard let reference else { return nil }
        return try await text(reference) as String
    }

    private func text(_ reference: SecretReference) async throws -> String {
        guard let secret = try await secrets.read(reference) else { throw missing(reference) }
        return secret.withBytes { String(decoding: $0, as: UTF8.self) }
    }

    private func missing(_ reference: SecretReference) -> ProtectionFailure {
        ProtectionFailure(
            .secret,
            operation: "read secret",
            object: reference.text,
            what: "is not there",
            state: "nothing was sent",
            next: "put it there, or name another place"
        )
    }
}
