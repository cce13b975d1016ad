import ArgumentParser
import Bytes
import Console
import Glibc
import HostSystem
import Outcome
import Protection
import Strategy

/// The verb `holdfast media replace`.
struct MediaReplaceVerb: ParsableCommand, LabVerb {
    static let examples = ["holdfast media replace usb-ssd"]

    static let configuration = CommandConfiguration(
        commandName: "replace",
        abstract:
            "Adopts the disk that is mounted now, makes its repositories, and copies back what other repositories hold.",
        discussion: """
            Mount the new disk at the medium's path first; one with `mount: true` is mounted for the while. Its file system's UUID is written into the declaration in the place of the old one, \
            for a removable medium also where none stood there; nothing else in the file is touched. What is copied is read back whole. Broken off, it goes on where it was.

            Ends in 0; 20 when reading back found damage; 21 when the disk is not there; 1 when something failed.
            """
    )

    @Argument(help: "The medium's name in the declaration.")
    var name: String

    @OptionGroup var options: LabOptions

    func perform(on screen: Screen) async throws -> Int32 {
        let plain = try LabSession(options, screen: screen)
        let before = await plain.recordingMounts(of: [name])
        let reporter = before.reporter
        let report = try await reporter.whileShown {
            try await before.onPool {
                try await before.environment.withMounted([name], observer: reporter) { mounted in
                    try await replace(before, mounted.absence(of: name), screen)
                }
            }
        }
        let status = report.exitStatus
        before.printer.normal(
            Text(
                status == .success
                    ? "\(name) is adopted, reseeded and read back" : "\(name) is not whole yet; run it again"
            )
        )
        return status.rawValue
    }

    private func replace(_ before: LabSession, _ absence: ProtectionFailure?, _ screen: Screen) async throws
        -> RunReport
    {
        if var failure = absence {
            failure.state = "nothing was changed"
            failure.next =
                "make a file system on the new disk, name it in /etc/fstab in the place of the old one, and run this again"
            throw failure
        }
        if let medium = before.lab.medium(named: name) { try adopt(medium, before.place, screen) }
        // Read anew: the identity may have changed.
        var environment = try LabSession(options, screen: screen).environment
        environment.journal = before.environment.journal
        return try await MediumReplacement(environment, observer: before.reporter).run(name)
    }

    /// Writes the UUID of what is mounted there in the place of the declared one.
    private func adopt(_ medium: Medium, _ place: DeclarationPlace, _ screen: Screen) throws {
        // A disk that stays in the machine may be known by its folder alone.
        guard medium.identity != nil || medium.kind == .removable else { return }
        // The folder is not on the new disk yet: the nearest one above it tells which disk is mounted.
        guard let path = medium.folder else { return }
        var folder = path
        while folder.count > 1, (try? status(at: ByteString(folder))) == nil { folder = splitPath(folder).folder }
        let identity = try? DiskSources().identity(of: ByteString(folder))
        guard let identity, identity.mount.point != "/", let new = identity.uuid.text else {
            throw ProtectionFailure(
                .mediumMissing,
                operation: "replace",
                object: "\(medium.name) (\(path))",
                what: "no disk is mounted there whose file system can be told",
                state: "nothing was changed",
                next:
                    "make a file system on the new disk, and mount it so that it holds \(path); a folder of the system's disk is no removable medium: kind: internal"
            )
        }
        guard new != medium.identity else { return }
        try IdentityPin(place: place, medium: medium, identity: new).write()
        let before =
            medium.identity.map { "was \($0)" } ?? "where none was; another disk is refused from now on"
        screen.line(Text("\(medium.name): identity \(new) in \(place.path), \(before)"))
        do throws(Errno) { _ = try Directory.createAll(ByteString(path)) } catch {
            throw LabFailure.folder("create", path, error)
        }
    }
}
