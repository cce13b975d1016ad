# purpose: C-01, C-02, C-06, H-08: a disk without bytes or inodes, under the repository and under the target of a restore
# use:     by scripts/faults
# needs:   root for mounts, losetup and mkfs.ext4 for C-02 and C-06 (otherwise named as skipped)
import contextlib, json, os, shutil, subprocess

from . import data, process, trees
from .cut_cases import Disk
from .kill_cases import fresh_copy, oracle, snapshots, verify


@contextlib.contextmanager
def mounted(path, size, *options):
    """a tmpfs of `size` bytes of our own at `path`, gone afterwards; None when mounting is not allowed"""
    os.makedirs(path, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join([f"size={size}", "mode=0700", *options]), "tmpfs", path], capture_output=True).returncode == 0
    try:
        yield path if done else None
    finally:
        if done and os.path.ismount(path):
            subprocess.run(["umount", "-l", path], check=False)


@contextlib.contextmanager
def small_ext4(folder, mebibytes, *options):
    """an ext4 of our own without reserved blocks, gone afterwards; None when there can be none"""
    disk = Disk(folder, mebibytes, *options)
    try:
        try:
            disk.make()
        except OSError:
            yield None
        else:
            yield disk.point
    finally:
        disk.drop()
        os.unlink(disk.image)


def backed_up_and_grown(subject, scratch, big):
    """a repository of one snapshot, its source with `big` large files more than that, the snapshot with its digest, and the source's digest now"""
    base, source = os.path.join(scratch, "base"), os.path.join(scratch, "source")
    data.small(source, files=20, big=0)
    subject.create(base)
    made = subject.run(base, "backup", "--json", ".", cwd=source).summary().get("snapshot_id")
    earlier = {made: trees.digest(source)}
    data.small(os.path.join(source, "more"), seed=3, files=5, big=big)
    return base, source, earlier, trees.digest(source)


