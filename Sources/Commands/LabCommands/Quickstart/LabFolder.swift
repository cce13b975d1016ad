import Bytes
import Glibc
import HostSystem
import Protection
import Strategy

/// The folder of a lab: `holdfast.yaml`, `secrets/`, `media/`, `state/`, `restored/`.
///
/// 1. Everything is made with mode 0700 and 0600, whatever the umask (S-06).
/// 2. An existing declaration is never rewritten.
struct LabFolder {
    /// Absolute.
    let path: String

    static let declarationName = ByteString(DeclarationPlace.fileName)
    var declarationPath: String { "\(path)/\(Self.declarationName.display)" }
    var restoredPath: String { "\(path)/restored" }

    /// Finds the declaration, or writes the first one.
    ///
    /// `isNew` tells which.
    ///
    /// `standIn` is asked for the port of a server that plays the cloud when a new one is written.
    func declaration(
        protecting candidates: [String],
        standIn: () async throws -> Int?
    ) async throws -> (place: DeclarationPlace, isNew: Bool) {
        let directory = try made(path)
        let isNew: Bool
        do throws(Errno) {
            isNew = try !directory.exists(Self.declarationName)
        } catch {
            throw LabFailure.folder("look at", declarationPath, error)
        }
        if isNew {
            var template = try template(candidates)
            template.standInPort = try await standIn()
            if template.standInPort != nil { try writeKeys() }
            let text = template.text
            do throws(Errno) {
                try writeDurably(
                    Array(text.utf8),
                    to: Self.declarationName,
                    in: directory,
                    ifExists: .fail,
                    entropy: SystemEntropy()
                )
            } catch {
                throw LabFailure.folder("write", declarationPath, error)
            }
        }
        let place = try DeclarationPlace(named: declarationPath, workingDirectory: path)
        return (place, isNew)
    }

    /// One key that both credentials of the stand-in name: there is nobody to keep apart on one machine.
    private func writeKeys() throws {
        let text = StandInKey(SystemEntropy()).text
        let secrets = try made("\(path)/secrets")
        for name in ["cloud.key", "cloud-reader.key"] as [ByteString] {
            do throws(Errno) {
                let entropy = SystemEntropy()
                try writeDurably(Array(text.utf8), to: name, in: secrets, ifExists: .replace, entropy: entropy)
            } catch {
                throw LabFailure.folder("write", "\(path)/secrets/\(name.display)", error)
            }
        }
    }

    /// The folder in which a server that plays the cloud keeps its objects.
    var standInPath: String { "\(path)/media/cloud" }
    var kitPath: String { "\(path)/kit.txt" }

    /// Makes the folders of media that a new declaration names.
    ///
    /// Later a missing one is refused: its disk may be elsewhere.
    func makeMedia(_ lab: Lab) throws {
        for folder in lab.media.compactMap(\.folder) { _ = try made(folder) }
    }

    /// Opens a folder and makes it, and those above, where missing.
    func made(_ path: String) throws -> Directory {
        do throws(Errno) {
            return try Directory.createAll(ByteString(path))
        } catch {
            throw LabFailure.folder("create", path, error)
        }
    }

    private func template(_ candidates: [String]) throws -> DeclarationTemplate {
        var unreadable: [String] = []
        for candidate in candidates {
            unreadable += unreadableEntries(below: candidate).map(literalPattern)
        }
        let name = currentUserName(Accounts()).display
        return DeclarationTemplate(
            paths: candidates,
            exclude: [literalPattern(path), ".build*", "*.cache"],
            unreadable: unreadable,
            userName: name
        )
    }
}

/// The folders that a first run protects: the checkout that the working directory lies in, if it does, and `/etc`.
func candidateFolders(from workingDirectory: String) -> [String] {
    var found: [String] = []
    var folder = workingDirectory
    while folder.count > 1 {
        if exists("\(folder)/.git") {
            found.append(folder)
            break
        }
        folder = String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
    }
    if exists("/etc") { found.append("/etc") }
    return found.isEmpty ? [workingDirectory] : found
}

private func exists(_ path: String) -> Bool { (try? status(at: ByteString(path), followLinks: true)) != nil }

/// Paths below a folder that this user cannot read, at most `limit`, in order; those inside an unreadable folder are not known.
///
/// **Cost**: one look at each entry; it stops after 200,000. Names that are not UTF-8 are passed over: the backup reports them.
func unreadableEntries(below root: String, limit: Int = 200) -> [String] {
    guard !isSuperuser else { return [] }
    var found: [String] = []
    var pending = [root]
    var seen = 0
    while let folder = pending.popLast(), found.count < limit, seen < 200_000 {
        guard let directory = try? Directory.open(ByteString(folder), followLinks: false),
            let entries = try? directory.entries()
        else {
            found.append(folder)
            continue
        }
        for entry in entries {
            seen += 1
            guard let name = String(validating: entry.name.bytes, as: UTF8.self) else { continue }
            let path = folder == "/" ? "/\(name)" : "\(folder)/\(name)"
            switch (try? directory.status(entry.name))?.kind ?? entry.kind {
            case .directory: pending.append(path)
            case .regular where faccessat(directory.descriptor.rawValue, name, R_OK, AT_EACCESS) != 0:
                found.append(path)
            default: break
            }
        }
    }
    return found.filter { $0 != root }.sorted()
}
