# purpose: G-15, G-17: sources that cross mounts, run in circles, or are taken away while they are read
# use:     by scripts/faults
# needs:   root for mounts (otherwise named as skipped); stock restic for a second opinion on G-15
import contextlib, os, random, subprocess, time

from . import data, process, trees
from .kill_cases import snapshots, verify
from .space_cases import mounted


@contextlib.contextmanager
def bound(source, target):
    """`source` once more at `target`, gone afterwards"""
    subprocess.run(["mount", "--bind", source, target], check=True)
    try:
        yield target
    finally:
        subprocess.run(["umount", "-l", target], check=False)


def crossings(case):
    """G-15: tmpfs, bind mounts of folders and of a file, a bind loop and symlink loops; ended, and stored as by stock restic"""
    board, scratch = case.board, case.folder("G-15")
    if os.geteuid() != 0:
        return board.skip("G-15", "mounting needs root")
    if case.judge is None:
        return board.skip("G-15", "no stock restic to compare with")
    repository, source, other = (os.path.join(scratch, n) for n in ("repository", "source", "other"))
    case.subject.create(repository)
    for folder in (source, other):
        data.small(folder, seed=len(folder), files=6, big=0)
    for name in ("memory", "bound", "loop", "plain"):
        os.mkdir(os.path.join(source, name))
    at = lambda *names: os.path.join(source, *names)
    for target, name in ((".", "self"), ("..", "up"), ("a", "b"), ("b", "a")):
        os.symlink(target, at("plain", name))
    data.put(at("plain", "file"), b"below the mount", data.BASE)
    data.put(os.path.join(other, "file"), b"on the mount", data.BASE)
    with contextlib.ExitStack() as stack:
        if stack.enter_context(mounted(at("memory"), 1 << 20)) is None:
            return board.skip("G-15", "mount is not permitted")
        data.small(at("memory", "inside"), files=3, big=0)
        for left, right in ((other, at("bound")), (source, at("loop")), (os.path.join(other, "file"), at("plain", "file"))):
            stack.enter_context(bound(left, right))
        for options in ([], ["--one-file-system"], ["-x", at("memory")], ["-x", at("memory"), at("bound")], ["-x", "--exclude", "bound"]):
            compare(case, repository, source, options)
    board.skip("G-15", "autofs and a hanging FUSE: the helper with a deadline is not there yet")
    return None


def compare(case, repository, source, options):
    """one backup by each; the same entries, the same content"""
    found = []
    for tool in (case.subject, case.judge):
        made = tool.run(repository, "backup", "--json", "--force", *options, source, timeout=30)
        case.board.result(made, f"G-15 {tool.name}")
        listed = case.judge.run(repository, "ls", "--json", "--no-lock", made.summary().get("snapshot_id") or "none")
        found.append((made.code, sorted((o["path"], o["type"], o.get("size", 0), o.get("mtime")) for o in listed.objects() if o.get("path", "").startswith(source + "/"))))
    (code, ours), (wanted, theirs) = found
    different = sorted({o[0] for o in set(ours) ^ set(theirs)})
    case.board.survive("races", code == wanted and ours and not different, f"G-15 {' '.join(map(os.path.basename, options)) or 'all file systems'}: ended in {code}, {case.judge.name} in {wanted}; {len(ours)} entries, different: {different[:4]}")


def vanishing(case):
    """G-17: the source is unmounted while it is read; 0 only for a snapshot that is whole, otherwise none"""
    board, scratch = case.board, case.folder("G-17")
    if os.geteuid() != 0:
        return board.skip("G-17", "mounting needs root")
    first, point = os.path.join(scratch, "first"), os.path.join(scratch, "point")
    data.small(first, files=4, big=4)
    for name, targets, folder in (("by its path", [point], scratch), ("from within", ["."], point), ("as the second of two", [first, point], scratch)):
        if case.is_stock and targets[0] == first:
            board.skip("G-17", "stock restic opens the second source late, finds an empty folder, and ends in 0")
            continue
        with mounted(point, 128 << 20) as disk:
            if disk is None:
                return board.skip("G-17", "mount is not permitted")
            spread(disk)
            wanted = trees.digest(disk)
            take_away(case, name, targets, folder, point, wanted)
    return None


def spread(root, folders=80):
    """more than what is read ahead of the packs under way, in many folders"""
    generator = random.Random("spread")
    for number in range(folders):
        path = os.path.join(root, f"folder-{number:03d}", "inner")
        os.makedirs(path)
        for name in range(8):
            data.put(os.path.join(path, f"file-{name}"), generator.randbytes(120_000), data.BASE + number)


def take_away(case, name, targets, folder, point, wanted):
    """one backup, slowed down; the mount goes once its first pack is there"""
    board, subject, what = case.board, case.subject, f"G-17 a source {name}"
    repository = os.path.join(case.folder("G-17"), name.replace(" ", "-"))
    subject.create(repository)
    began = time.monotonic()
    running = subject.start(repository, "backup", "--json", "--limit-upload", "20000", "--pack-size", "4", *targets, cwd=folder)
    while running.poll() is None and time.monotonic() < began + 20 and not any(names for _, _, names in os.walk(os.path.join(repository, "data"))):
        time.sleep(0.02)
    early = running.poll() is None
    subprocess.run(["umount", "-l", point], check=False)
    result = process.finish(running, began, 60)
    ok = board.result(result, what) and board.expect(early, f"{what}: the backup still ran")
    listed = snapshots(case.judge or subject, repository)
    if result.code == 0:
        restored = result.summary().get("snapshot_id", "none") + ("" if targets == ["."] else f":{point}")
        wrong = verify(case.judge or subject, repository, restored, wanted, case.folder("G-17"))
        if wrong:
            board.zero["SILENT-SUCCESS"] += 1
        return board.survive("backend-faults", ok and not wrong, f"{what} ended in 0 after {result.seconds:.1f} s: {wrong}")
    told = listed == [] or (case.is_stock and result.code == 3)
    return board.survive("backend-faults", ok and told, f"{what} ended in {result.code} and left {len(listed or [])} snapshots: {result.text[-300:]}")
