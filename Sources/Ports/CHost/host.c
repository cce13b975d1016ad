#define _GNU_SOURCE
#include <sys/timex.h>
#include "CHost.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#define CHOST_SYS_SETXATTRAT 463
#define CHOST_SYS_GETXATTRAT 464
#define CHOST_SYS_LISTXATTRAT 465
#define CHOST_SYS_REMOVEXATTRAT 466

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1u
#endif
#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2u
#endif

int chost_open_at(int directory, const char *path, int flags, unsigned mode) {
    return openat(directory, path, flags, (mode_t)mode);
}

// Layout of `struct open_how`, version 0.
struct chost_open_how {
    uint64_t flags, mode, resolve;
};

int chost_open_at_2(int directory, const char *path, int flags, unsigned mode, unsigned resolve) {
    struct chost_open_how how = {.flags = (uint64_t)(unsigned)flags, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int chost_no_access_time(void) { return O_NOATIME; }

int chost_path_only(void) { return O_PATH; }

// Layout of `struct fsuuid2` of linux/fs.h.
struct chost_fsuuid {
    uint8_t length, bytes[16];
};

int chost_file_system_uuid(int descriptor, uint8_t uuid[16]) {
    struct chost_fsuuid answer;
    memset(&answer, 0, sizeof answer);
    if (ioctl(descriptor, _IOR(0x15, 0, struct chost_fsuuid), &answer) != 0) return -1;
    if (answer.length != sizeof answer.bytes) {
        errno = ENODATA;
        return -1;
    }
    memcpy(uuid, answer.bytes, sizeof answer.bytes);
    return 0;
}

int chost_loop_backing(int descriptor, uint64_t *device, uint64_t *inode) {
    struct loop_info64 info;
    memset(&info, 0, sizeof info);
    if (ioctl(descriptor, LOOP_GET_STATUS64, &info) != 0) return -1;
    *device = info.lo_device;
    *inode = info.lo_inode;
    return 0;
}

int chost_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int chost_semaphore(void) { return eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE); }

int chost_event(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int chost_reserve(int descriptor, int64_t size) { return fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, size); }

int chost_punch_hole(int descriptor, int64_t offset, int64_t count) {
    return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count);
}

ssize_t chost_random(void *buffer, size_t count) { return getrandom(buffer, count, 0); }

int chost_processors(void) {
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

void chost_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

ssize_t chost_directory_entries(int directory, void *buffer, size_t count) {
    return syscall(SYS_getdents64, directory, buffer, count);
}

int chost_status_at(int directory, const char *path, int follow, struct chost_status *status) {
    struct stat s;
    int flags = AT_NO_AUTOMOUNT | (follow ? 0 : AT_SYMLINK_NOFOLLOW) | (path[0] == 0 ? AT_EMPTY_PATH : 0);
    if (fstatat(directory, path, &s, flags) != 0) return -1;
    status->device = s.st_dev;
    status->inode = s.st_ino;
    status->links = s.st_nlink;
    status->size = (uint64_t)s.st_size;
    status->blocks = (uint64_t)s.st_blocks;
    status->rdev = s.st_rdev;
    status->mode = s.st_mode;
    status->uid = s.st_uid;
    status->gid = s.st_gid;
    status->atime_seconds = s.st_atim.tv_sec;
    status->mtime_seconds = s.st_mtim.tv_sec;
    status->ctime_seconds = s.st_ctim.tv_sec;
    status->atime_nanoseconds = (int32_t)s.st_atim.tv_nsec;
    status->mtime_nanoseconds = (int32_t)s.st_mtim.tv_nsec;
    status->ctime_nanoseconds = (int32_t)s.st_ctim.tv_nsec;
    return 0;
}

int chost_is_on_share(int descriptor) {
    struct statfs status;
    if (fstatfs(descriptor, &status) != 0) return -1;
    switch ((uint32_t)status.f_type) {   // linux/magic.h
    case 0x6969:                         // NFS
    case 0x517B:                         // SMB
    case 0xFF534D42:                     // CIFS
    case 0xFE534D42:                     // SMB 2 and 3
    case 0x564C:                         // NCP
    case 0x5346414F:                     // AFS, two drivers
    case 0x6B414653:
    case 0x73757245:                     // Coda
    case 0x00C36400:                     // Ceph
    case 0x01021997:                     // 9P
    case 0x7461636F:                     // OCFS2
    case 0x01161970:                     // GFS2
    case 0x0BD00BD0:                     // Lustre
    case 0x65735546: return 1;           // FUSE
    default: return 0;
    }
}

uint64_t chost_mount_id(int descriptor) {
    struct statx s;
    memset(&s, 0, sizeof s);
    if (statx(descriptor, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0x1000u /* STATX_MNT_ID */, &s) != 0) return 0;
    return (s.stx_mask & 0x1000u) ? s.stx_mnt_id : 0;
}

int chost_rename_no_replace(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE);
}

int chost_rename_exchange(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, RENAME_EXCHANGE);
}

// 0 unknown, 1 the kernel has the calls, 2 it has not (before 6.13, or a filter that does not know them).
static atomic_int attribute_calls;

static int has_attribute_calls(void) {
    int known = atomic_load_explicit(&attribute_calls, memory_order_relaxed);
    if (known == 0) {
        int saved = errno;
        known = syscall(CHOST_SYS_LISTXATTRAT, AT_FDCWD, "/", 0, (char *)0, (size_t)0) >= 0 ? 1 : 2;
        atomic_store_explicit(&attribute_calls, known, memory_order_relaxed);
        errno = saved;
    }
    return known == 1;
}

