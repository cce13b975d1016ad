# purpose: F-01, F-02, F-04, F-05: a clock that goes back, ahead or not at all, before and during a run; the machine's own clock is never set
# use:     by scripts/faults
# needs:   a C compiler and a subject linked to libc (otherwise named as skipped)
import datetime, mmap, os, shutil, struct, subprocess, time

from . import data, process, trees
from .kill_cases import fresh_copy, held_backup, snapshots, verify

SECOND, HOUR, DAY, YEAR = 1, 3600, 86_400, 31_557_600

# A shift of the wall clock alone. libfaketime 0.9.10 will not do: it shifts the deadlines of timerfd_settime, too, so that a Swift program
# whose clock lies behind sleeps for ever, and it sets a variable at the start, so that the program finds no arguments.
SHIM = r"""
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static volatile int64_t *moved; /* whether the clock stands still; nanoseconds to add, or at which it stands */
__attribute__((constructor)) static void find(void) {
    int file = open(getenv("RIG_CLOCK"), O_RDONLY | O_CLOEXEC);
    void *page = mmap(0, 16, PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) moved = page;
    close(file);
}
int clock_gettime(clockid_t which, struct timespec *out) {
    int result = (int)syscall(SYS_clock_gettime, which, out);
    if (result == 0 && moved && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
        int64_t now = moved[0] ? moved[1] : out->tv_sec * 1000000000 + out->tv_nsec + moved[1];
        out->tv_sec = now / 1000000000;
        out->tv_nsec = now % 1000000000;
    }
    return result;
}
int gettimeofday(struct timeval *restrict out, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
"""


def compiled(folder):
    """the shim as a library, or None without a compiler"""
    source, library = os.path.join(folder, "clock.c"), os.path.join(folder, "clock.so")
    with open(source, "w") as sink:
        sink.write(SHIM)
    done = shutil.which("cc") and subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source], capture_output=True).returncode == 0
    return library if done else None


class Clocked(process.Restic):
    """The subject under a wall clock of its own, which can be moved while it runs; durations can be had from another clock, as ever."""

    def __init__(self, subject, folder, library):
        super().__init__(subject.name, subject.command, subject.scratch)
        self.file, self.library = os.path.join(folder, "clock"), library
        with open(self.file, "wb") as sink:
            sink.write(bytes(mmap.PAGESIZE))
        with open(self.file, "r+b") as source:
            self.page = mmap.mmap(source.fileno(), mmap.PAGESIZE)

    def shift(self, seconds):
        self.page[:16] = struct.pack("=qq", 0, round(seconds * 10 ** 9))

    def stop_at(self, nanoseconds):
        self.page[:16] = struct.pack("=qq", 1, nanoseconds)

    def environment(self, *arguments, **extra):
        return {**super().environment(*arguments, **extra), "LD_PRELOAD": self.library, "RIG_CLOCK": self.file}


class Timed:
    """A repository, a source, and what each snapshot in it must give back."""

    def __init__(self, case, name, library):
        self.case, self.board, self.subject, self.judge = case, case.board, case.subject, case.judge or case.subject
        self.folder = case.folder(name)
        self.repository, self.source = os.path.join(self.folder, "repository"), os.path.join(self.folder, "source")
        self.clocked, self.digests = Clocked(case.subject, self.folder, library), {}
        self.subject.create(self.repository)
        data.small(self.source, files=8, big=0)

    def backup(self, tool, what, *options):
        """a backup of a source that has just changed; the ID"""
        data.change(self.source, what, count=2)
        result = tool.run(self.repository, "backup", "--json", *options, ".", cwd=self.source, timeout=20)
        made = result.summary()
        duration = made.get("total_duration", -1)
        self.board.survive("races", result.code == 0 and 0 <= duration < 60 and self.board.result(result, what), f"{what}: ended in {result.code}, took {duration} s: {result.text[-200:] if result.code else ''}")
        self.digests[made.get("snapshot_id")] = trees.digest(self.source)
        return made.get("snapshot_id")

    def documents(self, tool=None):
        """ID -> document, as listed"""
        return {o["id"]: o for o in (tool or self.subject).run(self.repository, "snapshots", "--json", "--no-lock").objects()}

    def settle(self, what):
        """every snapshot is listed, oldest first, and comes back"""
        listed, seen = self.documents(), snapshots(self.judge, self.repository) or []
        order = [moment(o) for o in listed.values()]
        self.board.survive("races", set(self.digests) == set(listed) == set(seen) and order == sorted(order), f"{what}: all are listed by time: {len(listed)} of {len(self.digests)}")
        for made, digest in self.digests.items():
            wrong = verify(self.judge, self.repository, made, digest, self.folder)
            self.board.survive("races", not wrong, f"{what}: {str(made)[:8]} comes back: {wrong}")


