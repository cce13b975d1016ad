import Glibc
import HostSystem
import Testing

@Suite struct ErrnoTests {
    /// Every number that Linux gives out, from the C library's own names.
    private static let known: [Int32] = (1...133).filter { number in
        guard let text = strerror(number) else { return false }
        return !String(cString: text).hasPrefix("Unknown error")
    }

    @Test func `B-08 every errno has one meaning and only ENOENT means missing`() {
        for code in Self.known {
            let error = Errno(code, in: "openat")
            #expect(!error.remedy.isEmpty, "errno \(code)")
            #expect((error.kind == .missing) == (code == ENOENT), "errno \(code)")
            #expect((error.kind == .unknown) == error.name.hasPrefix("errno "), "errno \(code)")
        }
    }

    @Test func `B-08 the table speaks as the C library does`() {
        for code in Self.known {
            let error = Errno(code, in: "openat")
            guard error.kind != .unknown, let text = strerror(code) else { continue }
            let expected = String(cString: text)
            // Two texts of the C library have changed between its versions.
            let isSame = error.message == expected || [EILSEQ, ENOTSUP].contains(code) || code == 113 || code == 15
            #expect(isSame, "\(code): \(error.message) / \(expected)")
        }
    }

    @Test func `B-08 the errnos that file systems return are all in the table`() {
        let zoo = [
            ENOTSUP, EINVAL, ENOENT, ENOSYS, ESTALE, EDQUOT, ENODEV, EROFS, ELOOP, ENAMETOOLONG, EMFILE, EXDEV, EIO,
            ENOSPC,
            EACCES, EPERM, EINTR, EAGAIN, EBUSY, EEXIST, ENOTDIR, EISDIR, ENOTEMPTY, EMLINK, ENFILE, ENOMEM, EFBIG,
            ENXIO,
            ETIMEDOUT, ENOTCONN, EHOSTDOWN, ENODATA, ERANGE, ENOMEDIUM, EREMOTEIO, EUCLEAN, EBADMSG, ENOLINK,
            ECONNABORTED,
        ]
        for code in zoo { #expect(Errno(code, in: "write").kind != .unknown, "errno \(code)") }
    }

    @Test func `B-08 an errno nobody knows is unknown and says where to look`() {
        let error = Errno(4711, in: "fsync")
        #expect(error.kind == .unknown)
        #expect(error.description == "Unknown error 4711 (errno 4711 in fsync)")
        #expect(error.remedy.contains("dmesg"))
    }

    @Test func `a full disk reads as the fault plan wants it`() {
        #expect(Errno(ENOSPC, in: "write").description == "No space left on device (ENOSPC in write)")
    }
}
