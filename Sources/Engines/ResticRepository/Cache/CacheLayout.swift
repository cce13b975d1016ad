import Bytes
import HostSystem
import ObjectStorage

/// Why a cache cannot be used.
enum CacheFailure: Error {
    case system(Errno)
    /// Its `version` file says that a later program made it, or says nothing that can be read.
    case version(String)

    var text: String {
        switch self {
        case .system(let errno): errno.description
        case .version(let text): text
        }
    }
}

/// The directories of one repository's cache, open for the whole run.
struct CacheFolders: Sendable {
    private let packs: Directory
    private let indexes: Directory
    private let snapshots: Directory

    init(root: Directory) throws(CacheFailure) {
        packs = try Self.open("data", in: root)
        indexes = try Self.open("index", in: root)
        snapshots = try Self.open("snapshots", in: root)
    }

    private static func open(_ name: ByteString, in root: Directory) throws(CacheFailure) -> Directory {
        do throws(Errno) {
            return try CacheLayout.openOrCreate(name, in: root)
        } catch {
            throw .system(error)
        }
    }

    /// Nil for kinds that are never kept.
    subscript(kind: ObjectKind) -> Directory? {
        switch kind {
        case .pack: packs
        case .index: indexes
        case .snapshot: snapshots
        case .config, .key, .lock: nil
        }
    }
}

/// Names and files of restic's cache.
enum CacheLayout {
    static let version = 1
    static let tagName: ByteString = "CACHEDIR.TAG"
    static let tag = Array("Signature: 8a477f597d28d172789f06886806bc55\n".utf8)
    static let temporaryPrefix: ByteString = "tmp-"

    /// The first two digits.
    static func prefix(_ id: Digest) -> ByteString { ByteString(String(id.hex.prefix(2))) }

    /// `ab/abcd…`, 67 bytes.
    static func path(_ id: Digest) -> ByteString {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(67)
        id.appendHex(to: &bytes)
        bytes.insert(contentsOf: [bytes[0], bytes[1], UInt8(ascii: "/")], at: 0)
        return ByteString(bytes)
    }

    /// The directory `name` below `base`, both created where they are missing, marked and of a version that we know.
    static func open(base: ByteString, name: String, entropy: any EntropySource) throws(CacheFailure) -> Directory {
        let parent: Directory
        let root: Directory
        do throws(Errno) {
            parent = try Directory.createAll(base)
            if try !parent.exists(tagName) { try writeNew(tag, tagName, in: parent) }
            root = try openOrCreate(ByteString(name), in: parent)
        } catch {
            throw .system(error)
        }
        try checkVersion(root, entropy: entropy)
        return root
    }

    private static func checkVersion(_ root: Directory, entropy: any EntropySource) throws(CacheFailure) {
        let text: [UInt8]
        do throws(Errno) {
            do throws(Errno) {
                text = try readAll(root.openFile("version"), limit: 64)
            } catch  where error.kind == .missing {
                return try writeDurably(
                    Array("\(version)".utf8),
                    to: "version",
                    in: root,
                    permissions: 0o600,
                    entropy: entropy
                )
            }
        } catch {
            throw .system(error)
        }
        guard let found = Int(String(decoding: text, as: UTF8.self)) else {
            throw .version("its version file is damaged")
        }
        guard found <= version else { throw .version("cache version is newer") }
    }

    private static func writeNew(_ bytes: [UInt8], _ name: ByteString, in directory: Directory) throws(Errno) {
        do throws(Errno) {
            let file = try directory.createFile(name, permissions: 0o644)
            try file.write(bytes)
            try file.close()
        } catch  where error.kind == .exists {
            return
        }
    }

    /// Opens a directory and creates it first if it is missing.
    static func openOrCreate(_ name: ByteString, in parent: Directory) throws(Errno) -> Directory {
        do throws(Errno) {
            return try parent.openDirectory(name)
        } catch  where error.kind == .missing {
            do throws(Errno) {
                try parent.createDirectory(name)
            } catch  where error.kind == .exists {
                // Another process was faster.
            }
            return try parent.openDirectory(name)
        }
    }

    /// Writes a copy under a temporary name and gives it its own.
    static func write(_ block: Block, _ id: Digest, in folder: Directory, entropy: any EntropySource) throws(Errno) {
        let part = try openOrCreate(prefix(id), in: folder)
        let (temporary, file) = try part.createTemporaryFile(prefix: temporaryPrefix, entropy: entropy)
        do throws(Errno) {
            try block.withBytes { bytes throws(Errno) in try file.write(bytes) }
            try file.close()
            try part.rename(temporary, to: ByteString(id.hex), in: part)
        } catch {
            try? part.remove(temporary)
            throw error
        }
    }

    /// The names of all copies in a folder; what cannot be listed is not there.
    static func contents(of folder: Directory) -> [Digest] {
        var found: [Digest] = []
        guard let parts = try? folder.listing() else { return found }
        for index in parts.indices where parts.name(at: index).bytes.count == 2 {
            guard let part = try? folder.openDirectory(of: index, in: parts), let names = try? part.listing() else {
                continue
            }
            for entry in names.indices {
                if let id = Digest(hex: names.name(at: entry).bytes) { found.append(id) }
            }
        }
        return found
    }
}
