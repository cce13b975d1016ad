import Bytes
package import Outcome

/// Where a repository lies on a server that speaks restic's REST protocol, as restic writes it.
///
/// ```
/// rest:https://user:password@host:port/path/     rest:http+unix:///run/rest.socket:/path/
/// ```
package struct RESTLocation: Sendable {
    package var isSecure: Bool
    /// With its port, when one was named; `localhost` for a socket.
    package var host: String
    /// The socket in the file system that stands for the host; nil for a connection over the network.
    package var socket: String?
    /// From a slash to a slash, escaped as it was typed.
    package var path: String
    package var user: String?
    package var password: Secret?

    /// Why a location was not read.
    package struct Trouble: Error, Hashable {
        package var what: String
    }

    /// Reads what stands behind `rest:`.
    package init(parsing text: String) throws(Trouble) {
        if let rest = RESTLocation.rest(of: text, behind: "http+unix://") {
            try self.init(socket: rest, isSecure: false)
        } else if let rest = RESTLocation.rest(of: text, behind: "https+unix://") {
            try self.init(socket: rest, isSecure: true)
        } else if let rest = RESTLocation.rest(of: text, behind: "https://") {
            try self.init(authority: rest, isSecure: true)
        } else if let rest = RESTLocation.rest(of: text, behind: "http://") {
            try self.init(authority: rest, isSecure: false)
        } else {
            throw Trouble(what: "rest: the location has to begin with http://, https:// or http+unix://")
        }
    }

    private init(authority text: Substring, isSecure: Bool) throws(Trouble) {
        let end = text.firstIndex(of: "/") ?? text.endIndex
        var authority = text[..<end]
        (user, password) = (nil, nil)
        if let at = authority.lastIndex(of: "@") {
            let names = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = RESTLocation.unescaped(names[0])
            password = names.count > 1 ? Secret(Array(RESTLocation.unescaped(names[1]).utf8)) : nil
            authority = authority[authority.index(after: at)...]
        }
        guard !authority.isEmpty, authority.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw Trouble(what: "rest: the location names no host")
        }
        self.isSecure = isSecure
        host = String(authority)
        socket = nil
        path = RESTLocation.ended(text[end...])
    }

    /// `/run/rest.socket:/path/`; the path may be left out.
    private init(socket text: Substring, isSecure: Bool) throws(Trouble) {
        let colon = text.firstIndex(of: ":") ?? text.endIndex
        let socket = text[..<colon]
        guard socket.hasPrefix("/"), socket.utf8.count > 1 else {
            throw Trouble(what: "rest: http+unix:// wants the whole path of a socket behind it")
        }
        self.isSecure = isSecure
        host = "localhost"
        self.socket = String(socket)
        path = RESTLocation.ended(text[colon...].dropFirst())
        (user, password) = (nil, nil)
    }

    /// Whatever answers, at its root.
    static var localhost: RESTLocation { RESTLocation() }

    private init() {
        (isSecure, host, socket, path) = (false, "localhost", nil, "/")
        (user, password) = (nil, nil)
    }

    /// As it is shown, without the password (S-04).
    package var text: String {
        let scheme = isSecure ? "https" : "http"
        if let socket { return "rest:\(scheme)+unix://\(socket):\(path)" }
        let names = user.map { password == nil ? "\($0)@" : "\($0):***@" } ?? ""
        return "rest:\(scheme)://\(names)\(host)\(path)"
    }

    /// The address of what lies below the repository.
    func url(_ name: String) -> String {
        let scheme = isSecure ? "https" : "http"
        guard let socket else { return "\(scheme)://\(host)\(path)\(name)" }
        return "\(scheme)+unix://\(S3Escape.value(socket))\(path)\(name)"
    }

    /// For messages: the machine or the socket.
    var place: String { socket ?? host }

    private static func rest(of text: String, behind scheme: String) -> Substring? {
        text.hasPrefix(scheme) ? text.dropFirst(scheme.count) : nil
    }

    private static func ended(_ path: Substring) -> String {
        path.isEmpty ? "/" : path.hasSuffix("/") ? String(path) : "\(path)/"
    }

    private static func unescaped(_ text: Substring) -> String {
        // A plus is one in the names of users.
        let bytes = S3Escape.unescape(Array(text.replacing(plus: "%2B").utf8))
        return bytes.map { String(decoding: $0, as: UTF8.self) } ?? String(text)
    }
}

extension Substring {
    fileprivate func replacing(plus replacement: String) -> String {
        split(separator: "+", omittingEmptySubsequences: false).joined(separator: replacement)
    }
}

extension RESTLocation: Hashable {
    package static func == (left: RESTLocation, right: RESTLocation) -> Bool {
        left.text == right.text && bytes(left.password) == bytes(right.password)
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }

    private static func bytes(_ secret: Secret?) -> [UInt8]? { secret?.withBytes { Array($0) } }
}
