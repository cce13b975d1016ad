import Bytes
import HostSystem
import Outcome

/// What it means that a server refuses, or that the conversation has ended, in words that say what to change.
struct SFTPTrouble {
    private let settings: SFTPSettings
    private let errand: RemoteErrand

    init(_ settings: SFTPSettings, _ errand: RemoteErrand) {
        self.settings = settings
        self.errand = errand
    }

    /// A status that is not success; the server was there.
    func failure(_ answer: SFTPAnswer) -> StorageFailure {
        guard let status = answer.status else { return malformed }
        let words = answer.words.isEmpty ? "status \(status)" : "status \(status): \(answer.words)"
        let cause = RemoteAnswer(status: Int(status))
        switch status {
        case SFTPStatus.noFile:
            return errand.failure(.notFound, "is not there", next: "run check to see what is missing", because: cause)
        case SFTPStatus.denied:
            return errand.failure(
                .permission,
                "the server does not allow it (\(words))",
                next: "give the user on \(errand.host) the right to read and write \(settings.location.path)",
                because: cause
            )
        case SFTPStatus.unsupported:
            return errand.failure(
                .unsupported,
                "the server cannot do that (\(words))",
                next: "use a server such as OpenSSH's",
                because: cause
            )
        default:
            return errand.failure(
                .io,
                "the server could not do it (\(words))",
                next: "look at the disk of \(errand.host), its quotas and its log",
                because: cause
            )
        }
    }

    var noRoom: StorageFailure {
        errand.failure(
            .noSpace,
            "the disk of \(errand.host) is full",
            state: "what was stored before is not touched",
            next: "free space there, or run prune",
            because: RemoteAnswer(status: Int(SFTPStatus.failure))
        )
    }

    var malformed: StorageFailure {
        errand.failure(
            .answer,
            "\(errand.host) answers what is not SFTP",
            next: "look whether its login scripts print something: ssh \(errand.host) true",
            because: RemoteAnswer(status: 0)
        )
    }

    /// What no answer means; cancellations and failures stay what they are.
    func failure(_ error: any Error) -> any Error {
        switch error {
        case let end as SFTPEnd: failure(end)
        case let errno as Errno:
            StorageFailure(
                .unsupported,
                errand.operation,
                errand.object,
                "\(settings.command.first?.display ?? "ssh") cannot be started: \(errno)",
                next: "install OpenSSH's client, or name the program with -o sftp.command=…",
                because: errno
            )
        default: error
        }
    }

    private func failure(_ end: SFTPEnd) -> StorageFailure {
        switch end.cause {
        case .malformed: return malformed
        case .silent(let seconds):
            return errand.failure(
                .timeout,
                "\(errand.host) has said nothing for \(seconds) s",
                next: "check the line to \(errand.host)",
                because: end
            )
        case .closed: return closed(end)
        }
    }

    /// ssh says why it ended in words alone.
    private func closed(_ end: SFTPEnd) -> StorageFailure {
        let said = end.lastWords.last.map { " (\($0))" } ?? ""
        let all = end.lastWords.joined(separator: "\n")
        if all.contains("HOST IDENTIFICATION HAS CHANGED") || all.contains("Host key verification failed") {
            return errand.failure(
                .untrusted,
                "\(errand.host) does not show the host key that is known of it\(said)",
                next: "find out why; only when it is right: ssh-keygen -R \(errand.host), and ssh \(errand.host) once",
                because: end
            )
        }
        if all.contains("Permission denied (") || all.contains("Too many authentication failures") {
            return errand.failure(
                .auth,
                "\(errand.host) does not let us in\(said)",
                next: "make `ssh \(errand.host)` work without a password, with a key that is not asked for",
                because: end
            )
        }
        if all.contains("subsystem request failed") {
            return errand.failure(
                .unsupported,
                "\(errand.host) offers no SFTP\(said)",
                next: "turn on Subsystem sftp in its sshd_config",
                because: end
            )
        }
        return errand.failure(
            .unreachable,
            "the conversation with \(errand.host) has ended\(said)",
            next: "check the name, the port and the line: ssh \(errand.host)",
            because: end
        )
    }
}
