import Foundation

/// OpenSSH's client and daemon on this machine, with keys of their own.
///
/// Each connection is a daemon of its own at the other end of a pipe, as `ProxyCommand` makes it: nothing listens, nothing is waited for, and
/// nothing is left when the connection ends. The keys are made by whoever connects first.
package final class SSHRig: Sendable {
    /// Nil where no daemon is installed, or this user may not run one.
    package static let shared = SSHRig()

    private let files = Scratch()

    /// The client's command line, for SFTP on a machine that is called rig.
    package var client: [String] { [program, "-s", "rig", "sftp"] }
    /// A program that is as `ssh`, and finds the daemon under every name.
    package var program: String { "\(folder)/ssh" }
    /// Where repositories can lie.
    package var folder: String { files.path }

    private init?() {
        let manager = FileManager.default
        let daemon = "/usr/sbin/sshd"
        // Root's daemon wants its folder; another user's does without.
        try? manager.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: false)
        guard manager.isExecutableFile(atPath: daemon), geteuid() != 0 || manager.fileExists(atPath: "/run/sshd") else {
            return nil
        }
        let daemonSettings = """
            HostKey \(folder)/host
            AuthorizedKeysFile \(folder)/user.pub
            StrictModes no
            UsePAM no
            PidFile none
            PermitRootLogin yes
            Subsystem sftp internal-sftp

            """
        let clientSettings = """
            Host *
            ProxyCommand \(daemon) -i -f \(folder)/daemon.conf -E \(folder)/daemon.log
            IdentityFile \(folder)/user
            IdentitiesOnly yes
            BatchMode yes
            HostKeyAlias rig
            UserKnownHostsFile \(folder)/known

            """
        let program = """
            #!/bin/sh
            set -e
            cd '\(folder)'
            exec 9>lock
            flock 9
            if ! [ -e known ]; then
                rm -f host host.pub user user.pub
                ssh-keygen -q -t ed25519 -N '' -f host <&- 1>&2
                ssh-keygen -q -t ed25519 -N '' -f user <&- 1>&2
                printf 'rig %s\\n' "$(cut -d' ' -f1,2 host.pub)" > known.new
                mv known.new known
            fi
            exec 9>&-
            exec ssh -F '\(folder)/client.conf' "$@"

            """
        let texts = [("daemon.conf", daemonSettings), ("client.conf", clientSettings), ("ssh", program)]
        for (name, text) in texts {
            let attributes: [FileAttributeKey: Any] = [.posixPermissions: name == "ssh" ? 0o700 : 0o600]
            guard manager.createFile(atPath: "\(folder)/\(name)", contents: Data(text.utf8), attributes: attributes)
            else { return nil }
        }
    }
}
