package import Bytes
import Console
package import ObjectStorage

/// Where a repository lies, as it was typed.
package enum RepositoryLocation: Hashable, Sendable {
    /// A directory of this machine.
    case local(path: ByteString)
    /// A bucket of an object store.
    case s3(S3Location)
    /// A server of restic's REST protocol.
    case rest(RESTLocation)
    /// A folder of a machine that is reached by SFTP.
    case sftp(SFTPLocation)
    /// What rclone reaches, as it takes it.
    case rclone(remote: ByteString)

    private static let networkSchemes = ["azure", "b2", "gs", "swift"]

    /// Reads `local:PATH`, `PATH`, `s3:…`, `rest:…`, `sftp:…`, `rclone:…`, and refuses by name what is not there yet.
    package static func parse(_ text: ByteString) throws(CommandFailure) -> RepositoryLocation {
        let scheme = text.cut(0x3a)?.before.display ?? ""
        if scheme == "local", let (_, path) = text.cut(0x3a) { return .local(path: path) }
        if scheme == "s3", let (_, rest) = text.cut(0x3a) {
            do throws(S3Location.Trouble) {
                return .s3(try S3Location(parsing: String(decoding: rest.bytes, as: UTF8.self)))
            } catch {
                throw .fatal("parsing repository location failed: \(Text(error.what))")
            }
        }
        if scheme == "rest", let (_, rest) = text.cut(0x3a) {
            do throws(RESTLocation.Trouble) {
                return .rest(try RESTLocation(parsing: String(decoding: rest.bytes, as: UTF8.self)))
            } catch {
                throw .fatal("parsing repository location failed: \(Text(error.what))")
            }
        }
        if scheme == "sftp", let (_, rest) = text.cut(0x3a) {
            do throws(SFTPLocation.Trouble) {
                return .sftp(try SFTPLocation(parsing: String(decoding: rest.bytes, as: UTF8.self)))
            } catch {
                throw .fatal("parsing repository location failed: \(Text(error.what))")
            }
        }
        if scheme == "rclone", let (_, remote) = text.cut(0x3a) { return .rclone(remote: remote) }
        if networkSchemes.contains(scheme) {
            throw .notYet("storage of the kind \"\(scheme):\"")
        }
        if text.bytes.contains(0x3a), !looksLikePath(text) {
            throw .fatal(
                "parsing repository location failed: invalid backend\nIf the repository is in a local directory, you need to add a `local:` prefix"
            )
        }
        return .local(path: text)
    }

    /// The location without user names and passwords, for people and logs (S-04).
    package static func shown(_ text: ByteString) -> ByteString {
        guard let range = text.bytes.firstRange(of: Array("://".utf8)) else { return text }
        let rest = text.bytes[range.upperBound...]
        let authority = rest.prefix { $0 != 0x2f }
        guard let at = authority.lastIndex(of: 0x40) else { return text }
        let user = authority[..<at].prefix { $0 != 0x3a }
        guard user.count < at - authority.startIndex else { return text }
        return ByteString(Array(text.bytes[..<range.upperBound]) + user + Array(":***".utf8) + rest[at...])
    }

    private static func looksLikePath(_ text: ByteString) -> Bool {
        text.hasPrefix("/") || text.hasPrefix("../") || text.hasPrefix("\\") || text.hasPrefix("..\\")
    }
}
