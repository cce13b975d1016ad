/// The first `holdfast.yaml` of a quickstart: what this machine offers, and comments that say how to go on.
package struct DeclarationTemplate {
    /// Absolute folders to back up.
    var paths: [String]
    /// Patterns that stay out.
    var exclude: [String]
    /// Absolute paths that this user cannot read; listed as excluded, so that the declaration is true.
    var unreadable: [String]
    /// Name of the user, for the comment.
    var userName: String
    /// Where a server on this machine plays the cloud; nil: a folder does.
    var standInPort: Int?

    package init(
        paths: [String],
        exclude: [String],
        unreadable: [String],
        userName: String,
        standInPort: Int? = nil
    ) {
        self.paths = paths
        self.exclude = exclude
        self.unreadable = unreadable
        self.userName = userName
        self.standInPort = standInPort
    }

    private var standIn: String {
        guard let standInPort else {
            return """
                  # A stand-in plays the cloud on this machine. It never counts as an off-site copy.
                  cloud:   { kind: stand-in,  path: media/cloud }
                """
        }
        return """
              # A stand-in plays the cloud on this machine: a server that runs only while quickstart does. It never counts as an off-site copy.
              # In a real cloud `read-only` is another key, which can only read: the recovery kit carries it.
              cloud:
                kind: stand-in
                s3: { endpoint: "http://127.0.0.1:\(standInPort)", bucket: lab-dr, region: us-east-1 }
                credentials: "file:secrets/cloud.key"
                read-only: "file:secrets/cloud-reader.key"
            """
    }

    /// The file, ready to be read by `decodeLab`.
    package var text: String {
        """
        # Written by `holdfast quickstart`, and read back by it each time: what you change here counts from the next run.
        # Keys: docs/manual/holdfast-yaml.md. Passwords never stand here, only where they are found.
        lab: quickstart
        # What this machine remembers of the lab. It can be lost: it is found again in the repositories.
        state: state

        # Where copies live. Make these two real by giving them paths on two disks.
        media:
          os-ssd:  { kind: internal,  path: media/os-ssd }
          usb-ssd: { kind: removable, path: media/usb-ssd }
        \(standIn)

        # Repositories in restic's format, one on each medium.
        repositories:
          host-os:  { medium: os-ssd,  password: "file:secrets/host-os.password" }
          host-usb: { medium: usb-ssd, password: "file:secrets/host-usb.password" }
          offsite:  { medium: cloud,   password: "file:secrets/offsite.password" }

        # A class of workloads: what is promised, when it runs, what stays. `holdfast plan` shows what follows from it.
        roles:
          production:
            objective: { rpo: last-scheduled, rto: 4h }
            backup: { schedule: "02:00", keep: { last: 3, daily: 7, weekly: 4, monthly: 6 } }
            verify: { every: 30d }

        protect:
          - host:
              paths:
        \(list(paths))
              exclude:
        \(list(exclude))\(unreadableLines)
            to: [host-os, host-usb, offsite]
            role: production

        """
    }

    private var unreadableLines: String {
        unreadable.isEmpty
            ? ""
            : "\n          # not readable by \(userName); run as root to have them, and remove these lines\n"
                + list(unreadable)
    }

    private func list(_ items: [String]) -> String {
        items.map { "          - \(Self.quoted($0))" }.joined(separator: "\n")
    }

    /// A YAML text in double quotes.
    static func quoted(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case _ where scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                output += "\\x" + String(repeating: "0", count: 2 - digits.utf8.count) + digits
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output + "\""
    }
}
