# purpose: L-01 to L-04, L-08: forged, stale, broken and lost locks; several writers at once
# use:     by scripts/faults
# needs:   nothing but python3
import datetime, json, os, signal, socket, subprocess

from . import data, process, resticfile
from .kill_cases import held_backup, snapshots


def lock(exclusive=True, host="elsewhere", pid=4242, age_seconds=0):
    when = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age_seconds)
    return json.dumps({"time": when.strftime("%Y-%m-%dT%H:%M:%S.%f000Z"), "exclusive": exclusive, "hostname": host, "username": "someone", "pid": pid}).encode()


def dead_pid():
    """the ID of a process that was and is no more"""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


class Locks:
    def __init__(self, case):
        self.board, self.subject, self.case = case.board, case.subject, case
        self.folder = case.folder("L")
        self.repository, self.source = os.path.join(self.folder, "repository"), os.path.join(self.folder, "source")
        self.subject.create(self.repository)
        data.small(self.source, files=5, big=0)
        self.backup()
        self.key = resticfile.open_master(self.repository, process.PASSWORD)

    def backup(self, *options):
        return self.subject.run(self.repository, "backup", *options, ".", cwd=self.source, timeout=60)

    def names(self):
        return sorted(os.listdir(os.path.join(self.repository, "locks")))

    def clear(self):
        for name in self.names():
            os.unlink(os.path.join(self.repository, "locks", name))

    def forge(self, plain):
        return resticfile.forge(self.repository, self.key, "locks", plain)

    def claim(self, ok, what, result):
        self.board.survive("races", bool(ok) and self.board.result(result, what), f"{what}: ended in {result.code}: {result.text[-300:]}")


def foreign(locks):
    """L-01"""
    before = snapshots(locks.subject, locks.repository)
    name = locks.forge(lock(host="other-host"))
    result = locks.backup()
    locks.claim(result.code == 11 and "other-host" in result.text and "4242" in result.text, "L-01 a foreign exclusive lock refuses with 11, host and process", result)
    locks.claim(snapshots(locks.subject, locks.repository) == before and locks.names() == [name], "L-01 nothing was written and the lock still stands", result)
    result = locks.subject.run(locks.repository, "unlock")
    locks.claim(result.code == 0 and locks.names() == [name], "L-01 unlock leaves a living foreign lock alone", result)
    locks.clear()
    locks.forge(lock(exclusive=False, host="other-host"))
    result = locks.backup()
    locks.claim(result.code == 0, "L-01 a foreign shared lock does not stop a backup", result)
    locks.clear()


def stale(locks):
    """L-02"""
    here = socket.gethostname()
    for what, plain, goes in [("a lock of another host, 40 minutes old", lock(host="other-host", age_seconds=2400), True),
                              ("a lock of this host whose process is gone", lock(host=here, pid=dead_pid()), True),
                              ("a lock of this host whose process lives", lock(host=here, pid=os.getpid()), False),
                              ("a lock from the next hour", lock(host="other-host", age_seconds=-3600), False)]:
        locks.clear()
        name = locks.forge(plain)
        result = locks.subject.run(locks.repository, "unlock")
        locks.claim(result.code == 0 and (name not in locks.names()) == goes, f"L-02 unlock {'removes' if goes else 'keeps'} {what}", result)
    locks.clear()


def lost(locks):
    """L-03: stopped, unlocked by another party, woken: nothing may be committed"""
    if locks.case.is_stock:
        return locks.board.skip("L-03", "stock restic looks at its lock only when it refreshes it")
    before = snapshots(locks.subject, locks.repository)
    running = held_backup(locks.subject, locks.repository)
    if running is None:
        locks.board.fail("L-03 the backup took no lock")
        return None
    os.kill(running.pid, signal.SIGSTOP)
    locks.clear()
    os.kill(running.pid, signal.SIGCONT)
    result = process.finish(running, 0, 60, os.urandom(1 << 20))
    kept = snapshots(locks.subject, locks.repository) == before
    if not kept:
        locks.board.zero["SILENT-SUCCESS"] += 1
    locks.claim(result.code not in (0, 124) and kept, "L-03 a backup whose lock was taken away writes no snapshot", result)
    locks.clear()
    return None


def broken(locks):
    """L-04"""
    folder = os.path.join(locks.repository, "locks")
    for what, content in [("an empty lock", b""), ("garbage", os.urandom(200)), ("a cut lock", None)]:
        locks.clear()
        name = os.urandom(32).hex()
        if content is None:
            name = locks.forge(lock(exclusive=False))
            content = open(os.path.join(folder, name), "rb").read()[:50]
            os.unlink(os.path.join(folder, name))
        resticfile.write(os.path.join(folder, name), content)
        result = locks.backup()
        locks.claim(result.code == 0 or name[:8] in result.text, f"L-04 {what} is passed over or named", result)
        result = locks.subject.run(locks.repository, "unlock", "--remove-all")
        locks.claim(result.code == 0 and not locks.names(), f"L-04 unlock --remove-all removes {what}", result)
    locks.clear()
    for number in range(150):
        locks.forge(lock(exclusive=False, host=f"host-{number}", age_seconds=7200))
    result = locks.backup()
    locks.claim(result.code == 0, "L-04 150 old shared locks do not stop a backup", result)
    result = locks.subject.run(locks.repository, "unlock")
    locks.claim(result.code == 0 and not locks.names(), "L-04 unlock removes 150 old locks", result)
    locks.clear()


def many_writers(locks):
    """L-08: ours and stock restic, the same content, at the same time"""
    tools = [locks.subject, locks.case.judge or locks.subject] * 2
    before = len(snapshots(locks.subject, locks.repository) or [])
    data.small(os.path.join(locks.source, "more"), seed=8, files=40, big=1)
    running = [tool.start(locks.repository, "backup", ".", cwd=locks.source) for tool in tools]
    results = [process.finish(r, 0, 120) for r in running]
    after = snapshots(locks.subject, locks.repository) or []
    checked = (locks.case.judge or locks.subject).run(locks.repository, "check", "--read-data")
    ok = all(r.code == 0 for r in results) and len(after) == before + 4 and checked.code == 0
    locks.claim(ok, f"L-08 four writers at once: {[r.code for r in results]}, {len(after) - before} snapshots, check {checked.code}", checked)


def run(case):
    locks = Locks(case)
    for step in (foreign, stale, lost, broken, many_writers):
        step(locks)
