import CHost
import Glibc

/// Keeps the secrets of this process out of core dumps and away from debuggers of the same user (S-05).
///
/// Sets RLIMIT_CORE to 0 and clears the dumpable flag, which also makes the files below /proc/self root's: call it
/// after arguments were read, and not in a process that opens its own /proc entries later as another user. Returns
/// false when the kernel refused; the program goes on and says so.
@discardableResult
package func forbidCoreDumps() -> Bool {
    var limit = rlimit(rlim_cur: 0, rlim_max: 0)
    let isLimited = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0
    return chost_forbid_dump() == 1 && isLimited
}

/// Makes every file created from here on private to its owner, whatever the umask was at the start (S-06).
package func usePrivateUmask() { umask(0o077) }

/// Raises the soft limit of open files to the hard one, as far as `wanted`; returns what holds now.
@discardableResult
package func raiseOpenFileLimit(to wanted: UInt64 = 65_536) -> UInt64 {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    let goal = min(UInt64(limit.rlim_max), wanted)
    guard UInt64(limit.rlim_cur) < goal else { return UInt64(limit.rlim_cur) }
    limit.rlim_cur = rlim_t(goal)
    return setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? goal : 0
}

/// Opens `/dev/null` for every standard stream that is closed, so that no file of ours ever becomes standard output.
///
/// First thing in `main`.
package func openStandardStreams() {
    for number in Int32(0)...2 where fcntl(number, F_GETFD) < 0 {
        // The lowest free number is taken, which is this one.
        _ = chost_open_at(AT_FDCWD, "/dev/null", O_RDWR, 0)
    }
}

/// Lets the allocator give every block of 256 KiB or more back to the system as soon as it is freed.
///
/// Left alone, glibc raises that bound to the largest block freed, and a run that reads 16 MiB packs keeps tens of MiB of holes:
/// `check --read-data` of 713 MB peaks at 105 MB instead of 63. First thing in `main`; an engine must not decide this for a process.
package func returnLargeBlocks() { chost_return_blocks(256 << 10) }
