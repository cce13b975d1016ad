# purpose: A-01 random kills, A-02 kills at each store boundary, A-04 signals, A-07 kills in restore
# use:     by scripts/faults
# needs:   strace for A-02
import contextlib, json, os, random, re, shutil, signal, subprocess, time

from . import data, process, trees

BOUNDARIES = ["rename", "renameat", "renameat2", "link", "linkat", "fsync", "fdatasync", "syncfs", "unlink", "unlinkat"]


class Ledger:
    """What was acknowledged, on disk and synced before the next step, apart from the repository."""

    def __init__(self, path):
        self.file, self.entries = open(path, "a"), {}

    def acknowledge(self, snapshot, digest):
        self.entries[snapshot] = digest
        self.file.write(json.dumps({"snapshot": snapshot, "tree": digest}) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())


def snapshots(tool, repository):
    """IDs of the snapshots that a tool lists, or None when it cannot"""
    result = tool.run(repository, "snapshots", "--json", "--no-lock")
    return [o["id"] for o in result.objects()] if result.code == 0 else None


def strange_files(repository):
    """files whose names are not those of finished objects"""
    return [os.path.join(b, n) for b, _, names in os.walk(repository) for n in names if not re.fullmatch(r"[0-9a-f]{64}|config", n)]


def verify(tool, repository, snapshot, digest, scratch):
    """restores one snapshot and compares its canonical digest; text of what differs, empty when nothing does"""
    folder = os.path.join(scratch, "verify")
    process.remove_tree(folder)
    result = tool.run(repository, "restore", snapshot, "--target", folder, "--no-lock", timeout=300)
    if result.code != 0:
        return f"restore by {tool.name} ended in {result.code}: {result.text[-200:]}"
    return "" if trees.digest(folder) == digest else f"restore by {tool.name} differs from the source"


def random_kills(case, kills, seed):
    """A-01: SIGKILL at random moments of backups of a changing source"""
    board, subject, judge, scratch = case.board, case.subject, case.judge, case.folder("A-01")
    print(f"A-01 seed {seed}")
    generator = random.Random(seed)
    repository, source = os.path.join(scratch, "repository"), os.path.join(scratch, "source")
    ledger, unacknowledged = Ledger(os.path.join(case.scratch, "ledger")), {}
    subject.create(repository)
    data.small(source, files=150)
    span = subject.run(repository, "backup", "--json", ".", cwd=source).seconds
    first = snapshots(subject, repository)
    if not board.expect(first and len(first) == 1, "A-01 the first backup is there"):
        return
    ledger.acknowledge(first[0], trees.digest(source))
    for number in range(kills):
        data.change(source, f"{seed}/{number}")
        with open(os.path.join(source, "rolling"), "wb") as sink:
            sink.write(generator.randbytes(2 << 20))
        digest, known = trees.digest(source), set(snapshots(subject, repository) or [])
        delay = generator.uniform(0, span * 1.1)
        running = subject.start(repository, "backup", "--json", ".", cwd=source)
        began = time.monotonic()
        try:
            out, err = running.communicate(timeout=delay)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            out, err = running.communicate()
        result = process.Result(running.returncode, out, err, time.monotonic() - began)
        if result.code == 0:
            span = 0.7 * span + 0.3 * result.seconds
        if result.summary().get("snapshot_id"):
            ledger.acknowledge(result.summary()["snapshot_id"], digest)
        now = snapshots(subject, repository)
        ok = now is not None and set(ledger.entries) <= set(now)
        if not ok:
            board.fail(f"A-01 kill {number} after {delay:.3f} s: acknowledged snapshots are missing or cannot be listed", "LOST")
        unacknowledged.update({s: digest for s in set(now or []) - known - set(ledger.entries)})
        board.survive("kills", ok and result.code in (0, -9), f"A-01 kill {number} after {delay:.3f} s (seed {seed}), ended in {result.code}: {result.text[-200:] if result.code not in (0, -9) else ''}")
    settle(case, repository, source, ledger, unacknowledged, kills)


