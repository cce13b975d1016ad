# purpose: D-01 to D-05, D-13: damaged repositories; check has to notice, restore may never hand out wrong bytes
# use:     by scripts/faults
# needs:   nothing but python3
import os, random, re, shutil

from . import data, process, resticfile, trees
from .kill_cases import fresh_copy


def objects(repository, kind):
    found = []
    for base, _, names in os.walk(os.path.join(repository, kind)):
        found += [os.path.join(base, n) for n in names if re.fullmatch(r"[0-9a-f]{64}", n)]
    return sorted(found)


def rewrite(path, content):
    os.chmod(path, 0o600)
    with open(path, "wb") as sink:
        sink.write(content)


class Mutator:
    """One kind of damage, applied to one file; `None` back means that it does not apply."""

    def __init__(self, generator):
        self.generator = generator

    def flip(self, path):
        content = bytearray(open(path, "rb").read())
        place = self.generator.randrange(len(content))
        content[place] ^= 1 << self.generator.randrange(8)
        rewrite(path, content)
        return f"bit flipped at {place} of {len(content)}"

    def cut(self, path):
        content = open(path, "rb").read()
        length = self.generator.choice([0, 1, len(content) // 2, len(content) - 1, self.generator.randrange(len(content))])
        rewrite(path, content[:length])
        return f"cut to {length} of {len(content)}"

    def extend(self, path):
        content = open(path, "rb").read()
        rewrite(path, content + os.urandom(self.generator.choice([1, 16, 4096])))
        return "extended by garbage"

    def zero(self, path):
        content = bytearray(open(path, "rb").read())
        place = self.generator.randrange(len(content))
        length = min(self.generator.choice([64, 4096]), len(content) - place)
        content[place:place + length] = bytes(length)
        rewrite(path, content)
        return f"{length} bytes zeroed at {place}"

    def remove(self, path):
        if f"{os.sep}snapshots{os.sep}" in path:
            return None                            # a snapshot that is gone leaves no trace: nothing to notice
        os.unlink(path)
        return "removed"

    def swap(self, path):
        others = [p for p in sorted(os.listdir(os.path.dirname(path))) if p != os.path.basename(path)]
        if not others:
            return None
        other = os.path.join(os.path.dirname(path), self.generator.choice(others))
        if not os.path.isfile(other):
            return None
        one, two = open(path, "rb").read(), open(other, "rb").read()
        rewrite(path, two)
        rewrite(other, one)
        return f"swapped with {os.path.basename(other)[:8]}"

    def rename(self, path):
        if f"{os.sep}snapshots{os.sep}" in path or path.endswith("config"):
            return None
        os.rename(path, os.path.join(os.path.dirname(path), os.urandom(32).hex()))
        return "renamed to another name"


KINDS = ("flip", "flip", "flip", "cut", "cut", "extend", "zero", "remove", "swap", "rename")


def damage(case, count, seed):
    """D-01 to D-04 on a small repository with two snapshots"""
    board, subject, scratch = case.board, case.subject, case.folder("D")
    print(f"D-01..D-04 seed {seed}")
    generator = random.Random(seed)
    base, source = os.path.join(scratch, "base"), os.path.join(scratch, "source")
    subject.create(base)
    data.small(source, files=6, big=1, largest=9000)
    subject.run(base, "backup", ".", cwd=source)
    data.change(source, "d", count=3)
    subject.run(base, "backup", ".", cwd=source)
    wanted = trees.walk(source)
    healthy = subject.run(base, "check", "--read-data")
    if not board.expect(healthy.code == 0, f"D the healthy repository is clean: {healthy.text[-300:]}"):
        return
    mutator, number = Mutator(generator), 0
    while number < count:
        repository = fresh_copy(base, os.path.join(scratch, "repository"))
        kinds = ["config", "keys", "index", "snapshots", "data", "data", "data"]
        kind = kinds[number % len(kinds)]
        path = os.path.join(repository, "config") if kind == "config" else generator.choice(objects(repository, kind))
        how = generator.choice(KINDS)
        done = getattr(mutator, how)(path)
        number += 1
        if done is None:
            continue
        board.mutants += 1
        judge_damaged(case, repository, wanted, f"D {kind}/{os.path.basename(path)[:8]} {done} (seed {seed}, number {number})", kind)


def judge_damaged(case, repository, wanted, what, kind):
    board, subject = case.board, case.subject
    process.remove_tree(os.path.join(subject.scratch, "cache"))
    checked = subject.run(repository, "check", "--read-data", timeout=60)
    ok = board.result(checked, what)
    if checked.code == 0:
        ok = False
        board.fail(f"{what}: check --read-data is content", "CORRUPT-ACCEPTED")
    target = os.path.join(case.folder("D"), "target")
    process.remove_tree(target)
    process.remove_tree(os.path.join(subject.scratch, "cache"))
    result = subject.run(repository, "restore", "latest", "--target", target, timeout=60)
    ok = board.result(result, what) and ok
    have = trees.walk(target) if os.path.isdir(target) else {}
    wrong = [p for p, e in have.items() if e["type"] == "file" and p in wanted and e["sha256"] != wanted[p]["sha256"]]
    if wrong and result.code == 0 and kind != "snapshots":
        ok = False
        board.fail(f"{what}: restore ended in 0 with other bytes in {wrong[:3]}", "CORRUPT-ACCEPTED")
    elif wrong and not case.is_stock and kind != "snapshots":
        ok = board.expect(False, f"{what}: restore failed but left other bytes under {wrong[:3]}")
    elif result.code == 0 and kind != "snapshots" and trees.differences(wanted, have):
        ok = False
        board.fail(f"{what}: restore ended in 0 and is not complete: {trees.differences(wanted, have)[:2]}", "SILENT-SUCCESS")
    board.survive("damaged-repos", ok, what)


def foreign_files(case):
    """D-05: what does not belong there is neither followed, used nor deleted, and is no damage"""
    board, subject, scratch = case.board, case.subject, case.folder("D-05")
    repository, source, outside = (os.path.join(scratch, n) for n in ("repository", "source", "outside"))
    subject.create(repository)
    data.small(source, files=5, big=0)
    subject.run(repository, "backup", ".", cwd=source)
    with open(outside, "w") as sink:
        sink.write("outside")
    strange = [os.path.join(repository, "data", "README"), os.path.join(repository, "snapshots", "note.txt"), os.path.join(repository, "index", "x" * 64),
               os.path.join(repository, "data", "00", "tmp-1234"), os.path.join(repository, "lost+found")]
    for path in strange:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as sink:
            sink.write("foreign")
    os.symlink(outside, os.path.join(repository, "data", "01", "link-out"))
    os.makedirs(os.path.join(repository, "data", "02", "a-folder"), exist_ok=True)
    for verb in (["check", "--read-data"], ["backup", "."], ["snapshots"], ["restore", "latest", "--target", os.path.join(scratch, "target")]):
        result = subject.run(repository, *verb, cwd=source)
        board.survive("damaged-repos", result.code == 0 and board.result(result, f"D-05 {verb[0]}"), f"D-05 {verb[0]} beside foreign files ended in {result.code}: {result.text[-300:]}")
    board.expect(all(os.path.exists(p) for p in strange) and open(outside).read() == "outside", "D-05 foreign files are still there")


def forged(case):
    """D-13: objects by someone who owns the storage or the key"""
    board, subject, scratch = case.board, case.subject, case.folder("D-13")
    repository, other, source = (os.path.join(scratch, n) for n in ("repository", "other", "source"))
    data.small(source, files=5, big=0)
    for path in (repository, other):
        subject.create(path)
        subject.run(path, "backup", ".", cwd=source)
    name, document, master = resticfile.open_key(repository, process.PASSWORD)

    copied = fresh_copy(repository, os.path.join(scratch, "copied"))
    shutil.copy(objects(other, "snapshots")[0], os.path.join(copied, "snapshots"))
    checked = subject.run(copied, "check")
    board.survive("damaged-repos", checked.code != 0 and board.result(checked, "D-13"), "D-13 a snapshot of another repository is noticed")

    costly = fresh_copy(repository, os.path.join(scratch, "costly"))
    os.unlink(os.path.join(costly, "keys", name))
    resticfile.write_key(costly, process.PASSWORD, master, document, N=1 << 40, r=8, p=1)
    if case.is_stock:
        board.skip("D-13", "a key of cost 2^40 is not tried on stock restic")
    else:
        opened = subject.run(costly, "snapshots", timeout=30)
        board.survive("damaged-repos", opened.code not in (0, 124) and board.result(opened, "D-13"), f"D-13 a key of cost 2^40 is refused with words: {opened.code} {opened.text[-200:]}")

    confused = fresh_copy(repository, os.path.join(scratch, "confused"))
    blob = resticfile.forge_pack(confused, master, [("data", resticfile.tree(resticfile.node("a")))])[0]
    snapshot = resticfile.forge_snapshot(confused, master, blob)
    result = subject.run(confused, "restore", snapshot, "--target", os.path.join(scratch, "confused-target"))
    board.survive("damaged-repos", result.code != 0 and board.result(result, "D-13"), f"D-13 data in the place of a tree is refused: {result.code}")
