/// Makes the channels of a declaration that fits the schema, and finds what their parts cannot mean together.
struct ChannelBuilder {
    private(set) var problems: [StrategyProblem] = []
    private(set) var warnings: [StrategyProblem] = []

    mutating func channels(_ items: [DeclaredValue]) -> [Channel] {
        var channels: [Channel] = []
        for item in items {
            let channel = channel(item.table)
            if !isName(channel.name) {
                report(channel.place, "notify.name", "is not a name", "use up to 64 letters, digits, - _ .")
            }
            if let twin = channels.first(where: { $0.name == channel.name }) {
                report(
                    channel.place,
                    "notify",
                    "is called \"\(channel.name)\", as is the channel at \(twin.place.text)",
                    "give each a name of its own: name: NAME"
                )
            }
            channels.append(channel)
        }
        return channels
    }

    private mutating func channel(_ table: DeclaredTable) -> Channel {
        let (kind, carrier) = carrier(table)
        let words = (table["events"]?.texts ?? []).compactMap(AlarmEvent.init(rawValue:))
        if case .ping = carrier {
            for key in ["events", "remind", "sign-of-life"] where table[key] != nil {
                report(
                    table.place(of: key),
                    "notify.\(key)",
                    "means nothing beside ping",
                    "remove it: a check hears each run begin and end"
                )
            }
        }
        var remind: Duration? = .seconds(86_400)
        switch table["remind"]?.scalar {
        case .duration(let length)?: remind = length
        case .text?: remind = nil
        default: break
        }
        return Channel(
            name: table["name"]?.text ?? kind,
            carrier: carrier,
            events: table["events"] == nil ? Set(AlarmEvent.usual) : Set(words),
            remind: remind,
            signOfLife: signOfLife(table),
            place: table.place
        )
    }

    private func signOfLife(_ table: DeclaredTable) -> Schedule {
        if case .schedule(let schedule)? = table["sign-of-life"]?.scalar { return schedule }
        guard let weekly = try? Schedule(signOfLifeFallback) else { preconditionFailure("a schedule of our own") }
        return weekly
    }

    private mutating func carrier(_ table: DeclaredTable) -> (String, Channel.Carrier) {
        if let ntfy = table["ntfy"]?.table { return ("ntfy", .ntfy(self.ntfy(ntfy))) }
        if let mail = table["smtp"]?.table { return ("smtp", .mail(self.mail(mail))) }
        if let hook = table["webhook"]?.table { return ("webhook", .webhook(webhook(hook))) }
        guard let ping = table["ping"]?.table else { preconditionFailure("the schema requires a carrier") }
        let declaration = PingDeclaration(address: address(ping), certificates: ping["certificates"]?.text)
        if declaration.address.isLoopback {
            warn(
                ping.place(of: "url"),
                "notify.ping.url",
                "is on this machine: when it dies, so does the alarm",
                "name a check that runs elsewhere"
            )
        }
        return ("ping", .ping(declaration))
    }

    private mutating func ntfy(_ table: DeclaredTable) -> NtfyDeclaration {
        let ntfy = NtfyDeclaration(
            address: address(table),
            token: secret(table, "token"),
            user: table["user"]?.text,
            password: secret(table, "password"),
            certificates: table["certificates"]?.text
        )
        checkPair("user", "password", in: table, "notify.ntfy")
        if ntfy.token != nil, ntfy.password != nil {
            report(table.place(of: "token"), "notify.ntfy.token", "stands beside a password", "keep one of them")
        }
        if case .plain(let text) = ntfy.address, text.split(separator: "/").count != 3 {
            report(
                table.place(of: "url"),
                "notify.ntfy.url",
                "is no address with one topic behind the server",
                "write such as https://ntfy.example/lab"
            )
        }
        if ntfy.address.isInTheClear, ntfy.token != nil || ntfy.password != nil {
            warnClear(table.place(of: "url"), "notify.ntfy.url")
        }
        return ntfy
    }

    private mutating func mail(_ table: DeclaredTable) -> MailDeclaration {
        let security = table["security"].flatMap { MailDeclaration.Security(rawValue: $0.text) } ?? .tls
        var port = security.port
        if case .count(let number)? = table["port"]?.scalar { port = UInt16(number) }
        let mail = MailDeclaration(
            host: table["host"]?.text ?? "",
            port: port,
            security: security,
            user: table["user"]?.text,
            password: secret(table, "password"),
            from: table["from"]?.text ?? "",
            to: table["to"]?.texts ?? [],
            certificates: table["certificates"]?.text
        )
        checkPair("user", "password", in: table, "notify.smtp")
        if !isHost(mail.host) {
            report(table.place(of: "host"), "notify.smtp.host", "is no name of a host", "write such as mail.example")
        }
        for (key, address) in [("from", mail.from)] + mail.to.map({ ("to", $0) }) where !isMailAddress(address) {
            report(
                table.place(of: key),
                "notify.smtp.\(key)",
                "holds no mail address: \"\(printable(address))\"",
                "write such as holdfast@lab.example"
            )
        }
        if security == .none, mail.password != nil { warnClear(table.place(of: "security"), "notify.smtp.security") }
        return mail
    }