def settle(case, repository, source, ledger, unacknowledged, kills):
    """after the kills: leftovers are bounded, the next backup works, everything acknowledged comes back"""
    board, subject, judge, scratch = case.board, case.subject, case.judge, case.folder("A-01")
    strange = strange_files(repository)
    size = sum(os.path.getsize(f) for f in strange)
    board.expect(len(strange) <= 8 * kills and size <= kills * (64 << 20), f"A-01 leftovers: {len(strange)} files, {size} bytes")
    again = subject.run(repository, "backup", "--json", ".", cwd=source)
    if board.expect(again.code == 0, f"A-01 the next backup works: {again.text[-300:]}"):
        ledger.acknowledge(again.summary()["snapshot_id"], trees.digest(source))
    board.expect(subject.run(repository, "unlock", "--remove-all").code == 0, "A-01 unlock works")
    checked = (judge or subject).run(repository, "check", "--read-data", timeout=300)
    board.expect(checked.code == 0, f"A-01 check --read-data by {(judge or subject).name}: {checked.text[-400:]}")
    for number, (snapshot, digest) in enumerate({**unacknowledged, **ledger.entries}.items()):
        for tool in [subject] + ([judge] if judge and number % 3 == 0 else []):
            wrong = verify(tool, repository, snapshot, digest, scratch)
            if wrong:
                board.fail(f"A-01 snapshot {snapshot[:8]}: {wrong}", "LOST" if snapshot in ledger.entries else "CORRUPT-ACCEPTED")
    board.say(f"A-01 {len(ledger.entries)} acknowledged and {len(unacknowledged)} unacknowledged but visible snapshots compared")


def boundary_kills(case, limit=40):
    """A-02: SIGKILL at the n-th call of each kind that changes names or makes them durable"""
    board, subject, judge, scratch = case.board, case.subject, case.judge, case.folder("A-02")
    if not shutil.which("strace"):
        return board.skip("A-02", "strace is not installed")
    base, source = os.path.join(scratch, "base"), os.path.join(scratch, "source")
    data.small(source, files=12, big=1)
    subject.create(base)
    before = subject.run(base, "backup", "--json", ".", cwd=source).summary().get("snapshot_id")
    first = trees.digest(source)
    data.change(source, "boundary")
    second, points = trees.digest(source), 0
    for call in BOUNDARIES:
        for number in range(1, limit + 1):
            repository = fresh_copy(base, os.path.join(scratch, "repository"))
            result = traced(subject, repository, source, call, number, "signal=SIGKILL", scratch)
            if result is None:
                return board.skip("A-02", "strace cannot trace here (ptrace is forbidden)")
            if result.code == 0 and not result.injected:
                break
            points += 1
            wrong = oracle(case, repository, source, {before: first}, second, scratch)
            board.survive("kills", not wrong, f"A-02 killed at {call} {number}: {wrong}")
    board.say(f"A-02 {points} boundaries")
    return None


def traced(tool, repository, source, call, number, action, scratch):
    """one backup under strace with one injection; None when strace cannot"""
    log = os.path.join(scratch, "trace")
    wrap = ["strace", "-f", "-qq", "-o", log, "-e", f"trace={call}", "-e", f"inject={call}:{action}:when={number}"]
    result = tool.run(repository, "backup", "--json", ".", cwd=source, wrap=wrap)
    if not os.path.exists(log) or "Operation not permitted" in result.text[:200]:
        return None
    with open(log, errors="replace") as lines:
        text = lines.read()
    result.injected = "INJECTED" in text or "SIGKILL" in text
    return result


def fresh_copy(base, target):
    process.remove_tree(target)
    shutil.copytree(base, target, symlinks=True)
    return target


def oracle(case, repository, source, acknowledged, digest, scratch):
    """what is wrong after a fault in a backup, or nothing: I1, I2, and the next backup works"""
    subject, judge = case.subject, case.judge or case.subject
    now = snapshots(judge, repository)
    if now is None or not set(acknowledged) <= set(now):
        case.board.zero["LOST"] += 1
        return "an acknowledged snapshot is missing or nothing can be listed"
    for snapshot in now:
        wrong = verify(judge, repository, snapshot, acknowledged.get(snapshot, digest), scratch)
        if wrong:
            case.board.zero["LOST" if snapshot in acknowledged else "CORRUPT-ACCEPTED"] += 1
            return f"{snapshot[:8]}: {wrong}"
    again = subject.run(repository, "backup", "--json", ".", cwd=source)
    if again.code != 0:
        return f"the next backup ended in {again.code}: {again.text[-200:]}"
    checked = judge.run(repository, "check", "--no-lock")
    return "" if checked.code == 0 else f"check after the next backup: {checked.text[-300:]}"


