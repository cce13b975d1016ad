// The system calls that Swift cannot name: variadic ones, ones newer than the C library, and the signal handler,
// which may run on any thread between any two instructions and therefore contains no Swift.
#ifndef CHOST_H
#define CHOST_H

#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Every function returns what the system call returns; on -1, errno says why.

int chost_open_at(int directory, const char *path, int flags, unsigned mode);

#define CHOST_RESOLVE_NO_XDEV 0x01u
#define CHOST_RESOLVE_NO_MAGICLINKS 0x02u
#define CHOST_RESOLVE_NO_SYMLINKS 0x04u
#define CHOST_RESOLVE_BENEATH 0x08u
int chost_open_at_2(int directory, const char *path, int flags, unsigned mode, unsigned resolve);

// For `open`: leave the access time alone, which only the owner may ask for.
int chost_no_access_time(void);
int chost_pipe(int ends[2]);
// A counting semaphore: each read takes one, and blocks while there is none.
int chost_semaphore(void);
// A descriptor that becomes readable once something was written; neither side blocks.
int chost_event(void);
// Reserve room behind the end, or free the blocks of a range; the length of the file stays.
int chost_reserve(int descriptor, int64_t size);
int chost_punch_hole(int descriptor, int64_t offset, int64_t count);
ssize_t chost_random(void *buffer, size_t count);
// Processors this process may use; 0 when the kernel does not tell.
int chost_processors(void);
void chost_name_thread(const char *name);

// Blocks of at least `bytes` are given back to the system as soon as they are freed.
void chost_return_blocks(int bytes);

// Starts writing a range of the file to its disk and does not wait for it; a hint, so nothing is returned.
void chost_start_writing(int descriptor, int64_t offset, int64_t count);

// Writes the whole file system of the descriptor to its disk.
int chost_sync_file_system(int descriptor);

// Fills `buffer` with `struct linux_dirent64` records; 0 at the end of the directory.
ssize_t chost_directory_entries(int directory, void *buffer, size_t count);

struct chost_status {
    uint64_t device, inode, links, size, blocks, rdev;
    uint32_t mode, uid, gid;
    int32_t atime_nanoseconds, mtime_nanoseconds, ctime_nanoseconds;
    int64_t atime_seconds, mtime_seconds, ctime_seconds;
};
// The status of `path` below `directory`; of `directory` itself when `path` is empty. Links are followed only when `follow` is set.
int chost_status_at(int directory, const char *path, int follow, struct chost_status *status);
// Identifier of the mount that holds the open descriptor, 0 when the kernel does not tell.
uint64_t chost_mount_id(int descriptor);
// For `open`: a handle for questions about what bears the name, which neither reads it nor wakes a device.
int chost_path_only(void);
// The 16 bytes by which the open descriptor's file system calls itself; -1 where the kernel (before 6.9) or the file system does not say.
int chost_file_system_uuid(int descriptor, uint8_t uuid[16]);
// Which file an open loop device holds, as the driver has it, whatever bears the file's name by now.
int chost_loop_backing(int descriptor, uint64_t *device, uint64_t *inode);
// 1 when the open descriptor lies on a share of another machine or on what a program serves (FUSE), 0 when not, -1 on failure.
int chost_is_on_share(int descriptor);

int chost_rename_no_replace(int from_directory, const char *from, int to_directory, const char *to);
int chost_rename_exchange(int from_directory, const char *from, int to_directory, const char *to);

// Extended attributes of an entry below `directory`, its own when it is a symbolic link. With an empty `path` those of the
// directory itself. They use the *xattrat calls where the kernel has them and the entry below /proc/self/fd elsewhere.
ssize_t chost_list_attributes(int directory, const char *path, char *buffer, size_t count);
ssize_t chost_get_attribute(int directory, const char *path, const char *name, void *buffer, size_t count);
int chost_set_attribute(int directory, const char *path, const char *name, const void *value, size_t count);
int chost_remove_attribute(int directory, const char *path, const char *name);

// `posix_spawnp` that also closes every descriptor from 3 up in the child and, with a `directory`, starts there.
int chost_spawn(pid_t *pid, const char *program, posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
                const char *directory, char *const arguments[], char *const environment[]);
int chost_pidfd_open(pid_t pid);
int chost_pidfd_signal(int pidfd, int signal);

// Columns of the terminal behind the descriptor, 0 when it is none.
int chost_terminal_columns(int descriptor);

// SIGINT, SIGTERM and SIGHUP write their number as one byte to `descriptor`; the second SIGINT or SIGTERM ends the process with 130.
int chost_install_signals(int descriptor);
void chost_reset_signal_count(void);

// 1 when the process cannot be traced or dumped by others any more.
int chost_forbid_dump(void);

uint64_t chost_make_device(unsigned major, unsigned minor);

// Class and level of the thread's use of disks (ioprio_set(2)); 0 is the calling thread.
int chost_set_disk_priority(pid_t thread, int value);
int chost_disk_priority(pid_t thread);

// 1 when a time service has told the kernel that the clock is right.
int chost_clock_is_synchronized(void);

#endif
