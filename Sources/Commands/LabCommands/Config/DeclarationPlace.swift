import Bytes
import HostSystem
import Notification
import Outcome
import Protection
import ResticRepository
import Strategy

/// Where the declaration of this run lies, and how it is read.
struct DeclarationPlace: Sendable {
    /// Absolute.
    let path: String
    /// As the operator named it.
    let name: String

    /// Bytes; the declaration itself is bounded again by the reader.
    static let bytesMax = 2 << 20
    /// Of a file that is larger than any declaration.
    private static let tooLarge = (
        what: "is larger than \(StrategyLimits.fileBytes >> 20) MiB, where a declaration has a few KiB",
        next: "name the declaration itself; a very long one may stand in several files, named by include"
    )
    static let fileName = "holdfast.yaml"
    static let systemPath = "/etc/holdfast/holdfast.yaml"

    /// The file that is named, or that of `HOLDFAST_CONFIG`, or the one in the working directory, or the machine's.
    ///
    /// Errors: `E-DECLARATION` when there is none.
    init(named option: String?, workingDirectory: String) throws {
        if let named = option ?? environmentText("HOLDFAST_CONFIG"), !named.isEmpty {
            try refuseOtherBytes([named])
            name = named
            path = named.hasPrefix("/") ? named : "\(workingDirectory)/\(named)"
            return
        }
        let candidates = ["\(workingDirectory)/\(Self.fileName)", Self.systemPath]
        for (number, candidate) in candidates.enumerated()
        where (try? status(at: ByteString(candidate), followLinks: true)) != nil {
            path = candidate
            name = number == 0 ? Self.fileName : candidate
            return
        }
        throw LabFailure(
            .declaration,
            operation: "find",
            object: Self.fileName,
            what: "is neither in this folder nor in /etc/holdfast",
            state: "nothing was changed",
            next: "name it with --config FILE, or begin with `holdfast quickstart`"
        )
    }

    var folder: String { splitPath(path).folder }

    /// What a declaration says, and the files that say it.
    struct Reading {
        var lab: Lab
        /// The file first, then those that it includes; names are such that each stands once.
        var files: [(name: String, bytes: [UInt8])]
    }

    /// Reads the file and those that it includes.
    ///
    /// Errors: `E-DECLARATION` with all problems, `E-FOLDER` when the file cannot be read.
    func read() throws -> Lab { try readWithFiles().lab }

    /// As `read`, with the files.
    func readWithFiles() throws -> Reading {
        do {
            return try decode()
        } catch let problems as StrategyProblems {
            throw LabFailure.declaration(problems, path: name)
        }
    }

    /// As `readWithFiles`, but throws the problems themselves, as `StrategyProblems`.
    func decode() throws -> Reading {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try readFile(ByteString(path), limit: Self.bytesMax)
        } catch {
            guard error.kind == .fileTooLarge else { throw LabFailure.folder("read", path, error) }
            throw LabFailure(
                .declaration,
                operation: "read",
                object: path,
                what: Self.tooLarge.what,
                state: "nothing was changed",
                next: Self.tooLarge.next
            )
        }
        return try decode(bytes)
    }

    /// As `decode`, of other bytes in the place of the file's.
    func decode(_ bytes: [UInt8]) throws -> Reading {
        var files = [(name: Self.fileName, bytes: bytes)]
        let rules = DeclarationRules(
            load: { path throws(StrategyProblem) in
                let file = try load(path)
                files.append((name: "include-\(files.count)-\(splitPath(path).name)", bytes: file.bytes))
                return file
            },
            patternProblem: {
                PatternList.malformed([ByteString($0)]).isEmpty ? nil : "a bracket or a backslash has no end"
            },
            isKnownZone: { MachineZones.read($0) != nil },
            templateProblem: { WebhookBody.problem(of: $0) }
        )
        let lab = try readDeclaration(DeclarationFile(name: name, folder: folder, bytes: bytes), rules)
        return Reading(lab: lab, files: files)
    }

    /// An included file, named in messages as it lies below the folder of the main one.
    private func load(_ included: String) throws(StrategyProblem) -> DeclarationFile {
        let isBelow = included.hasPrefix(folder + "/")
        let shown = isBelow ? String(included.dropFirst(folder.utf8.count + 1)) : included
        do throws(Errno) {
            let bytes = try readFile(ByteString(included), limit: Self.bytesMax)
            return DeclarationFile(name: shown, folder: splitPath(included).folder, bytes: bytes)
        } catch {
            guard error.kind == .fileTooLarge else {
                throw StrategyProblem(Place(file: shown), what: "\(shown) cannot be read: \(error)", next: error.remedy)
            }
            throw StrategyProblem(Place(file: shown), what: "\(shown) \(Self.tooLarge.what)", next: Self.tooLarge.next)
        }
    }
}
