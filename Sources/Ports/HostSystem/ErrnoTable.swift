import Glibc

/// One line of the table of errno values: name, sentence, meaning, remedy.
struct ErrnoEntry: Sendable {
    let code: Int32
    let name: String
    let sentence: String
    let kind: ErrnoKind
    let remedy: String

    private init(_ code: Int32, _ name: String, _ sentence: String, _ kind: ErrnoKind, _ remedy: String) {
        self.code = code
        self.name = name
        self.sentence = sentence
        self.kind = kind
        self.remedy = remedy
    }

    /// The entry of a number, nil when the number is not known; then nothing may be concluded from it.
    static func of(_ code: Int32) -> ErrnoEntry? {
        guard let index = all.firstIndex(where: { $0.code == code }) else { return nil }
        return all[index]
    }

    /// Every number that we know.
    ///
    /// `EWOULDBLOCK` equals `EAGAIN` and `ENOTSUP` equals `EOPNOTSUPP` on Linux.
    static let all: [ErrnoEntry] = [
        ErrnoEntry(
            EPERM,
            "EPERM",
            "Operation not permitted",
            .permission,
            "run as a user who may do this, or clear the immutable flag (chattr -i)"
        ),
        ErrnoEntry(
            ENOENT,
            "ENOENT",
            "No such file or directory",
            .missing,
            "check the path and that the file system is mounted"
        ),
        ErrnoEntry(ESRCH, "ESRCH", "No such process", .noProcess, "nothing to do: the process has ended"),
        ErrnoEntry(EINTR, "EINTR", "Interrupted system call", .interrupted, "try again"),
        ErrnoEntry(EIO, "EIO", "Input/output error", .io, "check the disk, its cable and the kernel log (dmesg)"),
        ErrnoEntry(ENXIO, "ENXIO", "No such device or address", .gone, "plug the device in and mount it again"),
        ErrnoEntry(E2BIG, "E2BIG", "Argument list too long", .misuse, "pass fewer or shorter arguments"),
        ErrnoEntry(
            ENOEXEC,
            "ENOEXEC",
            "Exec format error",
            .unsupported,
            "check that the program is built for this machine"
        ),
        ErrnoEntry(EBADF, "EBADF", "Bad file descriptor", .misuse, "report this as a bug of the program"),
        ErrnoEntry(ECHILD, "ECHILD", "No child processes", .noProcess, "nothing to do: the process has ended"),
        ErrnoEntry(
            EAGAIN,
            "EAGAIN",
            "Resource temporarily unavailable",
            .wouldBlock,
            "try again; raise the limit of processes (ulimit -u, pids.max) if it stays"
        ),
        ErrnoEntry(ENOMEM, "ENOMEM", "Cannot allocate memory", .outOfMemory, "free memory or raise the memory limit"),
        ErrnoEntry(
            EACCES,
            "EACCES",
            "Permission denied",
            .permission,
            "give this user access to the path, or run as the owner"
        ),
        ErrnoEntry(EFAULT, "EFAULT", "Bad address", .misuse, "report this as a bug of the program"),
        ErrnoEntry(ENOTBLK, "ENOTBLK", "Block device required", .badName, "name a block device"),
        ErrnoEntry(EBUSY, "EBUSY", "Device or resource busy", .busy, "stop what uses it, then try again"),
        ErrnoEntry(EEXIST, "EEXIST", "File exists", .exists, "choose another name or remove the existing one"),
        ErrnoEntry(EXDEV, "EXDEV", "Invalid cross-device link", .crossDevice, "keep both names on one file system"),
        ErrnoEntry(ENODEV, "ENODEV", "No such device", .gone, "plug the device in and mount it again"),
        ErrnoEntry(ENOTDIR, "ENOTDIR", "Not a directory", .notDirectory, "check the path: one of its parts is a file"),
        ErrnoEntry(EISDIR, "EISDIR", "Is a directory", .isDirectory, "name a file"),
        ErrnoEntry(EINVAL, "EINVAL", "Invalid argument", .unsupported, "use a file system that supports the operation"),
        ErrnoEntry(
            ENFILE,
            "ENFILE",
            "Too many open files in system",
            .tooManyFiles,
            "raise fs.file-max or stop programs that hold files open"
        ),
        ErrnoEntry(EMFILE, "EMFILE", "Too many open files", .tooManyFiles, "raise the limit of open files (ulimit -n)"),
        ErrnoEntry(
            ENOTTY,
            "ENOTTY",
            "Inappropriate ioctl for device",
            .unsupported,
            "use a device that supports the operation"
        ),
        ErrnoEntry(ETXTBSY, "ETXTBSY", "Text file busy", .busy, "stop the program that runs this file, then try again"),
        ErrnoEntry(
            EFBIG,
            "EFBIG",
            "File too large",
            .fileTooLarge,
            "use a file system without this size limit, or raise ulimit -f"
        ),
        ErrnoEntry(ENOSPC, "ENOSPC", "No space left on device", .noSpace, "free space on the file system or run prune"),
        ErrnoEntry(ESPIPE, "ESPIPE", "Illegal seek", .unsupported, "use a regular file, not a pipe"),
        ErrnoEntry(
            EROFS,
            "EROFS",
            "Read-only file system",
            .readOnly,
            "look for disk errors in the kernel log (dmesg), repair, and mount read-write again"
        ),
        ErrnoEntry(EMLINK, "EMLINK", "Too many links", .tooManyLinks, "use a file system that allows more links"),
        ErrnoEntry(EPIPE, "EPIPE", "Broken pipe", .brokenPipe, "check why the reader ended"),
        ErrnoEntry(
            ERANGE,
            "ERANGE",
            "Numerical result out of range",
            .range,
            "try again: the value changed its length meanwhile"
        ),
        ErrnoEntry(EDEADLK, "EDEADLK", "Resource deadlock avoided", .busy, "try again later"),
        ErrnoEntry(
            ENAMETOOLONG,
            "ENAMETOOLONG",
            "File name too long",
            .nameTooLong,
            "use a file system that allows longer names"
        ),
        ErrnoEntry(
            ENOSYS,
            "ENOSYS",
            "Function not implemented",
            .unsupported,
            "use a newer kernel, or a container profile that allows the call"
        ),
        ErrnoEntry(ENOTEMPTY, "ENOTEMPTY", "Directory not empty", .notEmpty, "empty the directory first"),
        ErrnoEntry(
            ELOOP,
            "ELOOP",
            "Too many levels of symbolic links",
            .symbolicLink,
            "name the real path; symbolic links are not followed here"
        ),
        ErrnoEntry(
            ENODATA,
            "ENODATA",
            "No data available",
            .noAttribute,
            "nothing to do: the attribute does not exist"
        ),
        ErrnoEntry(ETIME, "ETIME", "Timer expired", .timedOut, "check the device or the network, then try again"),
        ErrnoEntry(
            ENOLINK,
            "ENOLINK",
            "Link has been severed",
            .gone,
            "connect the remote file system and mount it again"
        ),
        ErrnoEntry(
            ECOMM,
            "ECOMM",
            "Communication error on send",
            .io,
            "check the connection to the remote file system"
        ),
        ErrnoEntry(
            EPROTO,
            "EPROTO",
            "Protocol error",
            .io,
            "check the connection to the remote file system and the kernel log (dmesg)"
        ),
        ErrnoEntry(
            EBADMSG,
            "EBADMSG",
            "Bad message",
            .io,
            "the file system found damage: check it (fsck) and the kernel log (dmesg)"
        ),
        ErrnoEntry(
            EOVERFLOW,
            "EOVERFLOW",
            "Value too large for defined data type",
            .fileTooLarge,
            "use a file system with standard limits"
        ),
        ErrnoEntry(
            EILSEQ,
            "EILSEQ",
            "Invalid or incomplete multibyte or wide character",
            .badName,
            "use a file system that accepts any file name"
        ),
        ErrnoEntry(
            EOPNOTSUPP,
            "EOPNOTSUPP",
            "Operation not supported",
            .unsupported,
            "use a file system that supports the operation"
        ),
        ErrnoEntry(
            ETIMEDOUT,
            "ETIMEDOUT",
            "Connection timed out",
            .timedOut,
            "check the device or the network, then try again"
        ),
        ErrnoEntry(
            ENOTCONN,
            "ENOTCONN",
            "Transport endpoint is not connected",
            .gone,
            "the user-space file system ended: unmount it and mount it again"
        ),
        ErrnoEntry(
            ESHUTDOWN,
            "ESHUTDOWN",
            "Cannot send after transport endpoint shutdown",
            .gone,
            "mount the file system again"
        ),
        ErrnoEntry(
            ECONNREFUSED,
            "ECONNREFUSED",
            "Connection refused",
            .gone,
            "start the service behind the file system and mount it again"
        ),
        ErrnoEntry(ECONNRESET, "ECONNRESET", "Connection reset by peer", .io, "check the connection, then try again"),
        ErrnoEntry(
            ECONNABORTED,
            "ECONNABORTED",
            "Software caused connection abort",
            .gone,
            "the user-space file system ended: unmount it and mount it again"
        ),
        ErrnoEntry(
            EHOSTDOWN,
            "EHOSTDOWN",
            "Host is down",
            .gone,
            "start the host of the remote file system, then try again"
        ),
        ErrnoEntry(
            EHOSTUNREACH,
            "EHOSTUNREACH",
            "No route to host",
            .gone,
            "check the network to the host of the remote file system"
        ),
        ErrnoEntry(ENETDOWN, "ENETDOWN", "Network is down", .gone, "bring the network up, then try again"),
        ErrnoEntry(ENETUNREACH, "ENETUNREACH", "Network is unreachable", .gone, "check the network, then try again"),
        ErrnoEntry(EALREADY, "EALREADY", "Operation already in progress", .busy, "try again later"),
        ErrnoEntry(EINPROGRESS, "EINPROGRESS", "Operation now in progress", .busy, "try again later"),
        ErrnoEntry(ESTALE, "ESTALE", "Stale file handle", .gone, "mount the remote file system again"),
        ErrnoEntry(
            EUCLEAN,
            "EUCLEAN",
            "Structure needs cleaning",
            .io,
            "the file system is damaged: unmount it and run fsck"
        ),
        ErrnoEntry(
            EREMOTEIO,
            "EREMOTEIO",
            "Remote I/O error",
            .io,
            "check the disk, its cable and the kernel log (dmesg)"
        ),
        ErrnoEntry(EDQUOT, "EDQUOT", "Disk quota exceeded", .quota, "raise the quota of this user, or free space"),
        ErrnoEntry(ENOMEDIUM, "ENOMEDIUM", "No medium found", .gone, "insert the medium and mount it again"),
        ErrnoEntry(EMEDIUMTYPE, "EMEDIUMTYPE", "Wrong medium type", .gone, "insert the right medium"),
        ErrnoEntry(ECANCELED, "ECANCELED", "Operation canceled", .interrupted, "try again"),
        ErrnoEntry(
            ENOKEY,
            "ENOKEY",
            "Required key not available",
            .permission,
            "unlock the encrypted directory, then try again"
        ),
        ErrnoEntry(
            EKEYEXPIRED,
            "EKEYEXPIRED",
            "Key has expired",
            .permission,
            "renew the key of the encrypted directory, then try again"
        ),
        ErrnoEntry(
            EKEYREVOKED,
            "EKEYREVOKED",
            "Key has been revoked",
            .permission,
            "unlock the encrypted directory again"
        ),
        ErrnoEntry(ENOLCK, "ENOLCK", "No locks available", .busy, "check the lock service of the remote file system"),
        ErrnoEntry(ENOBUFS, "ENOBUFS", "No buffer space available", .outOfMemory, "free memory, then try again"),
        ErrnoEntry(ENOTUNIQ, "ENOTUNIQ", "Name not unique on network", .badName, "choose another name"),
        ErrnoEntry(
            EKEYREJECTED,
            "EKEYREJECTED",
            "Key was rejected by service",
            .permission,
            "check the key of the encrypted directory"
        ),
        ErrnoEntry(
            ENOTSOCK,
            "ENOTSOCK",
            "Socket operation on non-socket",
            .misuse,
            "report this as a bug of the program"
        ),
        ErrnoEntry(EDOM, "EDOM", "Numerical argument out of domain", .misuse, "report this as a bug of the program"),
        ErrnoEntry(EUSERS, "EUSERS", "Too many users", .quota, "raise the limit of the file system"),
        ErrnoEntry(EADV, "EADV", "Advertise error", .io, "check the remote file system"),
        ErrnoEntry(ENONET, "ENONET", "Machine is not on the network", .gone, "connect the network, then try again"),
        ErrnoEntry(
            EREMOTE,
            "EREMOTE",
            "Object is remote",
            .unsupported,
            "use a file system that supports the operation"
        ),
        ErrnoEntry(EL2HLT, "EL2HLT", "Level 2 halted", .io, "check the disk and the kernel log (dmesg)"),
        ErrnoEntry(
            EHWPOISON,
            "EHWPOISON",
            "Memory page has hardware error",
            .io,
            "the machine's memory is faulty: check the kernel log (dmesg)"
        ),
    ]
}
