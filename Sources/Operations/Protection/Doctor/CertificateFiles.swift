import Bytes
import HostSystem
package import Strategy

/// The files of certificates by which a declaration lets servers be verified, looked at on this machine.
///
/// Nothing makes them: one that is not there keeps a vault or a channel silent, and nobody hears of that by the channel itself.
package struct CertificateFiles {
    /// More than any system's whole collection, in bytes.
    private static let bytesMax = 8 << 20
    /// Both words that stand in front of one in PEM.
    private static let marks = ["-----BEGIN CERTIFICATE-----", "-----BEGIN TRUSTED CERTIFICATE-----"]

    /// One file, and what names it.
    package struct Named: Sendable, Hashable {
        /// As in `notify.phone.certificates`.
        package var key: String
        package var path: String
        package var place: Place
        /// Nil: it can be used, as far as a look at it tells.
        package var trouble: String?
        package var next = ""
    }

    /// Each that the declaration names, in the order of its parts.
    package let all: [Named]

    package init(_ lab: Lab) {
        var found: [(key: String, path: String?, place: Place)] = []
        if let vault = lab.vault { found.append(("vault.certificates", vault.certificates, vault.place)) }
        found += lab.media.map { ("media.\($0.name).certificates", $0.certificates, $0.place) }
        found += lab.channels.map { ("notify.\($0.name).certificates", $0.certificates, $0.place) }
        all = found.compactMap { key, path, place in
            path.map { Self.looked(Named(key: key, path: $0, place: place)) }
        }
    }

    private static func looked(_ named: Named) -> Named {
        var named = named
        do throws(Errno) {
            let kind = try status(at: ByteString(named.path), followLinks: true).kind
            let text =
                kind == .regular
                ? String(decoding: try readFile(ByteString(named.path), limit: bytesMax), as: UTF8.self) : ""
            guard !marks.contains(where: text.contains) else { return named }
            named.trouble = kind == .regular ? "holds no certificate in PEM" : "is no file"
            named.next = "name a file that begins with \(marks[0])"
        } catch  where error.kind == .missing {
            named.trouble = "is not there"
            named.next = "put the certificates there, or take the key out to trust the system's"
        } catch {
            named.trouble = "cannot be read: \(error)"
            named.next = error.remedy
        }
        return named
    }
}