    private mutating func webhook(_ table: DeclaredTable) -> WebhookDeclaration {
        var headers: [WebhookDeclaration.Header] = []
        for entry in table["headers"]?.table.entries ?? [] {
            guard case .secret(let reference) = entry.value.scalar else { continue }
            if ownHeaders.contains(entry.key.lowercased()) {
                report(
                    entry.place,
                    "notify.webhook.headers.\(entry.key)",
                    "is set by the request itself",
                    "remove it; the media type is content-type"
                )
            }
            headers.append(WebhookDeclaration.Header(name: entry.key, value: reference))
        }
        let hook = WebhookDeclaration(
            address: address(table),
            method: table["method"]?.text ?? "POST",
            contentType: table["content-type"]?.text ?? "application/json",
            template: table["template"]?.text,
            headers: headers,
            certificates: table["certificates"]?.text
        )
        if !hook.contentType.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) || !hook.contentType.contains("/") {
            report(
                table.place(of: "content-type"),
                "notify.webhook.content-type",
                "is no media type",
                "write such as application/json"
            )
        }
        if hook.address.isInTheClear, !headers.isEmpty { warnClear(table.place(of: "url"), "notify.webhook.url") }
        return hook
    }

    private func address(_ table: DeclaredTable) -> ChannelAddress {
        switch table["url"]?.scalar {
        case .secret(let reference)?: .secret(reference)
        case .text(let text)?: .plain(text)
        default: preconditionFailure("the schema requires an address")
        }
    }

    private func secret(_ table: DeclaredTable, _ key: String) -> SecretReference? {
        if case .secret(let reference)? = table[key]?.scalar { reference } else { nil }
    }

    private mutating func checkPair(_ one: String, _ other: String, in table: DeclaredTable, _ key: String) {
        for (present, absent) in [(one, other), (other, one)] where table[present] != nil && table[absent] == nil {
            report(table.place(of: present), "\(key).\(present)", "stands without \(absent)", "add \"\(absent)\"")
        }
    }

    private mutating func warnClear(_ place: Place, _ key: String) {
        warn(place, key, "sends a password where everybody on the way reads it", "use TLS")
    }

    private mutating func report(_ place: Place, _ key: String, _ what: String, _ next: String) {
        problems.append(StrategyProblem(place, key: key, what: what, next: next))
    }

    private mutating func warn(_ place: Place, _ key: String, _ what: String, _ next: String) {
        warnings.append(StrategyProblem(place, key: key, what: what, next: next))
    }
}

/// Headers that belong to the request, in lower case.
private let ownHeaders: Set<String> = ["host", "content-length", "transfer-encoding", "connection", "content-type"]

/// When the sign of life is due unless a channel says.
let signOfLifeFallback = "mon 09:00"

/// An address of the web, which may be written out unless it holds a user or password.
func readChannelAddress(_ text: String, folder: String) throws(NotationError) -> DeclaredScalar {
    guard text.hasPrefix("http://") || text.hasPrefix("https://") else {
        do throws(NotationError) {
            return .secret(try readSecretReference(text, folder: folder))
        } catch {
            throw NotationError("is neither an address nor a reference to a secret", next: addressAdvice)
        }
    }
    let rest = text[(text.firstRange(of: "://")?.upperBound ?? text.startIndex)...]
    let authority = rest.prefix { !"/?#".contains($0) }
    guard text.utf8.count <= StrategyLimits.addressBytes, text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
        throw NotationError(
            "is no address: it has a blank, a letter outside of ASCII, or is too long",
            next: addressAdvice
        )
    }
    // The text is not repeated: it holds what may be a password.
    guard !authority.contains("@") else {
        throw NotationError("holds a user or password", next: "put the whole address into a file: file:PATH")
    }
    guard !authority.isEmpty, !authority.hasPrefix(":") else {
        throw NotationError("names no host", next: addressAdvice)
    }
    let behind =
        authority.hasPrefix("[") ? authority[(authority.lastIndex(of: "]") ?? authority.startIndex)...] : authority
    if let colon = behind.lastIndex(of: ":"), UInt16(behind[behind.index(after: colon)...]) ?? 0 == 0 {
        throw NotationError("has a port that is none", next: "write one from 1 to 65535, or leave it out")
    }
    return .text(text)
}

let addressAdvice =
    "write https://HOST/…; where the address itself is a secret, a reference to it: \"file:PATH\", \"vault:ITEM\""

private func isHost(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 255
        && text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"):
                true
            default: false
            }
        } && !text.hasPrefix("-")
}

private func isMailAddress(_ text: String) -> Bool {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.count <= 254 && !text.hasPrefix("-")
        && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && !"<>\"(),:;\\[]".utf8.contains($0) }
}
