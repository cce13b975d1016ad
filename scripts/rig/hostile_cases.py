# purpose: H-01, H-03, H-04, H-13, I-09: forged trees under a known key; a restore may never write outside its target, hang or trap
# use:     by scripts/faults
# needs:   nothing but python3
import os

from . import process, resticfile, trees
from .resticfile import node, tree

NAMES = ["..", ".", "", "/", "a/b", "../escape", "../../escape", "/escape", "a/../../escape", "./x", "..\u0000", "a\u0000b", "x" * 4096, "../" * 60 + "escape", "dir/",
         "..//escape", "\u0000", "/etc/escape", "sub/../../escape"]


def shapes(write):
    """(what, root tree) of forged snapshots; `write` stores tree blobs and gives their IDs"""
    for name in NAMES:
        inner = write(tree(node("inner")))
        yield f"file {name[:30]!r}", tree(node("good"), node(name))
        yield f"dir {name[:30]!r}", tree(node("good"), node(name, "dir", subtree=inner))
        yield f"symlink {name[:30]!r}", tree(node("good"), node(name, "symlink", linktarget="target"))
        yield f"fifo {name[:30]!r}", tree(node("good"), node(name, "fifo"))
    escape = write(tree(node("escape")))
    for target in ("..", "../..", "/tmp", "OUTSIDE"):
        yield f"symlink to {target} with a folder of the same name", tree(node("way", "symlink", linktarget=target), node("way", "dir", subtree=escape))
        yield f"folder, then symlink to {target}", tree(node("way", "dir", subtree=escape), node("way", "symlink", linktarget=target))
        yield f"symlink to {target} and a file through it", tree(node("way", "symlink", linktarget=target), node("way/escape"))
        yield f"dangling symlink to {target}/escape under a file's name", tree(node("way", "symlink", linktarget=target + "/escape"), node("way"))
    for name in ("../outside/escape", "/tmp/escape"):
        yield f"hard link named {name}", tree(node("one", links=2, inode=7, device_id=3), node(name, links=2, inode=7, device_id=3))
    for size in (1 << 63, (1 << 64) - 1, -1, 10 ** 30):
        yield f"size {size}", tree(node("big", size=size, content=[]))
    yield "an unknown type", tree(node("odd", "portal"))
    yield "a file without content that says 1 TiB", tree(node("hollow", size=1 << 40))
    yield "the same name twice", tree(node("twin"), node("twin"))


def escapes(case):
    """H: after each forged snapshot the world outside the target is as before"""
    board, subject, scratch = case.board, case.subject, case.folder("H")
    repository, arena = os.path.join(scratch, "repository"), os.path.join(scratch, "arena")
    outside, target = os.path.join(arena, "outside"), os.path.join(arena, "deep", "target")
    subject.create(repository)
    key = resticfile.open_master(repository, process.PASSWORD)
    plans, blobs = [], []

    def write(plain):
        blobs.append(("tree", plain))
        return __import__("hashlib").sha256(plain).hexdigest()

    for what, root in shapes(write):
        plans.append((what, write(root.replace(b"OUTSIDE", outside.encode()))))
    resticfile.forge_pack(repository, key, list(dict.fromkeys(blobs)))
    for what, root in plans:
        snapshot = resticfile.forge_snapshot(repository, key, root)
        process.remove_tree(arena)
        os.makedirs(outside)
        os.makedirs(target)
        with open(os.path.join(outside, "witness"), "w") as sink:
            sink.write("as it was")
        before = outer_world(arena)
        result = subject.run(repository, "restore", snapshot, "--target", target, timeout=30)
        board.escape_attempts += 1
        board.result(result, f"H {what}")
        strays = [p for p in ("/escape", "/etc/escape", "/tmp/escape", os.path.join(scratch, "escape")) if os.path.lexists(p)]
        if outer_world(arena) != before or strays:
            board.escapes += 1
            board.fail(f"H {what}: something outside the target changed: {strays} {sorted(outer_world(arena))}")
            for path in strays:
                if path.endswith("/escape"):
                    os.unlink(path)


def outer_world(arena):
    """everything beside the target, which is not walked: a hostile file in it may claim to have 2^63 bytes"""
    found = trees.walk(os.path.join(arena, "outside"))
    for folder in (arena, os.path.join(arena, "deep")):
        found.update({os.fsencode(os.path.join(folder, name)): {"mode": os.lstat(os.path.join(folder, name)).st_mode} for name in os.listdir(folder)})
    return found


def bombs(case):
    """I-09: sixty levels that name the next one twice are 2^60 paths; a tree 1,000 deep"""
    board, subject, scratch = case.board, case.subject, case.folder("I-09")
    repository = os.path.join(scratch, "repository")
    subject.create(repository)
    key = resticfile.open_master(repository, process.PASSWORD)
    for what, levels, names in (("2^60 paths", 60, ("a", "b")), ("1,000 levels", 1000, ("d",))):
        blobs, below = [], None
        for _ in range(levels):
            plain = tree(*([node(n, "dir", subtree=below) for n in names] if below else [node("leaf")]))
            below = __import__("hashlib").sha256(plain).hexdigest()
            blobs.append(("tree", plain))
        resticfile.forge_pack(repository, key, blobs)
        snapshot = resticfile.forge_snapshot(repository, key, below)
        checked = subject.run(repository, "check", timeout=60)
        board.expect(board.result(checked, f"I-09 check of {what}"), f"I-09 check of {what} ends: {checked.code}")
        if case.is_stock and len(names) == 2:
            board.skip("I-09", "stock restic would walk 2^60 paths in ls")
            continue
        if len(names) == 1:
            listed = subject.run(repository, "ls", snapshot, timeout=60)
            board.expect(board.result(listed, f"I-09 ls of {what}") and listed.code == 0, f"I-09 ls of {what}: {listed.code} {listed.text[-200:]}")
        else:
            target = os.path.join(scratch, "target")
            restored = subject.run(repository, "restore", snapshot, "--target", target, "--dry-run", timeout=120)
            board.expect(board.result(restored, f"I-09 restore --dry-run of {what}") and restored.code != 0, f"I-09 restore of {what} is refused: {restored.code}")
        os.unlink(os.path.join(repository, "snapshots", snapshot))