def moment(document):
    """the time of a snapshot as text that sorts, in UTC and nanoseconds"""
    whole, _, fraction = document["time"].rstrip("Z").partition(".")
    if not document["time"].endswith("Z"):
        raise ValueError(f"not in UTC: {document['time']}")
    return whole + "." + fraction.ljust(9, "0")


def back_before(case, library):
    """F-01, F-05: backups by a clock that lies behind that of the last one; the parent is the newest that is not newer"""
    timed = Timed(case, "F-01", library)
    timed.backup(timed.subject, "F-01 the honest one")
    began = time.time() - 10
    for behind in (10 * YEAR, DAY, HOUR, SECOND):
        known = timed.documents()
        timed.clocked.shift(began - behind - time.time())
        made = timed.backup(timed.clocked, f"F-01 clock {behind} s back")
        document = timed.documents(timed.judge).get(made, {})
        if behind == 10 * YEAR and document and abs(datetime.datetime.fromisoformat(moment(document)[:19]).timestamp() - began) < YEAR:
            return case.board.skip("F-01", "the subject does not see the clock that was moved (a static executable?)")
        older = [o for o in known.values() if document and moment(o) <= moment(document)]
        wanted = max(older, key=moment)["id"] if older else None
        timed.board.survive("races", bool(document) and document.get("parent") == wanted, f"F-05 clock {behind} s back: the parent is {document.get('parent')}, wanted {wanted}")
    timed.settle("F-01")
    return None


def steps_during(case, library):
    """F-01, F-02: the clock steps while a backup runs"""
    timed = Timed(case, "F-01-during", library)
    for step in (-SECOND, -HOUR, -DAY, -10 * YEAR, HOUR, YEAR):
        timed.clocked.shift(0)
        running = held_backup(timed.clocked, timed.repository, "--json")
        if running is None:
            timed.board.fail(f"F-01 step of {step} s: the backup took no lock")
            continue
        timed.clocked.shift(step)
        result = process.finish(running, 0, 30, b"the end")
        duration = result.summary().get("total_duration", -1)
        told = result.code == 0 and result.summary().get("snapshot_id") in (snapshots(timed.judge, timed.repository) or []) and 0 <= duration < 60
        refused = step > 0 and result.code == 1 and "lock" in result.text
        timed.board.survive("races", (told or refused) and timed.board.result(result, "F-01"), f"F-01 clock steps by {step} s during a backup: ended in {result.code}, took {duration} s: {result.text[-300:] if result.code else ''}")
        timed.subject.run(timed.repository, "unlock", "--remove-all")
    checked = timed.judge.run(timed.repository, "check", "--read-data", "--no-lock")
    timed.board.survive("races", checked.code == 0, f"F-01 after steps during backups: {checked.text[-300:]}")


