package import Outcome

/// What a recovery kit says: all that opens the repositories of a lab, for the day on which nothing else is left.
///
/// Values only. Its text is made and read by `KitPage` and `KitReader`; `docs/formats/kit.md` describes it.
package struct RecoveryKit: Sendable {
    /// The lab's name, which its snapshots carry as a tag.
    package var lab: String
    /// The host whose snapshots these are.
    package var host: String
    /// `ABCD-EFGH`: tells one printed kit from another.
    package var serial: String
    /// `2026-11-22 14:03:05 UTC`.
    package var made: String
    /// Which program made it.
    package var program: String
    /// Who or what keeps a copy of this kit.
    package var holders: [String] = []
    /// Accounts by their names, such as that of the cloud.
    package var accounts: [String] = []
    package var repositories: [KitRepository] = []
    /// What else the operator wants to have on the day.
    package var secrets: [KitSecret] = []

    package init(lab: String, host: String, serial: String, made: String, program: String) {
        self.lab = lab
        self.host = host
        self.serial = serial
        self.made = made
        self.program = program
    }
}

/// A secret under a name.
package struct KitSecret: Sendable {
    package var name: String
    package var secret: Secret

    package init(_ name: String, _ secret: Secret) {
        self.name = name
        self.secret = secret
    }
}

/// One repository and what opens it.
package struct KitRepository: Sendable {
    package var name: String
    package var medium: String
    /// In the words of the declaration: `removable`, `offsite`.
    package var kind: String
    /// As restic takes it behind `-r`: a folder, or an address.
    package var location: String
    /// UUID of the file system that holds it; nil: it has none, or is on no disk of the lab.
    package var disk: String?
    /// The identifier in its config, 64 hexadecimal digits; nil: it was never seen.
    package var id: String?
    /// Workloads that have copies there.
    package var workloads: [String] = []
    /// Whether it was opened with this password when the kit was made, in words.
    package var state: String
    package var password: Secret
    /// Variables that restic needs beside the password, such as a read-only credential of a bucket; none for a disk.
    package var variables: [KitSecret] = []

    package init(
        name: String,
        medium: String,
        kind: String,
        location: String,
        disk: String? = nil,
        id: String? = nil,
        state: String,
        password: Secret
    ) {
        self.name = name
        self.medium = medium
        self.kind = kind
        self.location = location
        self.disk = disk
        self.id = id
        self.state = state
        self.password = password
    }
}

/// Bounds of a kit, so that it stays something that is typed from paper (L5).
package enum KitLimits {
    /// Bytes of a text that is read as a kit.
    package static let textBytes = 1 << 20
    /// Numbered lines.
    package static let lines = 9999
    /// Bytes of one secret; a longer one is no matter of paper.
    package static let secretBytes = 1024
    /// Characters of one value.
    package static let valueCharacters = 4096
    /// Lines that are named at most in one answer.
    package static let problems = 20
}
