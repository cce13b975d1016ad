/// Where a repository lies on a machine that is reached by SFTP, as restic writes it.
///
/// ```
/// sftp://user@host:port/relative/path    sftp://host//absolute/path    sftp:user@host:relative/path    sftp:host:/absolute/path
/// ```
package struct SFTPLocation: Sendable, Hashable {
    package var user: String
    package var host: String
    /// Empty: that of ssh.
    package var port: String
    /// Without a slash at its end; a relative one counts from where the server puts the user.
    package var path: String

    /// Why a location was not read, in restic's words.
    package struct Trouble: Error, Hashable {
        package var what: String
    }

    /// Reads what stands behind `sftp:`.
    package init(parsing text: String) throws(Trouble) {
        var rest = Substring(text)
        port = ""
        let authority: Substring
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let slash = rest.firstIndex(of: "/") ?? rest.endIndex
            var ends = rest[..<slash]
            guard slash < rest.endIndex, rest.index(after: slash) < rest.endIndex else {
                throw Trouble(what: "sftp: invalid format, hostname or path not found")
            }
            if let colon = ends.lastIndex(of: ":"), !ends[colon...].contains("]") {
                port = String(ends[ends.index(after: colon)...])
                ends = ends[..<colon]
            }
            authority = ends
            rest = rest[rest.index(after: slash)...]
        } else {
            guard let colon = rest.firstIndex(of: ":") else {
                throw Trouble(what: "sftp: invalid format, hostname or path not found")
            }
            authority = rest[..<colon]
            rest = rest[rest.index(after: colon)...]
        }
        let at = authority.lastIndex(of: "@")
        user = at.map { String(authority[..<$0]) } ?? ""
        var host = at.map { authority[authority.index(after: $0)...] } ?? authority
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, !rest.isEmpty else {
            throw Trouble(what: "sftp: invalid format, hostname or path not found")
        }
        guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), !user.contains(":") else {
            throw Trouble(
                what: "sftp: the port is no number, or a password stands in the location; ssh finds its own keys"
            )
        }
        guard !rest.hasPrefix("~") else {
            throw Trouble(
                what:
                    "sftp path starts with the tilde (~) character, that fails for most sftp servers.\nUse a relative directory, most servers interpret this as relative to the user's home directory."
            )
        }
        self.host = String(host)
        path = SFTPLocation.cleaned(rest)
    }

    /// As it is shown; nothing in it is a secret.
    package var text: String {
        let name = user.isEmpty ? host : "\(user)@\(host)"
        return port.isEmpty ? "sftp:\(name):\(path)" : "sftp://\(name):\(port)/\(path)"
    }

    private static func cleaned(_ path: Substring) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
        }
        let joined = parts.joined(separator: "/")
        return path.hasPrefix("/") ? "/\(joined)" : joined.isEmpty ? "." : joined
    }
}