// A single component of at most 255 bytes fits; anything longer is a mistake of the caller.
struct chost_proc_path {
    char text[512];
};

static int proc_path(struct chost_proc_path *output, int directory, const char *path) {
    int length = snprintf(output->text, sizeof output->text, "/proc/self/fd/%d%s%s", directory, path[0] ? "/" : "", path);
    if (length < 0 || (size_t)length >= sizeof output->text) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}

static unsigned attribute_flags(const char *path) {
    return AT_SYMLINK_NOFOLLOW | (path[0] == 0 ? AT_EMPTY_PATH : 0);
}

// Layout of `struct xattr_args`.
struct chost_attribute_arguments {
    uint64_t value __attribute__((aligned(8)));
    uint32_t size, flags;
};

ssize_t chost_list_attributes(int directory, const char *path, char *buffer, size_t count) {
    if (has_attribute_calls()) {
        return syscall(CHOST_SYS_LISTXATTRAT, directory, path, attribute_flags(path), buffer, count);
    }
    if (path[0] == 0) return flistxattr(directory, buffer, count);
    struct chost_proc_path full;
    if (proc_path(&full, directory, path) != 0) return -1;
    return llistxattr(full.text, buffer, count);
}

ssize_t chost_get_attribute(int directory, const char *path, const char *name, void *buffer, size_t count) {
    if (has_attribute_calls()) {
        struct chost_attribute_arguments arguments = {.value = (uintptr_t)buffer, .size = (uint32_t)count, .flags = 0};
        return syscall(CHOST_SYS_GETXATTRAT, directory, path, attribute_flags(path), name, &arguments, sizeof arguments);
    }
    if (path[0] == 0) return fgetxattr(directory, name, buffer, count);
    struct chost_proc_path full;
    if (proc_path(&full, directory, path) != 0) return -1;
    return lgetxattr(full.text, name, buffer, count);
}

int chost_set_attribute(int directory, const char *path, const char *name, const void *value, size_t count) {
    if (has_attribute_calls()) {
        struct chost_attribute_arguments arguments = {.value = (uintptr_t)value, .size = (uint32_t)count, .flags = 0};
        return (int)syscall(CHOST_SYS_SETXATTRAT, directory, path, attribute_flags(path), name, &arguments, sizeof arguments);
    }
    if (path[0] == 0) return fsetxattr(directory, name, value, count, 0);
    struct chost_proc_path full;
    if (proc_path(&full, directory, path) != 0) return -1;
    return lsetxattr(full.text, name, value, count, 0);
}

int chost_remove_attribute(int directory, const char *path, const char *name) {
    if (has_attribute_calls()) {
        return (int)syscall(CHOST_SYS_REMOVEXATTRAT, directory, path, attribute_flags(path), name);
    }
    if (path[0] == 0) return fremovexattr(directory, name);
    struct chost_proc_path full;
    if (proc_path(&full, directory, path) != 0) return -1;
    return lremovexattr(full.text, name);
}

int chost_spawn(pid_t *pid, const char *program, posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
                const char *directory, char *const arguments[], char *const environment[]) {
    int code = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    if (code == 0 && directory) code = posix_spawn_file_actions_addchdir_np(actions, directory);
    return code ? code : posix_spawnp(pid, program, actions, attributes, arguments, environment);
}

int chost_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0u); }

int chost_pidfd_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, (void *)0, 0u);
}

int chost_terminal_columns(int descriptor) {
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0) return 0;
    return size.ws_col;
}

static atomic_int signal_descriptor = -1;
static atomic_int stop_requests;

static void handle_signal(int number) {
    int saved = errno;
    if (number != SIGHUP && atomic_fetch_add(&stop_requests, 1) > 0) _exit(130);
    unsigned char byte = (unsigned char)number;
    int descriptor = atomic_load(&signal_descriptor);
    if (descriptor >= 0) {
        ssize_t written = write(descriptor, &byte, 1);
        (void)written;  // A full pipe already holds more signals than anyone has read.
    }
    errno = saved;
}

int chost_install_signals(int descriptor) {
    atomic_store(&signal_descriptor, descriptor);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handle_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGINT, &action, 0) != 0) return -1;
    if (sigaction(SIGTERM, &action, 0) != 0) return -1;
    if (sigaction(SIGHUP, &action, 0) != 0) return -1;
    action.sa_handler = SIG_IGN;
    return sigaction(SIGPIPE, &action, 0);
}

void chost_reset_signal_count(void) { atomic_store(&stop_requests, 0); }

int chost_forbid_dump(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0; }

uint64_t chost_make_device(unsigned major, unsigned minor) { return makedev(major, minor); }

void chost_start_writing(int descriptor, int64_t offset, int64_t count) {
    int before = errno;
    sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE);
    errno = before;
}

int chost_sync_file_system(int descriptor) { return syncfs(descriptor); }

void chost_return_blocks(int bytes) { mallopt(M_MMAP_THRESHOLD, bytes); }

// IOPRIO_WHO_PROCESS, which stands in no header of glibc.
enum { io_priority_of_thread = 1 };

int chost_set_disk_priority(pid_t thread, int value) {
    return (int)syscall(SYS_ioprio_set, io_priority_of_thread, thread, value);
}

int chost_disk_priority(pid_t thread) { return (int)syscall(SYS_ioprio_get, io_priority_of_thread, thread); }

int chost_clock_is_synchronized(void) {
    struct timex state = {0};
    int answer = adjtimex(&state);
    return answer >= 0 && answer != TIME_ERROR && !(state.status & STA_UNSYNC);
}
