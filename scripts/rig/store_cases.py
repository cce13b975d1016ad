# purpose: B-03, B-09, B-12, Q-02 and fail-at-call-N by errno: a store that fails, vanishes or forbids
# use:     by scripts/faults
# needs:   strace for injected errors; root for mounts (otherwise named as skipped)
import os, shutil, subprocess

from . import data, process, trees
from .kill_cases import fresh_copy, held_backup, oracle, snapshots, traced
from .space_cases import mounted

CALLS = ["fsync", "fdatasync", "rename", "renameat", "renameat2", "linkat", "pwrite64", "mkdirat", "fallocate", "ftruncate", "close"]


def call_points(case, limit=25):
    """B-03, 2.3: the n-th call of each kind fails once; the run fails or recovers, but never loses or pretends"""
    board, subject, scratch = case.board, case.subject, case.folder("call-points")
    if not shutil.which("strace"):
        return board.skip("B-03", "strace is not installed")
    base, source = os.path.join(scratch, "base"), os.path.join(scratch, "source")
    data.small(source, files=10, big=1)
    subject.create(base)
    before = subject.run(base, "backup", "--json", ".", cwd=source).summary().get("snapshot_id")
    first = trees.digest(source)
    data.change(source, "points")
    second = trees.digest(source)
    for call in CALLS:
        for number in range(1, (limit if call not in ("close", "pwrite64") else 6) + 1):
            error = ("EIO", "ENOSPC", "EACCES", "EINTR" if call == "pwrite64" else "ESTALE")[number % 4]
            repository = fresh_copy(base, os.path.join(scratch, "repository"))
            result = traced(subject, repository, source, call, number, f"error={error}", scratch)
            if result is None:
                return board.skip("B-03", "strace cannot trace here (ptrace is forbidden)")
            if not result.injected:
                break
            what = f"call point {call} {number} {error}"
            board.result(result, what)
            wrong = oracle(case, repository, source, {before: first}, second, scratch)
            if result.code == 0 and not result.summary().get("snapshot_id") in (snapshots(subject, repository) or []):
                board.fail(f"{what}: ended in 0 without its snapshot", "SILENT-SUCCESS")
            board.survive("call-points", not wrong, f"{what}: ended in {result.code}; {wrong}")
    return None


def vanished_mount(case):
    """B-09: the path is now the empty folder below the mount point"""
    board, subject, scratch = case.board, case.subject, case.folder("B-09")
    if os.geteuid() != 0:
        return board.skip("B-09", "mounting and unmounting needs root")
    source, point = os.path.join(scratch, "source"), os.path.join(scratch, "point")
    data.small(source, files=10, big=0)
    with mounted(point, 64 << 20) as disk:
        if disk is None:
            return board.skip("B-09", "mount is not permitted")
        repository = os.path.join(disk, "repository")
        subject.create(repository)
        subject.run(repository, "backup", ".", cwd=source)
    result = subject.run(os.path.join(point, "repository"), "backup", ".", cwd=source)
    board.survive("backend-faults", result.code == 10 and not os.listdir(point), f"B-09 between jobs: ended in {result.code}, below: {os.listdir(point)}")
    if case.is_stock:
        return board.skip("B-09", "stock restic does not notice a mount that vanishes under it")
    with mounted(point, 64 << 20) as disk:
        repository = os.path.join(disk, "repository")
        subject.create(repository)
        os.makedirs(os.path.join(scratch, "shadow"), exist_ok=True)
        running = held_backup(subject, repository)
        if running is None:
            return board.fail("B-09 the backup took no lock")
        subprocess.run(["umount", "-l", point], check=False)
        result = process.finish(running, 0, 60, os.urandom(1 << 20))
    below = [os.path.join(b, n) for b, _, names in os.walk(point) for n in names]
    ok = board.result(result, "B-09 during a job") and result.code not in (0, 124) and not os.listdir(point)
    board.survive("backend-faults", ok, f"B-09 during a job: ended in {result.code}, below: {below[:3] or os.listdir(point)}: {result.text[-300:]}")
    return None


def forbidden(case):
    """B-12: rights lost, as an ordinary user"""
    board, subject, scratch = case.board, case.subject, case.folder("B-12")
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return board.skip("B-12", "changing the user needs root and setpriv")
    for folder in (case.scratch, scratch):
        os.chmod(folder, 0o755)
    home = os.path.join(scratch, "user")
    source, repository = os.path.join(home, "source"), os.path.join(home, "repository")
    data.small(source, files=5, big=0)
    subject.create(repository)
    subprocess.run(["chown", "-R", "65534:65534", home], check=True)
    wrap = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    user = dict(wrap=wrap, cwd=source, HOME=home, RESTIC_CACHE_DIR=os.path.join(home, "cache"))
    if subject.run(repository, "backup", ".", **user).code != 0:
        return board.skip("B-12", "the binary cannot be run by another user here")
    os.chmod(os.path.join(repository, "data"), 0)
    with open(os.path.join(source, "new"), "wb") as sink:
        sink.write(os.urandom(5000))
    result = subject.run(repository, "backup", ".", **user)
    named = "permission denied" in result.text.lower() or "EACCES" in result.text
    board.survive("backend-faults", result.code not in (0, 3) and named and board.result(result, "B-12"), f"B-12 data forbidden: ended in {result.code}: {result.text[-300:]}")
    os.chmod(os.path.join(repository, "data"), 0o700)
    result = subject.run(repository, "backup", ".", **user)
    board.survive("backend-faults", result.code == 0, f"B-12 after the repair: ended in {result.code}: {result.text[-300:]}")
    os.chmod(os.path.join(source, "new"), 0)
    result = subject.run(repository, "backup", ".", **user)
    ok = result.code == 3 and "new" in result.text
    if result.code == 0:
        board.zero["SILENT-SUCCESS"] += 1
    board.survive("backend-faults", ok, f"G-01 an unreadable file: ended in {result.code}: {result.text[-300:]}")
    return None


def few_descriptors(case):
    """Q-02"""
    board, subject, scratch = case.board, case.subject, case.folder("Q-02")
    if not shutil.which("prlimit"):
        return board.skip("Q-02", "prlimit is not installed")
    source, repository = os.path.join(scratch, "source"), os.path.join(scratch, "repository")
    data.small(source, files=200)
    subject.create(repository)
    for count in (64, 32, 12):
        result = subject.run(repository, "backup", "--force", ".", cwd=source, wrap=["prlimit", f"--nofile={count}"])
        ok = board.result(result, f"Q-02 {count} descriptors") and (result.code == 0 if count == 64 else result.code == 1 and "ulimit -n" in result.text)
        board.survive("backend-faults", ok, f"Q-02 {count} descriptors: ended in {result.code}: {result.text[-300:]}")
    checked = (case.judge or subject).run(repository, "check", "--read-data")
    board.expect(checked.code == 0, f"Q-02 the repository is clean afterwards: {checked.text[-300:]}")
    return None
