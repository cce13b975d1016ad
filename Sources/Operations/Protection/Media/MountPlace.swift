import Bytes
import HostSystem
import Outcome
import Strategy

/// How media are mounted for a run: the programs, and the file in which the operator says what goes where.
package struct Mounting: Sendable {
    /// The program and its first words; `--` and the mount point follow.
    package var mount = ["mount"]
    /// As above.
    package var unmount = ["umount"]
    package var table = "/etc/fstab"
    /// For each of both.
    package var deadlineSeconds: UInt64 = 30

    package init() {}
}

/// Where a medium is mounted: the innermost entry of fstab that holds its path.
struct MountPlace: Sendable {
    let medium: Medium
    let point: String
    private let mounting: Mounting

    /// Errors: `E-MEDIUM` where no entry holds the path, or the table cannot be read.
    init(_ medium: Medium, _ mounting: Mounting) throws {
        let table: FileSystemTable
        do throws(Errno) {
            table = try FileSystemTable.read(ByteString(mounting.table))
        } catch {
            throw Self.failure(medium, "\(mounting.table) cannot be read: \(error)", next: error.remedy)
        }
        guard let point = table.innermostPoint(holding: ByteString(medium.text)) else {
            throw Self.failure(
                medium,
                "is to be mounted for runs, and no entry of \(mounting.table) holds \(medium.text)",
                next:
                    "add its mount point to \(mounting.table), with noauto and nofail; or take mount out of holdfast.yaml"
            )
        }
        self.medium = medium
        self.point = String(decoding: point.bytes, as: UTF8.self)
        self.mounting = mounting
    }

    /// What is mounted there now; nil when nothing is.
    ///
    /// Errors: `E-MEDIUM` when that cannot be told.
    func current() throws -> Mount? {
        do throws(Errno) {
            return try Mount.beginning(at: ByteString(point))
        } catch  where error.kind == .missing {
            throw Self.failure(medium, "its mount point \(point) is not there", next: "mkdir -p \(point)")
        } catch {
            throw Self.failure(medium, "its mount point \(point) cannot be looked at: \(error)", next: error.remedy)
        }
    }

    /// Mounts it; nil when that went well, else the words of the program.
    func mount() async -> String? { await run(mounting.mount) }

    /// Unmounts it, which writes all of it to the disk; the answer as above.
    func unmount() async -> String? { await run(mounting.unmount) }

    /// Neither is cut off by a cancellation: what is half mounted would be nobody's.
    private func run(_ program: [String]) async -> String? {
        var command = Command((program + ["--", point]).map { ByteString($0) })
        command.inheritedVariables = ["PATH"]
        command.environment = [("LC_ALL", "C")]
        command.hasOwnGroup = true
        do {
            let result = try await HostSystem.run(
                command,
                outputLimit: 4096,
                errorLimit: 4096,
                timeoutNanoseconds: mounting.deadlineSeconds * 1_000_000_000,
                isShielded: true
            )
            guard !result.ending.isSuccess else { return nil }
            let lines = String(decoding: result.errorOutput, as: UTF8.self).split(separator: "\n")
            let words = lines.map { $0.drop { $0 == " " } }.joined(separator: "; ")
            return words.isEmpty ? "\(program[0]) ended with \(result.ending)" : words
        } catch {
            return "\(program[0]) cannot be started: \(error)"
        }
    }

    /// A medium that is not there, in the words of what kept it away.
    static func failure(_ medium: Medium, _ what: String, next: String) -> ProtectionFailure {
        ProtectionFailure(
            .mediumMissing,
            operation: "mount medium",
            object: "\(medium.name) (\(medium.text))",
            what: what,
            state: "nothing was written; the other media are not touched",
            next: next
        )
    }
}