def signals(case):
    """A-04: an interrupted backup ends in 130, leaves no lock and no snapshot"""
    board, subject, scratch = case.board, case.subject, case.folder("A-04")
    repository = os.path.join(scratch, "repository")
    subject.create(repository)
    for name, twice in ((signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGINT, True)):
        running = held_backup(subject, repository)
        what = f"A-04 {name.name}{' twice' if twice else ''}"
        if running is None:
            board.fail(f"{what}: the backup took no lock")
            continue
        began = time.monotonic()
        os.kill(running.pid, name)
        if twice:
            time.sleep(0.3)                        # two of a kind at once are one to the kernel
            with contextlib.suppress(ProcessLookupError):
                os.kill(running.pid, name)
        if case.is_stock:
            running.stdin.close()                  # stock restic waits for the end of its input, whatever the signal
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            board.fail(f"{what}: did not end in 10 s", "HANGS")
            process.stop(running)
        seconds = time.monotonic() - began
        if not running.stdin.closed:
            running.stdin.close()
        text = (running.stdout.read() + running.stderr.read()).decode("utf-8", "replace")
        locks = os.listdir(os.path.join(repository, "locks"))
        ok = running.returncode == 130 and (twice or (not locks and seconds < 2.5)) and not os.listdir(os.path.join(repository, "snapshots"))
        board.survive("kills", ok, f"{what}: ended in {running.returncode} after {seconds:.1f} s, {len(locks)} locks: {text[-200:]}")
        subject.run(repository, "unlock", "--remove-all")


def held_backup(tool, repository, *options, wait=10):
    """a backup of a pipe that we hold open, returned when its lock stands; so the moment is known without sleeping blindly"""
    running = process.start(tool.command + ["backup", "--stdin", *options], tool.environment(repository), stdin=subprocess.PIPE)
    running.stdin.write(os.urandom(3 << 20))
    running.stdin.flush()
    folder, deadline = os.path.join(repository, "locks"), time.monotonic() + wait
    while time.monotonic() < deadline and running.poll() is None:
        if any(re.fullmatch(r"[0-9a-f]{64}", n) for n in os.listdir(folder)):
            time.sleep(0.3)
            return running
        time.sleep(0.02)
    process.stop(running)
    return None


def restore_kills(case, rounds=6, seed=1):
    """A-07: a killed restore shows no half file as finished, and the same command completes it"""
    board, subject, scratch = case.board, case.subject, case.folder("A-07")
    repository, source, target = (os.path.join(scratch, n) for n in ("repository", "source", "target"))
    subject.create(repository)
    data.small(source, files=120, big=3)
    subject.run(repository, "backup", ".", cwd=source)
    span = subject.run(repository, "restore", "latest", "--target", os.path.join(scratch, "warm")).seconds
    wanted, generator = trees.walk(source), random.Random(seed)
    for number in range(rounds):
        process.remove_tree(target)
        running = subject.start(repository, "restore", "latest", "--target", target)
        delay = generator.uniform(0.2, 1.0) * span
        try:
            running.communicate(timeout=delay)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
        have = trees.walk(target) if os.path.isdir(target) else {}
        half = [p for p, e in have.items() if p in wanted and e["type"] == "file" and (e["mtime"], e["size"]) == (wanted[p]["mtime"], wanted[p]["size"])
                and e["sha256"] != wanted[p]["sha256"]]
        if half:
            board.fail(f"A-07 round {number}: {half[:3]} looks finished and is not", "CORRUPT-ACCEPTED")
        again = subject.run(repository, "restore", "latest", "--target", target)
        left = trees.differences(wanted, trees.walk(target))
        board.survive("kills", again.code == 0 and not left and not half, f"A-07 killed after {delay:.3f} s, again ended in {again.code}: {left}")
