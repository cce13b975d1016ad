import Bytes
import Glibc
import HostSystem
import Outcome
import Protection
import Strategy

/// Writes the identity of a medium into its declaration, in the place of another or where none stood, and changes nothing else in it.
///
/// The result is read before it is kept: unless it is the same declaration with that identity, the file stays as it was.
struct IdentityPin {
    let place: DeclarationPlace
    /// As declared so far.
    let medium: Medium
    let identity: String

    /// Errors: `E-DECLARATION` when the place for it is not found, `E-FOLDER` when the file cannot be written.
    func write() throws {
        do throws(Errno) {
            let bytes = try readFile(ByteString(place.path), limit: DeclarationPlace.bytesMax)
            guard let text = String(validating: bytes, as: UTF8.self), let changed = changed(text), isRight(changed)
            else { throw Errno(EINVAL, in: "replace") }
            try place.replace(by: Array(changed.utf8))
        } catch  where error.code == EINVAL {
            let place = medium.identity.map { "does not hold \($0) exactly once, as" } ?? "has no plain place for"
            throw LabFailure(
                .declaration,
                operation: "replace",
                object: self.place.path,
                what: "\(place) the identity of \(medium.name)",
                state: "nothing was changed",
                next: "write identity: \"\(identity)\" into the entry of the medium yourself, and run this again"
            )
        } catch {
            throw LabFailure.folder("write", place.path, error)
        }
    }

    private func changed(_ text: String) -> String? {
        guard let old = medium.identity else { return inserted(text) }
        let parts = text.split(separator: old, omittingEmptySubsequences: false)
        return parts.count == 2 ? parts.joined(separator: identity) : nil
    }

    /// Into the braces behind the medium's name, or as the first line below it.
    ///
    /// Nil when the medium's entry is not understood here, such as one in a file that is included.
    private func inserted(_ text: String) -> String? {
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(Array.init)
        let (row, column) = (medium.place.line - 1, medium.place.column - 1)
        guard medium.place.file == place.name, lines.indices.contains(row), lines[row].indices.contains(column),
            let colon = lines[row][column...].firstIndex(of: ":")
        else { return nil }
        let rest = lines[row][(colon + 1)...]
        if let first = rest.firstIndex(where: { $0 != " " }), rest[first] == "{" {
            lines[row].insert(contentsOf: " identity: \"\(identity)\",".unicodeScalars, at: first + 1)
        } else {
            let below = lines[(row + 1)...].first { line in
                line.first { $0 != " " }.map { $0 != "#" && $0 != "\r" } ?? false
            }
            guard let below else { return nil }
            let indentation = below.prefix { $0 == " " }
            guard indentation.count > column else { return nil }
            lines.insert(Array(indentation) + Array("identity: \"\(identity)\"".unicodeScalars), at: row + 1)
        }
        return String(String.UnicodeScalarView(lines.joined(separator: CollectionOfOne("\n"))))
    }

    private func isRight(_ text: String) -> Bool {
        guard var wanted = try? place.decode().lab, let found = try? place.decode(Array(text.utf8)).lab else {
            return false
        }
        for index in wanted.media.indices where wanted.media[index].name == medium.name {
            wanted.media[index].identity = identity
        }
        return EffectiveDeclaration(lab: found).text == EffectiveDeclaration(lab: wanted).text
    }
}

extension DeclarationPlace {
    /// Puts other bytes in the place of the file, whole or not at all.
    func replace(by bytes: [UInt8]) throws(Errno) {
        let (folder, name) = splitPath(path)
        try writeDurably(
            bytes,
            to: ByteString(name),
            in: try Directory.open(ByteString(folder)),
            ifExists: .replace,
            entropy: SystemEntropy()
        )
    }
}
