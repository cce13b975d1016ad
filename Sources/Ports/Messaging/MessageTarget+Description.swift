/// Prints and reflects as its kind and host: the rest can be a secret (S-04).
package protocol HostOnlyDescription: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {}

extension HostOnlyDescription {
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension MessageTarget: HostOnlyDescription {
    package var description: String {
        switch self {
        case .ntfy(let target): target.description
        case .mail(let target): target.description
        case .webhook(let target): target.description
        case .ping(let target): target.description
        }
    }
}

extension NtfyTarget: HostOnlyDescription {
    package var description: String { "ntfy at \(WebAddress.origin(of: url))" }
}

extension MailTarget: HostOnlyDescription {
    package var description: String { "mail by \(place)" }
}

extension WebhookTarget: HostOnlyDescription {
    package var description: String { "webhook at \(WebAddress.origin(of: url))" }
}

extension WebhookTarget.Header: HostOnlyDescription {
    package var description: String { name }
}

extension PingTarget: HostOnlyDescription {
    package var description: String { "check at \(WebAddress.origin(of: url))" }
}