def full_disk(case, steps=10):
    """C-01: the disk ends at byte k, k stepped over the run"""
    board, subject, scratch = case.board, case.subject, case.folder("C-01")
    if os.geteuid() != 0:
        return board.skip("C-01", "mounting a small disk needs root")
    base, source, earlier, second = backed_up_and_grown(subject, scratch, big=2)
    used = sum(os.path.getsize(os.path.join(b, n)) for b, _, names in os.walk(base) for n in names) + (2 << 20)
    for step in range(steps):
        with mounted(os.path.join(scratch, "disk"), used + step * (12 << 20) // steps) as disk:
            if disk is None:
                return board.skip("C-01", "mount is not permitted")
            repository = os.path.join(disk, "repository")
            try:
                shutil.copytree(base, repository)
            except shutil.Error:
                continue
            result = subject.run(repository, "backup", "--json", ".", cwd=source)
            what = f"C-01 disk of {(used + step * (12 << 20) // steps) >> 10} KiB"
            ok = board.result(result, what)
            if result.code != 0:
                ok = board.expect("no space left" in result.text.lower() or "ENOSPC" in result.text, f"{what}: says that space is missing: {result.text[-300:]}") and ok
                if not case.is_stock:
                    left = [n for b, _, names in os.walk(os.path.join(repository, "data")) for n in names if len(n) != 64]
                    ok = board.expect(not left, f"{what}: temporary files are removed: {left[:3]}") and ok
            moved = fresh_copy(repository, os.path.join(scratch, "moved"))
            wrong = oracle(case, moved, source, earlier, second, scratch)
            board.survive("backend-faults", ok and not wrong, f"{what}: ended in {result.code}; {wrong}")
    return None


def few_inodes(case):
    """C-02: bytes are free, but no name can be added; inodes left over are stepped until a backup fits"""
    board, subject, scratch = case.board, case.subject, case.folder("C-02")
    if os.geteuid() != 0:
        return board.skip("C-02", "mounting a disk of few inodes needs root")
    base, source, earlier, second = backed_up_and_grown(subject, scratch, big=1)
    for spare in range(6):
        with small_ext4(scratch, 64, "-N", "512") as disk:
            if disk is None:
                return board.skip("C-02", "no ext4 on a loop device here")
            repository = os.path.join(disk, "repository")
            shutil.copytree(base, repository)
            take_inodes(disk, spare)
            result = subject.run(repository, "backup", "--json", ".", cwd=source)
            what = f"C-02 {spare} inodes left"
            ok = board.result(result, what)
            if result.code != 0 and not case.is_stock:
                ok = board.expect("inode" in result.text.lower(), f"{what}: says that it is inodes that are missing: {result.text[-300:]}") and ok
            ok = board.expect(result.code != 0 or spare >= 3, f"{what}: a pack, an index and a snapshot need three: ended in {result.code}") and ok
            moved = fresh_copy(repository, os.path.join(scratch, "moved"))
            wrong = oracle(case, moved, source, earlier, second, scratch)
            board.survive("backend-faults", ok and not wrong, f"{what}: ended in {result.code}; {wrong}")
    return None


def take_inodes(disk, spare):
    """leaves a file system `spare` inodes, and its bytes"""
    folder = os.path.join(disk, "taken")
    os.makedirs(folder)
    for number in range(os.statvfs(disk).f_favail - spare):
        os.close(os.open(os.path.join(folder, str(number)), os.O_CREAT | os.O_WRONLY))


def take_bytes(disk, spare):
    """leaves a file system `spare` bytes"""
    with open(os.path.join(disk, "filler"), "wb") as sink:
        size = 0
        for step in (1 << 20, 1 << 10):
            with contextlib.suppress(OSError):
                while True:
                    os.posix_fallocate(sink.fileno(), size, step)
                    size += step
        sink.truncate(size - spare)
    subprocess.run(["sync", "-f", disk], check=True)


def free_bytes(disk):
    """what a writer could have, once all that was removed is given back"""
    subprocess.run(["sync", "-f", disk], check=True)
    return os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize


def full_prune(case):
    """C-06: on a disk that is full, prune gives room back, by way of --unsafe-recover-no-free-space at the latest, and loses nothing"""
    board, subject, scratch = case.board, case.subject, case.folder("C-06")
    if os.geteuid() != 0:
        return board.skip("C-06", "mounting a small disk needs root")
    base, kept = os.path.join(scratch, "base"), full_prune_past(case, scratch)
    for spare in (0, 1 << 12, 1 << 16):
        if spare == 0 and case.is_stock:
            board.skip("C-06", "stock restic needs room for its lock")
            continue
        with small_ext4(scratch, 32) as disk:
            if disk is None:
                return board.skip("C-06", "no ext4 on a loop device here")
            repository = os.path.join(disk, "repository")
            shutil.copytree(base, repository)
            subject.forget_all()
            take_bytes(disk, spare)
            prune_by_all_means(case, disk, repository, kept, f"C-06 {spare} bytes free", scratch)
    return None


def full_prune_past(case, scratch):
    """a repository of which one pack is all rubbish and another in part; the snapshots that were not forgotten, with their digests"""
    board, subject, kept = case.board, case.subject, {}
    base, source = os.path.join(scratch, "base"), os.path.join(scratch, "source")
    subject.create(base)
    for number in range(4):
        if number == 1:
            process.remove_tree(source)
        data.small(source, seed=number, files=20, big=1 if number == 0 else 0)
        data.put(os.path.join(source, "rolling"), os.urandom(2 << 20), data.BASE + number)
        made = subject.run(base, "backup", "--json", ".", cwd=source).summary().get("snapshot_id")
        kept[made] = trees.digest(source)
    oldest = list(kept)[:2]
    board.expect(subject.run(base, "forget", *oldest).code == 0, "C-06 forget of the oldest two")
    return {made: digest for made, digest in kept.items() if made not in oldest}


def prune_by_all_means(case, disk, repository, kept, what, scratch):
    """prune, prune that packs nothing anew, and the unsafe way, each judged; then forget, in the room that they made"""
    board, subject, judge = case.board, case.subject, case.judge or case.subject
    before = free_bytes(disk)
    identity = json.loads(judge.run(repository, "cat", "config", "--no-lock").out)["id"]
    ways, codes = [["prune", "--max-unused", "0"], ["prune", "--max-repack-size", "0"], ["prune", "--unsafe-recover-no-free-space", identity]], []
    for way in ways + [["forget", "--keep-last", "1"]]:
        result = subject.run(repository, *way)
        codes.append(result.code)
        ok = board.result(result, what) and (result.code == 0 or "no space left" in result.text.lower())
        if way[0] == "forget" and result.code == 0:
            kept = dict(list(kept.items())[-1:])
        wrong = lost(judge, repository, kept, scratch)
        if wrong:
            board.zero["LOST"] += 1
        board.survive("backend-faults", ok and not wrong, f"{what}: {' '.join(way[:2])} ended in {result.code}: {wrong} {result.text[-300:] if not ok else ''}")
    freed = free_bytes(disk) - before
    board.survive("backend-faults", freed > 1 << 20 and 0 in codes[:3], f"{what}: {freed} bytes freed by prunes that ended in {codes[:3]}")


def lost(judge, repository, kept, scratch):
    """what is wrong with the snapshots that have to be there, or nothing"""
    if not set(kept) <= set(snapshots(judge, repository) or []):
        return "a snapshot that was not forgotten is not listed"
    checked = judge.run(repository, "check", "--read-data", "--no-lock")
    if checked.code != 0:
        return f"check by {judge.name}: {checked.text[-300:]}"
    return next((wrong for made, digest in kept.items() if (wrong := verify(judge, repository, made, digest, scratch))), "")


# Each kind of target that cannot hold everything: mount options of it, and those that cure it.
TARGETS = [("full", "size=3m", "size=64m", ("no space left",)), ("read-only", "ro", "rw", ("read-only",)),
           ("without inodes", "nr_inodes=30", "nr_inodes=9999", ("inode", "no space left"))]


def narrow_targets(case):
    """H-08: a restore into a target without room ends with words and not in 0; with room made, the same command completes it"""
    board, subject, scratch = case.board, case.subject, case.folder("H-08")
    if os.geteuid() != 0:
        return board.skip("H-08", "mounting a small target needs root")
    repository, source = os.path.join(scratch, "repository"), os.path.join(scratch, "source")
    data.small(source, files=60, big=1)
    subject.create(repository)
    subject.run(repository, "backup", ".", cwd=source)
    wanted = trees.walk(source)
    for name, narrow, wide, words in TARGETS:
        with mounted(os.path.join(scratch, "target"), 64 << 20, narrow) as target:
            if target is None:
                return board.skip("H-08", "mount is not permitted")
            restore_narrow(case, repository, wanted, target, f"H-08 target {name}", words)
            subprocess.run(["mount", "-o", f"remount,{wide}", target], check=True)
            again = subject.run(repository, "restore", "latest", "--target", target)
            left = trees.differences(wanted, trees.walk(target))
            board.survive("backend-faults", again.code == 0 and not left, f"H-08 target {name}, then cured: ended in {again.code}: {left} {again.text[-300:] if again.code else ''}")
    board.skip("H-08", "a quota on the target: no file system with quotas here")
    return None


def restore_narrow(case, repository, wanted, target, what, words):
    """the restore that cannot succeed: not 0, the reason in words, whatever is missing named, and no file that looks finished and is not"""
    board = case.board
    result = case.subject.run(repository, "restore", "latest", "--target", target)
    have = trees.walk(target)
    ok = board.result(result, what)
    if result.code == 0:
        board.fail(f"{what}: ended in 0", "SILENT-SUCCESS")
    half = [p for p, e in have.items() if e["type"] == "file" and p in wanted and e["sha256"] != wanted[p]["sha256"]]
    if case.is_stock:
        half = [p for p in half if (have[p]["mtime"], have[p]["size"]) == (wanted[p]["mtime"], wanted[p]["size"])]
    else:
        ok = board.expect(any(w in result.text.lower() for w in words), f"{what}: says `{words[0]}`: {result.text[-300:]}") and ok
    missing = [p for p, e in wanted.items() if e["type"] == "file" and p not in have]
    unnamed = [p for p in missing if p not in result.err and os.path.dirname(p) + b":" not in result.err]
    ok = board.expect(not unnamed, f"{what}: of {len(missing)} missing files {len(unnamed)} are named neither themselves nor by their folder: {unnamed[:3]}") and ok
    board.survive("backend-faults", ok and result.code != 0 and not half, f"{what}: ended in {result.code}, {len(missing)} missing, wrong under a final name: {half[:3]}")
