# purpose: A-03 power cuts: a real ext4 loses everything that was not flushed, at random moments of backups and the instant after one ended
# use:     by scripts/faults
# needs:   root, losetup, mkfs.ext4, an ext4 driver with the shutdown call (otherwise named as skipped)
import contextlib, fcntl, hashlib, os, random, re, shutil, signal, struct, subprocess, time

from . import data, process, trees
from .kill_cases import Ledger, snapshots, verify

SHUTDOWN, WITHOUT_LOG_FLUSH = 0x8004587D, 2


class Disk:
    """An ext4 on a loop device of our own that can lose power: what was not flushed is gone when it is mounted again."""

    def __init__(self, folder, mebibytes, *options):
        self.image, self.point, self.device, self.options = os.path.join(folder, "disk.img"), os.path.join(folder, "disk"), None, options
        os.makedirs(self.point, exist_ok=True)
        with open(self.image, "wb") as sink:
            sink.truncate(mebibytes << 20)

    @staticmethod
    def call(*command):
        """standard output of a command that has to succeed"""
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise OSError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
        return done.stdout.strip()

    def make(self):
        self.call("mkfs.ext4", "-q", "-F", "-m0", *self.options, self.image)
        self.device = self.call("losetup", "-f", "--show", self.image)
        self.mount()

    def mount(self):
        self.call("mount", "-o", "data=ordered", self.device, self.point)

    def cut(self):
        """the power goes: every later call fails, and nothing that was not flushed reaches the image"""
        folder = os.open(self.point, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", WITHOUT_LOG_FLUSH))
        finally:
            os.close(folder)

    def plug_in_again(self):
        """mounts anew, which replays the journal"""
        self.call("umount", self.point)
        self.mount()

    def drop(self):
        for command in (["umount", "-l", self.point], ["losetup", "-d", self.device] if self.device else None):
            if command:
                subprocess.run(command, capture_output=True, check=False)


def torn(repository):
    """files under a final name whose bytes are not what the name says"""
    wrong = []
    for folder, _, names in os.walk(repository):
        for name in names:
            path = os.path.join(folder, name)
            if re.fullmatch(r"[0-9a-f]{64}", name):
                with open(path, "rb") as source:
                    if hashlib.sha256(source.read()).hexdigest() != name:
                        wrong.append(f"{os.path.relpath(path, repository)} ({os.path.getsize(path)} bytes)")
    return wrong


def power_cuts(case, cuts, seed):
    """A-03: acknowledged snapshots survive, no torn file has a final name, the next backup needs no help"""
    board, scratch = case.board, case.folder("A-03")
    if os.geteuid() != 0:
        return board.skip("A-03", "a file system that loses its cache needs root")
    if not (shutil.which("mkfs.ext4") and shutil.which("losetup")):
        return board.skip("A-03", "mkfs.ext4 or losetup is not installed")
    disk = Disk(scratch, 256)
    with contextlib.ExitStack() as stack:
        stack.callback(disk.drop)
        try:
            disk.make()
        except OSError as error:
            return board.skip("A-03", f"no ext4 on a loop device here: {error}")
        cut_backups(case, disk, cuts, seed, scratch)
    return None


def cut_backups(case, disk, cuts, seed, scratch):
    board, subject, judge = case.board, case.subject, case.judge or case.subject
    repository, source = os.path.join(disk.point, "repository"), os.path.join(scratch, "source")
    generator, ledger = random.Random(seed), Ledger(os.path.join(case.scratch, "ledger-of-cuts"))
    subject.create(repository)
    os.sync()
    data.small(source, files=80)
    span = subject.run(repository, "backup", "--json", ".", cwd=source).seconds
    for number in range(cuts):
        data.change(source, f"{seed}/{number}")
        with open(os.path.join(source, "rolling"), "wb") as sink:
            sink.write(generator.randbytes(1 << 20))
        digest = trees.digest(source)
        # Every third cut strikes the instant after the program said that all is safe; the others strike while it works.
        delay = None if number % 3 == 2 else generator.uniform(0.1, 1.0) * span
        result = cut_one(subject, disk, repository, source, delay)
        what = f"A-03 cut {number} {'right after the end' if delay is None else f'after {delay:.3f} s'} (seed {seed})"
        ok = board.result(result, what)
        if result.summary().get("snapshot_id") and result.code == 0:
            ledger.acknowledge(result.summary()["snapshot_id"], digest)
        disk.plug_in_again()
        now = snapshots(judge, repository)
        missing = set(ledger.entries) - set(now or [])
        if now is None or missing:
            board.fail(f"{what}: {len(missing)} acknowledged snapshots are gone, or nothing can be listed", "LOST")
        broken = torn(repository)
        if broken:
            board.fail(f"{what}: torn under a final name: {broken[:3]}", "CORRUPT-ACCEPTED")
        again = subject.run(repository, "backup", "--json", ".", cwd=source)
        ok = board.expect(again.code == 0, f"{what}: the next backup ended in {again.code}: {again.text[-300:]}") and ok
        if again.code == 0:
            ledger.acknowledge(again.summary()["snapshot_id"], digest)
            span = 0.7 * span + 0.3 * again.seconds
        board.survive("cuts", ok and now is not None and not missing and not broken, f"{what}, ended in {result.code}")
    subject.run(repository, "unlock", "--remove-all")
    checked = judge.run(repository, "check", "--read-data", timeout=300)
    board.expect(checked.code == 0, f"A-03 check --read-data by {judge.name}: {checked.text[-400:]}")
    for number, (snapshot, digest) in enumerate(ledger.entries.items()):
        wrong = verify(judge if number % 2 else subject, repository, snapshot, digest, scratch)
        if wrong:
            board.fail(f"A-03 acknowledged snapshot {snapshot[:8]}: {wrong}", "LOST")
    board.say(f"A-03 {len(ledger.entries)} acknowledged snapshots compared")


def cut_one(subject, disk, repository, source, delay):
    """one backup and the cut: after `delay` seconds, or without a delay the moment it ended"""
    running, began = subject.start(repository, "backup", "--json", ".", cwd=source), time.monotonic()
    try:
        out, err = running.communicate(timeout=120 if delay is None else delay)
        disk.cut()
        return process.Result(running.returncode, out, err, time.monotonic() - began, hung=False)
    except subprocess.TimeoutExpired:
        disk.cut()
    try:
        out, err = running.communicate(timeout=60)             # B-05: it has to notice within a minute
        return process.Result(running.returncode, out, err, time.monotonic() - began)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        out, err = running.communicate()
        return process.Result(124, out, err, time.monotonic() - began, hung=True)
