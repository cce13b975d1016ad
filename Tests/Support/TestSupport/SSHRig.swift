import Foundation

/// An OpenSSH daemon on this machine with a key for us; it ends when the tests do.
package final class SSHRig: Sendable {
    /// Nil where no daemon is installed, or this user may not run one.
    package static let shared = SSHRig()

    private static let files = Scratch()

    /// The client's command line up to the host's name.
    package let client: [String]
    /// A program that is as `ssh`, and knows the daemon by every name.
    package let program: String
    /// Where repositories can lie.
    package var folder: String { SSHRig.files.path }
    private let input: Pipe

    private init?() {
        let daemon = "/usr/sbin/sshd"
        guard FileManager.default.isExecutableFile(atPath: daemon) else { return nil }
        let folder = SSHRig.files.path
        let script = """
            set -e
            cd '\(folder)'
            mkdir -p /run/sshd 2>/dev/null || true
            ssh-keygen -q -t ed25519 -N '' -f host
            ssh-keygen -q -t ed25519 -N '' -f user
            cp user.pub authorized
            port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
            printf '%s\\n' "Port $port" 'ListenAddress 127.0.0.1' 'HostKey \(folder)/host' 'AuthorizedKeysFile \(folder)/authorized' \\
                'StrictModes no' 'UsePAM no' 'PidFile none' 'MaxStartups 1000' 'MaxSessions 1000' 'PermitRootLogin yes' 'Subsystem sftp internal-sftp' > daemon.conf
            echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 host.pub)" > known
            printf '%s\\n' 'Host *' 'HostName 127.0.0.1' "Port $port" 'IdentityFile \(folder)/user' 'IdentitiesOnly yes' 'BatchMode yes' \\
                'UserKnownHostsFile \(folder)/known' > client.conf
            printf '%s\\n' '#!/bin/sh' 'exec ssh -F \(folder)/client.conf "$@"' > shell
            chmod 755 shell
            \(daemon) -D -f daemon.conf 2>log &
            child=$!
            for i in $(seq 300); do ssh -F client.conf rig true </dev/null 2>/dev/null && break; kill -0 $child || exit 1; sleep 0.1; done
            echo ready
            read line || true
            kill $child
            """
        let process = Process()
        let output = Pipe()
        input = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script]
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let said = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard said.hasPrefix("ready") else { return nil }
        program = "\(folder)/shell"
        client = ["ssh", "-F", "\(folder)/client.conf", "-s", "rig", "sftp"]
    }
}