def ahead_beside(case, library):
    """F-02, L-02: another process whose clock is ahead does not take the lock of one that runs on this host"""
    timed = Timed(case, "F-02", library)
    running = held_backup(timed.subject, timed.repository)
    if running is None:
        return timed.board.fail("F-02 the backup took no lock")
    try:
        for verb, ahead, wanted in (("prune", HOUR, 11), ("prune", YEAR, 11), ("unlock", HOUR, 0)):
            timed.clocked.shift(ahead)
            result = timed.clocked.run(timed.repository, verb)
            stands = bool(os.listdir(os.path.join(timed.repository, "locks")))
            timed.board.survive("races", stands and result.code == wanted, f"F-02 {verb} with a clock {ahead} s ahead ended in {result.code}, the living lock {'stands' if stands else 'is gone'}: {result.text[-200:]}")
    finally:
        result = process.finish(running, 0, 30, b"the end")
    checked = timed.judge.run(timed.repository, "check", "--no-lock")
    return timed.board.survive("races", result.code in (0, 1) and checked.code == 0, f"F-02 the backup beside ended in {result.code}, check in {checked.code}: {checked.text[-200:]}")


POLICIES = [["--keep-within", "7d", "--keep-last", "1"], ["--keep-last", "1"], ["--keep-daily", "3"], ["--keep-within", "30d"], ["--keep-within-daily", "1m", "--keep-yearly", "1"]]


def forget_by_wrong_clock(case, library):
    """F-02: what forget keeps hangs on the snapshots' times, not on the clock, and is what stock restic keeps; the newest always stays"""
    timed, honest = Timed(case, "F-02-forget", library), datetime.datetime.now(datetime.timezone.utc)
    for days in (400, 40, 20, 8, 5, 3, 1, 0, -365):
        at = (honest - datetime.timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S")
        timed.backup(timed.subject, f"F-02 {days} days ago", "--time", at)
        if days > 0:
            continue
        newest = list(timed.digests)[-1]
        for policy in POLICIES:
            wanted = kept(timed, timed.judge, policy)
            # What lies ahead is not the newest to `--keep-within`, by restic's rule; a clock that lies ahead as far would no longer know.
            for step in (0, YEAR) if days == 0 else (0, HOUR):
                timed.clocked.shift(step)
                left = kept(timed, timed.clocked, policy)
                timed.board.survive("races", left == wanted and newest in left, f"F-02 forget {' '.join(policy)}, clock {step} s ahead, newest {-days} days ahead: {len(left)} stay, by {timed.judge.name} {len(wanted)}")


def kept(timed, tool, policy):
    """the snapshots that are left of a copy"""
    copy = fresh_copy(timed.repository, os.path.join(timed.folder, "copy"))
    result = tool.run(copy, "forget", "--group-by", "", *policy)
    timed.board.expect(result.code == 0, f"F-02 forget by {tool.name} ended in {result.code}: {result.text[-200:]}")
    return set(snapshots(timed.judge, copy) or [])


def same_instant(case, library):
    """F-04: a clock that stands still; both snapshots are there, and every listing has them in one order"""
    timed = Timed(case, "F-04", library)
    timed.clocked.stop_at(data.BASE)
    first, second = (timed.backup(timed.clocked, f"F-04 {number}") for number in ("first", "second"))
    times = {moment(o) for o in timed.documents().values()}
    timed.board.expect(len(times) == 1, f"F-04 the clock stands still: {times}")
    timed.settle("F-04")
    orders = {tuple(timed.documents()) for _ in range(5)}
    last = {timed.subject.run(timed.repository, "snapshots", "--json", "latest").objects()[0]["id"] for _ in range(5)}
    timed.board.survive("races", len(orders) == 1 and len(last) == 1 and last <= {first, second}, f"F-04 one order of two in one instant: {len(orders)} orders, {len(last)} latest")


def run(case):
    if case.is_stock:
        return case.board.skip("F", "stock restic is a static executable: nothing can move its clock alone")
    library = compiled(case.folder("F"))
    if library is None:
        return case.board.skip("F", "no C compiler for the shim that moves the clock")
    for step in (back_before, steps_during, ahead_beside, forget_by_wrong_clock, same_instant):
        step(case, library)
    return case.board.skip("F-03 F-06 F-07 F-09", "schedules, suspension and collection by age belong to the scheduler, which is not there yet")
