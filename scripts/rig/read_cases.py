# purpose: B-01: packs, indexes, snapshots and keys that the disk does not give back, once or for good
# use:     by scripts/faults
# needs:   strace for injected errors (otherwise named as skipped)
import os, shutil

from . import data, process, trees
from .damage_cases import objects

READS = "read,pread64,readv,preadv,preadv2"


class Sick:
    """A repository of two snapshots: the first holds folder `one`, the second `two` as well; each has packs and an index of its own."""

    def __init__(self, case):
        self.case, self.board, self.subject, self.folder = case, case.board, case.subject, case.folder("B-01")
        self.repository, self.source, self.target = (os.path.join(self.folder, n) for n in ("repository", "source", "target"))
        self.subject.create(self.repository)
        self.snapshots, self.older = [], []
        for number, folder in enumerate(("one", "two")):
            data.small(os.path.join(self.source, folder), seed=number, files=12, big=0)
            made = self.subject.run(self.repository, "backup", "--json", ".", cwd=self.source)
            self.snapshots.append(made.summary().get("snapshot_id"))
            self.older = self.older or objects(self.repository, "data")
        self.wanted = trees.walk(self.source)

    def run(self, path, *arguments, once=False, password=process.PASSWORD):
        """one command for which reading `path` fails; its `injected` says whether it was read at all"""
        log = os.path.join(self.folder, "trace")
        wrap = ["strace", "-f", "-qq", "-o", log, "-P", path, "-e", f"inject={READS}:error=EIO{':when=1' if once else ''}"]
        result = self.subject.run(self.repository, *arguments, "--no-cache", wrap=wrap, password=password)
        result.err = b"\n".join(line for line in result.err.split(b"\n") if not line.startswith(b"strace: "))
        with open(log, errors="replace") as lines:
            result.injected = "INJECTED" in lines.read()
        return result

    def restore(self, path, snapshot="latest", once=False):
        """the result, and what came back"""
        process.remove_tree(self.target)
        result = self.run(path, "restore", snapshot, "--target", self.target, once=once)
        return result, trees.walk(self.target) if os.path.isdir(self.target) else {}


def unreadable(case):
    """B-01: a second try gets over what fails once; what fails always is named, everything else comes back, nothing is removed for it"""
    if not shutil.which("strace"):
        return case.board.skip("B-01", "strace is not installed")
    if case.is_stock:
        return case.board.skip("B-01", "stock restic tries again for a quarter of an hour")
    sick = Sick(case)
    for kind in ("data", "index", "snapshots"):
        for path in objects(sick.repository, kind):
            what = f"B-01 {kind}/{os.path.basename(path)[:8]}"
            transient(sick, path, what)
            lasting(sick, path, what)
            spared(sick, kind, path, what)
    unreadable_keys(sick)
    checked = (case.judge or sick.subject).run(sick.repository, "check", "--read-data", "--no-lock")
    return case.board.survive("backend-faults", checked.code == 0, f"B-01 the repository is whole once it can be read: {checked.text[-300:]}")


def transient(sick, path, what):
    """the first read fails, the second does not"""
    result, have = sick.restore(path, once=True)
    left = trees.differences(sick.wanted, have)
    sick.board.expect(result.injected, f"{what}: the restore reads it")
    sick.board.survive("backend-faults", result.code == 0 and not left, f"{what} fails once: ended in {result.code}: {left[:1]} {result.text[-300:] if result.code else ''}")


def lasting(sick, path, what):
    """every read fails: an end in 1, the object by name, and no wrong bytes"""
    result, have = sick.restore(path)
    ok = sick.board.result(result, what)
    wrong = [p for p, e in have.items() if e["type"] == "file" and e["sha256"] != sick.wanted[p]["sha256"]]
    if wrong or result.code == 0:
        sick.board.fail(f"{what} fails: ended in {result.code}, wrong bytes in {wrong[:3]}", "CORRUPT-ACCEPTED" if wrong else "SILENT-SUCCESS")
    ok = sick.board.expect(os.path.basename(path)[:8] in result.text, f"{what} fails: it is named: {result.text[-500:]}") and ok
    sick.board.survive("backend-faults", ok and result.code == 1 and not wrong, f"{what} fails: ended in {result.code}: {result.text[-200:]}")


def spared(sick, kind, path, what):
    """what does not need the object comes back; a prune that cannot know what is needed removes nothing"""
    name = os.path.basename(path)
    if kind == "data" and path in sick.older:
        have = sick.restore(path)[1]
        missing = [p for p in sick.wanted if p.startswith(b"two") and p not in have]
        sick.board.survive("backend-faults", not missing, f"{what} fails: what needs other packs only comes back; missing: {missing[:3]}")
    elif kind != "index":
        result, _ = sick.restore(path, next(s for s in sick.snapshots if s != name) if kind == "snapshots" else sick.snapshots[0])
        sick.board.survive("backend-faults", result.code == 0, f"{what} fails: the other snapshot comes back: ended in {result.code}: {result.text[-200:]}")
    if kind != "data":
        result = sick.run(path, "prune", "--max-unused", "0")
        sick.board.survive("backend-faults", result.code == 1 and name[:8] in result.text, f"{what} fails: prune refuses: ended in {result.code}: {result.text[-200:]}")


def unreadable_keys(sick):
    """the key of a password fails: it is named and the password is not called wrong; the other password opens all the same"""
    other = os.path.join(sick.folder, "other-password")
    first = objects(sick.repository, "keys")[0]
    with open(other, "w") as sink:
        sink.write("other")
    added = sick.subject.run(sick.repository, "key", "add", "--new-password-file", other)
    sick.board.expect(added.code == 0, f"B-01 a second key: {added.text[-200:]}")
    result = sick.run(first, "snapshots", "--no-lock")
    named = os.path.basename(first)[:8] in result.text
    sick.board.survive("backend-faults", result.code == 1 and named and result.injected, f"B-01 key/{os.path.basename(first)[:8]} fails: ended in {result.code}: {result.text[-300:]}")
    result = sick.run(first, "snapshots", "--no-lock", password="other")
    sick.board.survive("backend-faults", result.code == 0, f"B-01 the other key opens: ended in {result.code}: {result.text[-200:]}")
